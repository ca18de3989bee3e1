"""Read-only pages of one session's rows, by key: as fast at the millionth row as at the first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ambient.common.admin.paging import NEWER, OLDER, KeysetPage
from sessions_app import details
from sessions_app.models import Session

PAGE_SIZE = 100
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Rows:
    """One kind of rows: where they come from, their key, what is shown."""

    title: str
    rows: Callable[[str], QuerySet[Any, Any]]
    key: str
    cells: tuple[tuple[str, str], ...]  # heading, attribute
    permission: str
    text: str | None = None


PAGES = {
    "events": Rows(
        "Events",
        details.event_rows,
        "seq",
        (("Seq", "seq"), ("Type", "type"), ("Run", "run"), ("Stored", "created_at")),
        "sessions_app.view_sessionevent",
        "text",
    ),
    "messages": Rows(
        "Messages",
        details.message_rows,
        "seq",
        (
            ("Seq", "seq"),
            ("Type", "event_type"),
            ("By", "created_by"),
            ("Delivery", "delivery"),
            ("Reason", "reason"),
            ("Stored", "created_at"),
        ),
        "sessions_app.view_sessionmessage",
        "text",
    ),
    "runs": Rows(
        "Runs",
        details.run_rows,
        "number",
        (
            ("Number", "number"),
            ("State", "state"),
            ("Trigger", "trigger"),
            ("By", "actor"),
            ("Created", "created_at"),
            ("Finished", "finished_at"),
            ("Error", "error_code"),
            ("Message", "error_message"),
        ),
        "sessions_app.view_run",
    ),
    "logs": Rows(
        "Logs of finished runs",
        details.log_rows,
        "last_seq",
        (
            ("First seq", "first_seq"),
            ("Last seq", "last_seq"),
            ("Run", "run"),
            ("Characters", "size"),
            ("Stored", "created_at"),
        ),
        "sessions_app.view_runlog",
    ),
}


def _number(request: HttpRequest, name: str) -> tuple[int] | None:
    text = request.GET.get(name, "")
    return (int(text),) if text.isascii() and text.isdigit() and int(text) <= LARGEST else None


def rows_page(request: HttpRequest, model_admin: Any, pk: str, kind: str) -> HttpResponse:
    """One page of a session's events, messages, runs or logs."""
    page = PAGES[kind]
    session = Session.objects.filter(pk=pk.replace("\0", "")).only("id", "name", "project_id").first()
    if session is None:
        raise Http404
    if not (model_admin.has_view_permission(request, session) and may_view(request, page.permission)):
        raise PermissionDenied
    found = KeysetPage(
        page.rows(session.pk),
        (page.key,),
        PAGE_SIZE,
        older_than=_number(request, OLDER),
        newer_than=_number(request, NEWER),
    )
    table = [
        {
            "cells": [getattr(row, name) for _, name in page.cells],
            "text": getattr(row, page.text) if page.text else None,
        }
        for row in found.rows
    ]
    context = model_admin.admin_site.each_context(request) | {
        "title": f"{page.title} of {session.name}",
        "opts": model_admin.opts,
        "session": session,
        "headings": [heading for heading, _ in page.cells],
        "with_text": page.text is not None,
        "table": table,
        "links": found.links(request, page.key),
        "other_pages": [
            (name, other.title) for name, other in PAGES.items() if may_view(request, other.permission)
        ],
        "kind": kind,
    }
    return TemplateResponse(request, "ambient/admin/session_rows.html", context)


def may_view(request: HttpRequest, permission: str) -> bool:
    """Conversations are a permission of their own: who may see sessions need not read them."""
    return request.user.has_perm(permission)
