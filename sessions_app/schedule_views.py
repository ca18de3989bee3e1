"""Schedules of one project, and the sessions that they started."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from ambient.common.deep_pages import NEWEST_FIRST
from ambient.common.exceptions import InvalidField, not_found
from ambient.common.permissions import crud
from projects_app.models import Agent
from projects_app.views.base import InProjectViewSet
from sessions_app.models import ScheduledSession, Session
from sessions_app.schedule_serializers import ScheduledSessionSerializer, ScheduleTriggerSerializer
from sessions_app.serializers import SessionSerializer
from sessions_app.services.schedules import (
    NO_AGENT,
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
        self.check_agent(values)
        return schedule_create(actor=self.request.user.username, project=self.project, values=values)

    def perform_update(self, obj: ScheduledSession, values: dict[str, Any]) -> ScheduledSession:
        self.check_agent(values)
        return schedule_update(row=obj, changes=values)

    def check_agent(self, values: dict[str, Any]) -> None:
        """An empty agent is none; another must be one that the caller sees."""
        if "agent_id" in values:
            pk = values["agent_id"] = values["agent_id"] or None
            if pk and not Agent.objects.visible_to(self.request.user).filter(pk=pk).exists():
                raise InvalidField(NO_AGENT)

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
    def trigger(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Start a session now, also while suspended. 409 when the agent is gone or at work already."""
        row = self.get_object()
        if row.agent is not None:  # a schedule is no way around the right to start its agent
            self.authorize_object("agent:start", row.agent)

        def started() -> Response:
            session = schedule_trigger(row=row, actor=request.user.username)
            return Response({"status": "triggered", "session_id": session.pk})

        return self.once(started, status=200)


class ScheduledSessionRunsViewSet(InProjectViewSet):
    """Sessions that a schedule started, newest first."""

    queryset = Session.objects.all()
    serializer_class = SessionSerializer
    action_permissions = {"list": "session:read"}
    default_order = NEWEST_FIRST

    def authorize_list(self) -> None:
        pk = self.kwargs["schedule_id"]
        rows = ScheduledSession.objects.visible_to(self.request.user).filter(project_id=self.project.pk)
        if "\0" in pk or not rows.filter(pk=pk).exists():
            raise not_found("ScheduledSession", pk)

    def all_rows_unsafe(self) -> Any:
        return super().all_rows_unsafe().filter(schedule_id=self.kwargs["schedule_id"])

    def get_queryset(self) -> Any:
        return super().get_queryset().with_activity().defer(*NOT_LISTED)
