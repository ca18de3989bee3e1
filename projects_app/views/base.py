"""What viewsets of rows inside a project share."""

import re
from typing import Any, ClassVar

from ambient.common.exceptions import Forbidden, InvalidField, not_found
from ambient.common.permissions import ANYONE_SIGNED_IN
from ambient.common.viewsets import NOT_PERMITTED, SAFE_METHODS, ScopedViewSet
from projects_app.access import PersonAccess, access_of
from projects_app.models import Project
from projects_app.selectors import kept_total, visible_project

_PROJECT_ID = re.compile(r"[a-zA-Z0-9_\-]+", re.ASCII)


def require_person(user: Any, permission: str) -> None:
    """Forbidden for runners and narrowed keys, where every other signed-in caller may."""
    if not access_of(user).as_person(permission):
        raise Forbidden(NOT_PERMITTED)


def require_person_within(user: Any, permission: str) -> None:
    """As `require_person`, but a key may be narrowed to a project, where the service then keeps it."""
    access = access_of(user)
    key = access.api_key if isinstance(access, PersonAccess) else None
    if not access.as_person(permission, key.project_id if key else None):
        raise Forbidden(NOT_PERMITTED)


def project_for(user: Any, pk: str, *, permission: str | None = None) -> Project:
    """The project to create in: 404 when there is none, 403 when not visible or not permitted."""
    project = None if "\0" in pk else Project.objects.live().filter(pk=pk).first()
    if project is None:
        raise not_found("Project", pk)
    if permission is not None and not user.has_perm(permission, project):
        raise Forbidden(NOT_PERMITTED)
    return project


class InProjectViewSet(ScopedViewSet):
    """Rows below `/projects/{project_id}/...`: the path names the project, the body never does."""

    project_path: ClassVar[str] = "project_id"
    row_kind: ClassVar[str | None] = None  # of the kept counters

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is not None:
            self.project = self.path_project()

    def path_project(self) -> Project:
        """The path's project: a reader who may not see it gets 404, a writer 403."""
        pk = self.kwargs["project_id"]
        if not _PROJECT_ID.fullmatch(pk):
            raise InvalidField("invalid project id format")
        seen = visible_project(self.request.user, pk)
        if seen is not None:
            return seen
        project = project_for(self.request.user, pk)
        if self.kwargs.get("pk") is not None or self.kwargs.get("agent_id") is not None:
            return project  # an agent-scope grant shows the agent, not its project: the object decides
        if self.request.method in SAFE_METHODS:
            if self.get_queryset().exists():
                return project
            raise not_found("Project", pk)
        if not self.request.user.has_perm(self.permission, project):
            raise Forbidden(NOT_PERMITTED)
        return project

    def all_rows_unsafe(self) -> Any:
        return super().all_rows_unsafe().filter(**{self.project_path: self.kwargs["project_id"]})

    def authorize_create(self) -> None:
        if self.permission != ANYONE_SIGNED_IN:
            self.authorize_object(self.permission, self.project)

    def count(self, queryset: Any) -> int:
        if self.row_kind is None:
            return int(queryset.count())
        total = kept_total(
            kind=self.row_kind,
            user=self.request.user,
            permission=f"{self.row_kind}:read",
            narrower=("agent",),
            project=self.kwargs["project_id"],
        )
        return queryset.count() if total is None else total
