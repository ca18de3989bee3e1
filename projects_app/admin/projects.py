"""Projects, their settings and agents."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from ambient.common.admin.models import LiveFilter, ServiceAdmin
from projects_app.admin.access_page import LinksAccess
from projects_app.choices import Scope
from projects_app.models import Agent, Project, ProjectSettings, RowCount
from projects_app.serializers import AgentSerializer, ProjectSerializer, ProjectSettingsSerializer
from projects_app.services.agents import agent_create, agent_delete, agent_update
from projects_app.services.projects import (
    project_create,
    project_delete,
    project_settings_create,
    project_settings_delete,
    project_settings_update,
    project_update,
)

STAMPS = ("created_at", "updated_at", "deleted_at")


@admin.register(Project)
class ProjectAdmin(LinksAccess, ServiceAdmin):
    """Made here, a project belongs to whoever made it."""

    access_scope = Scope.PROJECT
    list_display = ("id", "description", "sessions", "agents", "created_at")
    list_filter = (LiveFilter,)
    search_fields = ("id__startswith",)
    search_help_text = "Name, from its beginning"
    ordering = ("-created_at", "-id")
    fields = ("id", "description", "prompt", "labels", "annotations", "status", *STAMPS)
    readonly_fields = ("status", *STAMPS)
    create_only = ("id",)
    wire = ProjectSerializer

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        response = super().changelist_view(request, extra_context)
        changelist = getattr(response, "context_data", {}).get("cl")
        if changelist is not None:  # one query for the counts of the page's projects
            counts: dict[str, dict[str, int]] = {}
            shown = [project.pk for project in changelist.result_list]
            rows = RowCount.objects.filter(kind__in=("session", "agent"), project__in=shown)
            for kind, project, count in rows.values_list("kind", "project", "rows"):
                counts.setdefault(project, {})[kind] = count
            for project in changelist.result_list:
                project.kept = counts.get(project.pk, {})
        return response

    @admin.display(description="Sessions")
    def sessions(self, obj: Any) -> str:
        url = reverse("admin:sessions_app_session_changelist")
        return format_html('<a href="{}?project={}">{}</a>', url, obj.pk, obj.kept.get("session", 0))

    @admin.display(description="Agents")
    def agents(self, obj: Any) -> str:
        url = reverse("admin:projects_app_agent_changelist")
        return format_html('<a href="{}?project={}">{}</a>', url, obj.pk, obj.kept.get("agent", 0))

    def checked(self, values: Any, *, partial: bool) -> dict[str, Any]:
        renamed = {"name" if name == "id" else name: value for name, value in values.items()}
        return super().checked(renamed, partial=partial)

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> Project:
        return project_create(actor=request.user.get_username(), values=values)

    def service_update(self, request: HttpRequest, obj: Project, changes: dict[str, Any]) -> Project:
        return project_update(project=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: Project) -> None:
        project_delete(project=obj)


@admin.register(ProjectSettings)
class ProjectSettingsAdmin(ServiceAdmin):
    """Defaults of one project."""

    list_display = ("project", "runner_type", "inactivity_timeout", "stop_on_run_finished", "created_at")
    list_filter = (LiveFilter,)
    search_fields = ("project__id__startswith",)
    ordering = ("-created_at", "-id")
    fields = (
        "project",
        "group_access",
        "repositories",
        "runner_type",
        "inactivity_timeout",
        "stop_on_run_finished",
        *STAMPS,
    )
    readonly_fields = STAMPS
    autocomplete_fields = ("project",)
    create_only = ("project",)
    wire = ProjectSettingsSerializer

    def checked(self, values: Any, *, partial: bool) -> dict[str, Any]:
        ids = {"project_id": values["project"].pk} if "project" in values else {}
        rest = {name: value for name, value in values.items() if name != "project"}
        return super().checked(rest | ids, partial=partial)

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> ProjectSettings:
        project = Project.objects.get(pk=values.pop("project_id"))
        return project_settings_create(actor=request.user, project=project, values=values)

    def service_update(
        self, request: HttpRequest, obj: ProjectSettings, changes: dict[str, Any]
    ) -> ProjectSettings:
        return project_settings_update(actor=request.user, row=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: ProjectSettings) -> None:
        project_settings_delete(actor=request.user, row=obj)


@admin.register(Agent)
class AgentAdmin(LinksAccess, ServiceAdmin):
    """Named roles that sessions are started from."""

    access_scope = Scope.AGENT
    list_display = ("name", "project_id", "runner_type", "llm_model", "owner_user_id", "created_at")
    list_filter = (LiveFilter,)
    search_fields = ("id__startswith", "name__startswith")
    search_help_text = "Name or id, from its beginning"
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("project", "parent_agent")
    create_only = ("project", "parent_agent", "owner_user_id", "workflow_id")
    readonly_fields = ("id", "current_session_id", *STAMPS)
    fieldsets = (
        (None, {"fields": ("project", "name", "display_name", "description", "prompt", "system_prompt")}),
        ("Belongs to", {"fields": ("id", "owner_user_id", "parent_agent", "current_session_id")}),
        (
            "Model and runner",
            {
                "fields": (
                    "llm_model",
                    "llm_temperature",
                    "llm_max_tokens",
                    "runner_type",
                    "inactivity_timeout",
                    "stop_on_run_finished",
                    "repo_url",
                    "workflow_id",
                    "bot_account_name",
                    "allowed_tools",
                    "mcp_servers",
                    "resource_overrides",
                    "environment_variables",
                )
            },
        ),
        ("Labels and times", {"fields": ("labels", "annotations", *STAMPS)}),
    )
    wire = AgentSerializer

    def checked(self, values: Any, *, partial: bool) -> dict[str, Any]:
        ids = {f"{name}_id": values[name].pk for name in ("project", "parent_agent") if values.get(name)}
        rest = {name: value for name, value in values.items() if name not in ("project", "parent_agent")}
        return super().checked(rest | ids, partial=partial)

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> Agent:
        project = Project.objects.get(pk=values.pop("project_id"))
        return agent_create(actor=request.user.get_username(), project=project, values=values)

    def service_update(self, request: HttpRequest, obj: Agent, changes: dict[str, Any]) -> Agent:
        return agent_update(agent=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: Agent) -> None:
        agent_delete(agent=obj)
