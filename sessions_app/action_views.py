"""A session's configuration, one part at a time: repositories, workflow, model, name; and its clone."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from ambient.common.exceptions import NotImplementedYet
from ambient.common.wire import WireSerializer
from projects_app.views.base import project_for
from sessions_app.action_serializers import (
    DisplayNameSerializer,
    ModelSetSerializer,
    RepoAddSerializer,
    SessionExportSerializer,
    SessionReferenceSerializer,
    WorkflowMetadataSerializer,
    WorkflowSetSerializer,
)
from sessions_app.models import Session
from sessions_app.repos import DEFAULT_BRANCH
from sessions_app.serializers import SessionSerializer
from sessions_app.services.configuration import (
    session_clone,
    session_repo_add,
    session_repo_remove,
    workflow_metadata,
    workflow_set,
)
from sessions_app.services.sessions import session_update
from sessions_app.view_base import OfSessionViewSet, session_after

EXPORT_VERSION = "1"


def reference(session: Session) -> dict[str, str]:
    """The three fields that say which session."""
    return {
        "id": session.pk,
        "kind": SessionSerializer.wire_kind,
        "href": f"/api/ambient/v1/{SessionSerializer.wire_plural}/{session.pk}",
    }


class SessionActionViewSet(OfSessionViewSet):
    """Everything below `/sessions/{pk}/` that changes or tells one part of its configuration."""

    serializer_class = SessionSerializer
    open_to_users = frozenset({"add_repo", "remove_repo", "set_workflow", "set_model"})
    action_permissions = {
        "clone": "session:read",  # and session:create in its project
        "add_repo": "session:update",
        "remove_repo": "session:update",
        "set_workflow": "session:update",
        "set_model": "session:update",
        "rename": "session:update",
        "workflow": "session:read",
        "export": "session:read",
        "pod_events": "session:read",
        "oauth_url": "session:read",
    }

    def written(self, write: Callable[[], Session], status: int = 200) -> Response:
        return self.respond(session_after(write), status)

    def values(self, form: type[WireSerializer]) -> dict[str, Any]:
        return dict(form().to_internal_value(self.request.body_object()))

    @extend_schema(request=None, responses={201: SessionSerializer})
    def clone(self, request: Any, pk: str) -> HttpResponseBase:
        """A new session with the same configuration and no prompt. The body is ignored."""
        session = self.get_object()
        project_for(request.user, session.project_id, permission="session:create")
        actor = request.user.username
        return self.once(lambda: self.written(lambda: session_clone(session=session, actor=actor), 201))

    @extend_schema(request=RepoAddSerializer, responses=SessionSerializer)
    def add_repo(self, request: Any, pk: str) -> Response:
        """Append a repository; a running session has it after its next start."""
        session, values = self.get_object(), self.values(RepoAddSerializer)
        return self.written(
            lambda: session_repo_add(
                session=session,
                url=values["url"],
                branch=values.get("branch") or DEFAULT_BRANCH,
                auto_push=values.get("auto_push", False),
            )
        )

    @extend_schema(request=None, responses={200: SessionSerializer})
    def remove_repo(self, request: Any, pk: str, name: str) -> Response:
        """Take a repository out of the list, by its name."""
        session = self.get_object()
        return self.written(lambda: session_repo_remove(session=session, name=name))

    @extend_schema(request=WorkflowSetSerializer, responses=SessionSerializer)
    def set_workflow(self, request: Any, pk: str) -> Response:
        """Name the workflow that the next start works with."""
        session, values = self.get_object(), self.values(WorkflowSetSerializer)
        return self.written(
            lambda: workflow_set(
                session=session,
                git_url=values["git_url"],
                branch=values.get("branch") or DEFAULT_BRANCH,
                path=values.get("path"),
            )
        )

    @extend_schema(request=ModelSetSerializer, responses=SessionSerializer)
    def set_model(self, request: Any, pk: str) -> Response:
        """Choose the model of the next start."""
        session, values = self.get_object(), self.values(ModelSetSerializer)
        return self.written(lambda: session_update(session=session, changes={"llm_model": values["model"]}))

    @extend_schema(request=DisplayNameSerializer, responses=SessionReferenceSerializer)
    def rename(self, request: Any, pk: str) -> Response:
        """Change the session's name."""
        session, values = self.get_object(), self.values(DisplayNameSerializer)
        return Response(reference(session_update(session=session, changes={"name": values["name"]})))

    @extend_schema(responses=WorkflowMetadataSerializer)
    def workflow(self, request: Any, pk: str) -> Response:
        """The session's workflow as an object."""
        return Response(workflow_metadata(self.get_object()))

    @extend_schema(responses=SessionExportSerializer)
    def export(self, request: Any, pk: str) -> Response:
        """Which session this is, and when it was asked."""
        session = self.get_object()
        return Response(
            {"session": reference(session), "export_at": timezone.now(), "version": EXPORT_VERSION}
        )

    @extend_schema(responses={200: {"type": "array", "items": {"type": "object"}}})
    def pod_events(self, request: Any, pk: str) -> Response:
        """Events of the session's pod. Always empty so far: no runtime here makes pods yet."""
        self.get_object()
        return Response([])

    @extend_schema(request=None, responses={501: None})
    def oauth_url(self, request: Any, pk: str, provider: str) -> Response:
        """Where to sign in with a provider from inside a session: not offered (501)."""
        self.get_object()
        raise NotImplementedYet("Signing in with a provider from a session is not offered")
