"""Projects and their settings."""

from typing import Any

from ambient.common.exceptions import Forbidden, InvalidField
from ambient.common.permissions import ANYONE_SIGNED_IN, labelled
from ambient.common.viewsets import NOT_PERMITTED, ScopedViewSet
from projects_app.choices import Scope
from projects_app.filters import project_of_request
from projects_app.models import Project, ProjectSettings
from projects_app.selectors import kept_total
from projects_app.serializers import ProjectSerializer, ProjectSettingsSerializer
from projects_app.services.projects import (
    project_create,
    project_delete,
    project_settings_create,
    project_settings_delete,
    project_settings_update,
    project_update,
)
from projects_app.views.access import MAY_ASK, ListsAccess
from projects_app.views.base import project_for, require_person
from projects_app.views.merging import MergesLabels


class ProjectViewSet(MergesLabels, ListsAccess, ScopedViewSet):
    """Projects that the caller may read; anybody signed in may make one and then owns it."""

    queryset = Project.objects.all()
    serializer_class = ProjectSerializer
    access_scope = Scope.PROJECT
    action_permissions = labelled("project") | {
        "create": ANYONE_SIGNED_IN,
        "access": MAY_ASK[Scope.PROJECT],
    }

    def count(self, queryset: Any) -> int:
        total = kept_total(kind="project", user=self.request.user, permission="project:read", narrower=())
        return queryset.count() if total is None else total

    def authorize_create(self) -> None:
        require_person(self.request.user, "project:create")

    def perform_create(self, values: dict[str, Any]) -> Project:
        return project_create(actor=self.request.user.username, values=values)

    def perform_update(self, obj: Project, values: dict[str, Any]) -> Project:
        return project_update(project=obj, changes=values)

    def perform_destroy(self, obj: Project) -> None:
        project_delete(project=obj)


class ProjectSettingsViewSet(ScopedViewSet):
    """Settings of projects: members read them, owners change them."""

    queryset = ProjectSettings.objects.all()
    serializer_class = ProjectSettingsSerializer
    action_permissions = {
        "list": "project:read",
        "retrieve": "project:read",
        "create": "project:update",
        "partial_update": "project:update",
        "destroy": "project:update",
    }

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if self.action == "list" and not getattr(self, "swagger_fake_view", False):
            project = project_of_request(self.request)
            return rows if project is None else rows.filter(project_id=project)
        return rows

    def authorize_create(self) -> None:
        """The body names the project: asked in `perform_create`, once it is known."""

    def perform_create(self, values: dict[str, Any]) -> ProjectSettings:
        project = self.named_project(values["project_id"])
        rest = {name: value for name, value in values.items() if name != "project_id"}
        return project_settings_create(actor=self.request.user, project=project, values=rest)

    def named_project(self, name: str) -> Project:
        """The project of the body, if the caller may change its settings."""
        project = Project.objects.live().filter(pk=name).first()
        if project is None:
            if not self.request.user.has_perm("project:update"):
                raise Forbidden(NOT_PERMITTED)
            raise InvalidField("project_id names no project")
        return project_for(self.request.user, project.pk, permission=self.permission)

    def perform_update(self, obj: ProjectSettings, values: dict[str, Any]) -> ProjectSettings:
        if values.get("project_id", obj.project_id) != obj.project_id:
            self.named_project(values["project_id"])
        return project_settings_update(actor=self.request.user, row=obj, changes=values)

    def perform_destroy(self, obj: ProjectSettings) -> None:
        project_settings_delete(actor=self.request.user, row=obj)
