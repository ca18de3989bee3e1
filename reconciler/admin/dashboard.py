"""The first page: what the platform is doing, what fails, what is stuck. Each part by its own permission."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from ambient.common.formats import age
from reconciler import overview


def item_link(item: overview.Item) -> str:
    """Where an item's object is looked at."""
    if item.kind == "session":
        return reverse("admin:sessions_app_session_change", args=[item.key])
    if item.kind == "project":
        return reverse("admin:projects_app_project_change", args=[item.key])
    return reverse("admin:reconciler_workitem_change", args=[item.id])


def _shown(items: list[overview.Item]) -> list[dict[str, Any]]:
    return [
        {
            "item": item,
            "link": item_link(item),
            "since": age(item.due_at, item.now) if item.due_at <= item.now else "",
            "next": age(item.now, item.due_at) if item.due_at > item.now else "now",
            "asked": age(item.requested_at, item.now),
        }
        for item in items
    ]


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """For the theme's DASHBOARD_CALLBACK. At most seven queries, whatever the number of rows."""
    may = request.user.has_perm
    parts: dict[str, Any] = {"title": "Dashboard"}
    if may("sessions_app.view_session"):
        total = overview.session_total()
        parts |= {
            "total": total,
            "phases": overview.sessions_by_phase(total),
            "failures": overview.failures_by_reason(),
        }
    if may("reconciler.view_workitem"):
        parts |= {"due": _shown(overview.due_items()), "retrying": _shown(overview.retrying_items())}
    if may("sessions_app.view_sessionstream"):
        parts["streams"] = overview.streams_per_process()
    return context | parts
