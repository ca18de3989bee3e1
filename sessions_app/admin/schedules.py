"""Schedules: when sessions are wanted again and again."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from ambient.common.admin.models import LiveFilter, ServiceAdmin
from ambient.common.exceptions import ApplicationError
from projects_app.models import Project
from sessions_app.models import ScheduledSession
from sessions_app.schedule_serializers import ScheduledSessionSerializer
from sessions_app.services.schedules import (
    schedule_create,
    schedule_delete,
    schedule_trigger,
    schedule_update,
)

STAMPS = ("created_by_user_id", "last_run_at", "due", "created_at", "updated_at", "deleted_at")


@admin.register(ScheduledSession)
class ScheduledSessionAdmin(ServiceAdmin):
    """Firing by the clock is not built yet; "Start now" starts one."""

    list_display = ("name", "project_id", "schedule", "timezone", "enabled", "due", "last_run_at")
    list_filter = (LiveFilter, "enabled")
    search_fields = ("id__startswith", "name__startswith", "project__id__startswith")
    search_help_text = "Name, id or project, from its beginning"
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("project", "agent")
    create_only = ("project",)
    actions = ("start_now", "suspend", "resume")
    fields = (
        "project",
        "name",
        "description",
        "schedule",
        "timezone",
        "enabled",
        "agent",
        "session_prompt",
        "timeout",
        "inactivity_timeout",
        "stop_on_run_finished",
        "runner_type",
        *STAMPS,
    )
    readonly_fields = STAMPS
    wire = ScheduledSessionSerializer

    @display(description="Due next")
    def due(self, obj: ScheduledSession) -> Any:
        return None if obj._state.adding or obj.deleted_at is not None else obj.upcoming_run_at

    def checked(self, values: Any, *, partial: bool) -> dict[str, Any]:
        """Objects become ids; an agent that was taken away is unset."""
        rest = {name: value for name, value in values.items() if name not in ("project", "agent")}
        agent = {"agent_id": values["agent"].pk} if values.get("agent") else {}
        cleared = {"agent_id": None} if "agent" in values and not agent else {}
        project = {"project": values["project"]} if values.get("project") else {}
        return super().checked(rest | agent, partial=partial) | cleared | project

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> ScheduledSession:
        project: Project = values.pop("project")
        return schedule_create(actor=request.user.get_username(), project=project, values=values)

    def service_update(
        self, request: HttpRequest, obj: ScheduledSession, changes: dict[str, Any]
    ) -> ScheduledSession:
        return schedule_update(row=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: ScheduledSession) -> None:
        schedule_delete(row=obj)

    @admin.action(description="Start now", permissions=["change"])
    def start_now(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            try:
                session = schedule_trigger(row=row, actor=request.user.get_username())
            except ApplicationError as exc:  # said per row: the others are started
                self.message_user(request, f"{row}: {exc.reason}", "ERROR")
            else:
                self.message_user(request, f"{row}: started {session.name}")

    @admin.action(description="Suspend", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            schedule_update(row=row, changes={"enabled": False})

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            schedule_update(row=row, changes={"enabled": True})
