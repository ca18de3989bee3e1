"""Routes of projects, agents, people and roles, below /api/ambient/v1."""

from typing import Any

from django.urls import URLPattern, path

from ambient.common.viewsets import ScopedViewSet
from projects_app.views.access import AccessCheckViewSet
from projects_app.views.agents import AgentRoleBindingsViewSet, AgentViewSet, InboxMessageViewSet
from projects_app.views.api_keys import ApiKeyViewSet
from projects_app.views.applications import ApplicationViewSet
from projects_app.views.audit import AuditViewSet
from projects_app.views.credentials import CredentialViewSet, ProjectCredentialViewSet
from projects_app.views.people import RoleBindingViewSet, RoleViewSet, UserViewSet
from projects_app.views.projects import ProjectSettingsViewSet, ProjectViewSet

LIST: dict[str, Any] = {"get": "list", "post": "create"}
DETAIL: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}


def crud_paths(prefix: str, viewset: type[ScopedViewSet], name: str) -> list[URLPattern]:
    """List and detail of one kind; a trailing slash is taken off by the middleware."""
    return [
        path(prefix, viewset.as_view(LIST, basename=name), name=f"{name}-list"),
        path(f"{prefix}/<str:pk>", viewset.as_view(DETAIL, basename=name), name=f"{name}-detail"),
    ]


def merge_paths(prefix: str, viewset: Any, name: str) -> list[URLPattern]:
    """Merging of single labels and annotations, for viewsets with `MergesLabels`."""
    return [
        path(
            f"{prefix}/<str:pk>/{field}",
            viewset.as_view({"patch": f"merge_{field}"}, basename=name),
            name=f"{name}-{field}",
        )
        for field in ("labels", "annotations")
    ]


AGENTS = "projects/<str:project_id>/agents"
AGENT = f"{AGENTS}/<str:agent_id>"

PROJECT_CREDENTIALS = "projects/<str:project_id>/credentials"


def action_path(prefix: str, viewset: Any, name: str, action: str, method: str = "post") -> URLPattern:
    """One more route of one object, with the action's name as its last part."""
    view = viewset.as_view({method: action}, basename=name)
    return path(f"{prefix}/<str:pk>/{action}", view, name=f"{name}-{action}")


KEY: dict[str, Any] = {"get": "retrieve", "delete": "destroy"}

urlpatterns = [
    path("api_keys", ApiKeyViewSet.as_view(LIST, basename="api_key"), name="api-key-list"),
    path("api_keys/<str:pk>", ApiKeyViewSet.as_view(KEY, basename="api_key"), name="api-key-detail"),
    *crud_paths("projects", ProjectViewSet, "project"),
    *crud_paths("project_settings", ProjectSettingsViewSet, "project-settings"),
    *crud_paths("users", UserViewSet, "user"),
    *crud_paths("roles", RoleViewSet, "role"),
    *crud_paths("role_bindings", RoleBindingViewSet, "role-binding"),
    *crud_paths(AGENTS, AgentViewSet, "agent"),
    *crud_paths("credentials", CredentialViewSet, "credential"),
    *merge_paths("credentials", CredentialViewSet, "credential"),
    action_path("credentials", CredentialViewSet, "credential", "token", "get"),
    action_path("credentials", CredentialViewSet, "credential", "test"),
    *crud_paths(PROJECT_CREDENTIALS, ProjectCredentialViewSet, "project-credential"),
    *merge_paths(PROJECT_CREDENTIALS, ProjectCredentialViewSet, "project-credential"),
    action_path(PROJECT_CREDENTIALS, ProjectCredentialViewSet, "project-credential", "token", "get"),
    path("audit", AuditViewSet.as_view({"get": "list"}, basename="audit"), name="audit-list"),
    path("audit/export", AuditViewSet.as_view({"get": "export"}, basename="audit"), name="audit-export"),
    action_path(PROJECT_CREDENTIALS, ProjectCredentialViewSet, "project-credential", "test"),
    *crud_paths("applications", ApplicationViewSet, "application"),
    *merge_paths("applications", ApplicationViewSet, "application"),
    action_path("applications", ApplicationViewSet, "application", "sync"),
    action_path("applications", ApplicationViewSet, "application", "refresh"),
    action_path("applications", ApplicationViewSet, "application", "status", "get"),
    *merge_paths("projects", ProjectViewSet, "project"),
    action_path("projects", ProjectViewSet, "project", "access", "get"),
    action_path(AGENTS, AgentViewSet, "agent", "access", "get"),
    action_path("credentials", CredentialViewSet, "credential", "access", "get"),
    path(
        "access/check",
        AccessCheckViewSet.as_view({"post": "check"}, basename="access"),
        name="access-check",
    ),
    *merge_paths(AGENTS, AgentViewSet, "agent"),
    *crud_paths(f"{AGENT}/inbox", InboxMessageViewSet, "inbox-message"),
    path(
        f"{AGENT}/role_bindings",
        AgentRoleBindingsViewSet.as_view({"get": "list"}, basename="agent-role-bindings"),
        name="agent-role-bindings",
    ),
]
