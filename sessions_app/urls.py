"""Routes of sessions and of starting agents, below /api/ambient/v1."""

from django.urls import URLPattern, URLResolver, include, path

from projects_app.urls import AGENT, action_path, crud_paths, merge_paths
from sessions_app.schedule_views import ScheduledSessionRunsViewSet, ScheduledSessionViewSet
from sessions_app.views import (
    AgentSessionsViewSet,
    AgentStartViewSet,
    ProjectHomeViewSet,
    SessionViewSet,
)

SCHEDULES = "projects/<str:project_id>/scheduled-sessions"

urlpatterns: list[URLPattern | URLResolver] = [
    *crud_paths("sessions", SessionViewSet, "session"),
    *merge_paths("sessions", SessionViewSet, "session"),
    action_path("sessions", SessionViewSet, "session", "access", "get"),
    path(
        "sessions/<str:pk>/start",
        SessionViewSet.as_view({"post": "start"}, basename="session"),
        name="session-start",
    ),
    path(
        "sessions/<str:pk>/stop",
        SessionViewSet.as_view({"post": "stop"}, basename="session"),
        name="session-stop",
    ),
    path(
        "sessions/<str:pk>/status",
        SessionViewSet.as_view({"patch": "status"}, basename="session"),
        name="session-status",
    ),
    path(
        f"{AGENT}/start",
        AgentStartViewSet.as_view({"post": "start", "get": "preview"}, basename="agent"),
        name="agent-start",
    ),
    path(
        f"{AGENT}/ignition",
        AgentStartViewSet.as_view({"get": "preview"}, basename="agent-ignition"),
        name="agent-ignition",
    ),
    path(
        f"{AGENT}/sessions",
        AgentSessionsViewSet.as_view({"get": "list"}, basename="agent-sessions"),
        name="agent-sessions",
    ),
    *crud_paths(SCHEDULES, ScheduledSessionViewSet, "scheduled-session"),
    *(
        action_path(SCHEDULES, ScheduledSessionViewSet, "scheduled-session", action)
        for action in ("suspend", "resume", "trigger")
    ),
    path(
        f"{SCHEDULES}/<str:schedule_id>/runs",
        ScheduledSessionRunsViewSet.as_view({"get": "list"}, basename="scheduled-session-runs"),
        name="scheduled-session-runs",
    ),
    path(
        "projects/<str:project_id>/home",
        ProjectHomeViewSet.as_view({"get": "home"}, basename="project"),
        name="project-home",
    ),
    path("", include("sessions_app.session_urls")),
]
