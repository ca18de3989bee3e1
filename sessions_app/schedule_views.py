"""Schedules of one project, and the sessions that they started."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from ambient.common.exceptions import not_found
from ambient.common.permissions import crud
from projects_app.views.base import InProjectViewSet
from sessions_app.models import ScheduledSession, Session
from sessions_app.schedule_serializers import ScheduledSessionSerializer, ScheduleTriggerSerializer
from sessions_app.serializers import SessionSerializer
from sessions_app.services.schedules import (
    schedule_create,
    schedule_delete,
    schedule_trigger,
    schedule_update,
)
from sessions_app.views import NOT_LISTED


class ScheduledSessionViewSet(InProjectViewSet):
    """Schedules of one project. What may be done with sessions may be done with their schedules."""

    queryset = ScheduledSession.objects.select_related("project", "agent")
    serializer_class = ScheduledSessionSerializer
    action_permissions = crud("session") | {
        "suspend": "session:create",
        "resume": "session:create",
        "trigger": "session:create",
    }
    delete_is_idempotent = False

    def perform_create(self, values: dict[str, Any]) -> ScheduledSession:
        values["agent_id"] = values.get("agent_id") or None
        return schedule_create(actor=self.request.user.username, project=self.project, values=values)

    def perform_update(self, obj: ScheduledSession, values: dict[str, Any]) -> ScheduledSession:
        if "agent_id" in values:
            values["agent_id"] = values["agent_id"] or None
        return schedule_update(row=obj, changes=values)

    def perform_destroy(self, obj: ScheduledSession) -> None:
        schedule_delete(row=obj)

    @extend_schema(request=None, responses=ScheduledSessionSerializer)
    def suspend(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """No more starts by the clock."""
        return self.respond(schedule_update(row=self.get_object(), changes={"enabled": False}))

    @extend_schema(request=None, responses=ScheduledSessionSerializer)
    def resume(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Starts by the clock again, from now on; nothing is caught up."""
        return self.respond(schedule_update(row=self.get_object(), changes={"enabled": True}))

    @extend_schema(request=None, responses=ScheduleTriggerSerializer)
    def trigger(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Start a session now, also while suspended. 409 when the agent is gone or at work already."""
        session = schedule_trigger(row=self.get_object(), actor=request.user.username)
        return Response({"status": "triggered", "session_id": session.pk})


class ScheduledSessionRunsViewSet(InProjectViewSet):
    """Sessions that a schedule started, newest first."""

    queryset = Session.objects.all()
    serializer_class = SessionSerializer
    action_permissions = {"list": "session:read"}
    newest_first = True

    def authorize_list(self) -> None:
        pk = self.kwargs["schedule_id"]
        rows = ScheduledSession.objects.visible_to(self.request.user).filter(project_id=self.project.pk)
        if "\0" in pk or not rows.filter(pk=pk).exists():
            raise not_found("ScheduledSession", pk)

    def all_rows_unsafe(self) -> Any:
        return super().all_rows_unsafe().filter(schedule_id=self.kwargs["schedule_id"])

    def get_queryset(self) -> Any:
        return super().get_queryset().with_activity().defer(*NOT_LISTED)
