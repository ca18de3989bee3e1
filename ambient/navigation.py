"""The admin's sidebar: what operators look for first comes first; nobody sees what they may not open."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Operate",
        (
            ("Sessions", "terminal", "sessions_app.session"),
            ("Schedules", "schedule", "sessions_app.scheduledsession"),
            ("Work items", "pending_actions", "reconciler.workitem"),
            ("Limits", "speed", "reconciler.limit"),
        ),
    ),
    (
        "Projects",
        (
            ("Projects", "folder", "projects_app.project"),
            ("Project settings", "tune", "projects_app.projectsettings"),
            ("Agents", "smart_toy", "projects_app.agent"),
            ("Credentials", "lock", "projects_app.credential"),
            ("Applications", "deployed_code", "projects_app.application"),
        ),
    ),
    (
        "Access",
        (
            ("Users", "person", "projects_app.user"),
            ("Identities", "fingerprint", "projects_app.externalidentity"),
            ("Groups", "group", "auth.group"),
            ("Roles", "badge", "projects_app.role"),
            ("Role bindings", "link", "projects_app.rolebinding"),
            ("API keys", "key", "projects_app.apikey"),
            ("Audit log", "history", "projects_app.auditentry"),
        ),
    ),
)


def _may_view(label: str) -> Callable[[HttpRequest], bool]:
    app, model = label.split(".")
    return lambda request: any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links for the theme, by the viewer's permissions."""
    first = {"title": "Dashboard", "icon": "monitoring", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [first]}]
    for title, entries in GROUPS:
        items = [
            {
                "title": name,
                "icon": icon,
                "link": reverse(f"admin:{label.replace('.', '_')}_changelist"),
            }
            for name, icon, label in entries
            if _may_view(label)(request)
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups
