"""Everything about one session, for support. No secret is in it."""

from typing import Any

from django.db.models import Max

from ambient.common.formats import shortened
from reconciler.models import WorkItem
from sessions_app import details
from sessions_app.models import Interrupt, Session, SessionStream
from sessions_app.models.session import SPEC_FIELDS

SECRET = ("runner_secret", "environment_variables", "labels_index", "annotations_index")
"""Columns that are left out: sealed, perhaps secret, or said already."""
TEXTS = ("prompt", "system_prompt", "mcp_servers", "conditions")
SHOWN = 20
CUT = frozenset({"interrupts", "runs", "messages", "events", "logs", "history"})
"""Of these at most `SHOWN` are told, the newest."""
TEXT_LENGTH = 200


def session_report(session: Session) -> dict[str, Any]:
    """What is known of a session, as plain values; of what there may be much, the newest."""
    fields = {
        field.attname: getattr(session, field.attname)
        for field in Session._meta.concrete_fields
        if field.name not in (*SECRET, *TEXTS)
    }
    groups = {
        "spec": {name: fields.pop(name) for name in SPEC_FIELDS if name in fields},
        "status": fields,
    }
    groups["spec"]["prompt"] = shortened(session.prompt, TEXT_LENGTH) or None
    groups["spec"]["environment_variables"] = details.variable_names(session)
    return groups | {
        "conditions": details.conditions(session),
        "work": WorkItem.objects.filter(kind="session", key=session.pk).values().first(),
        "stream": _stream(session.pk),
        "interrupts": _interrupts(session.pk),
        "runs": _rows(details.run_rows(session.pk), "-number"),
        "messages": _rows(details.message_rows(session.pk), "-seq"),
        "events": _rows(details.event_rows(session.pk), "-seq"),
        "logs": _rows(details.log_rows(session.pk), "-last_seq"),
        "history": _history(session.pk),
    }


def _rows(rows: Any, order: str) -> list[dict[str, Any]]:
    found = [row._asdict() for row in rows.order_by(order)[:SHOWN]]
    for row in found:
        if "text" in row:
            row["text"] = shortened(row["text"], TEXT_LENGTH)
    return found[::-1]


def _stream(session_id: str) -> dict[str, Any] | None:
    head = SessionStream.objects.filter(pk=session_id).values().first()
    if head is None:
        return None
    stored = details.event_rows(session_id).aggregate(newest=Max("seq"))["newest"]
    return head | {"newest_stored_seq": stored}


def _interrupts(session_id: str) -> list[dict[str, Any]]:
    rows = Interrupt.objects.filter(session_id=session_id).order_by("-created_at")
    names = ("interrupt_id", "kind", "state", "created_at", "expires_at", "answered_by", "answered_at")
    return list(rows.values(*names)[:SHOWN])[::-1]


def _history(session_id: str) -> list[dict[str, Any]]:
    return [
        {
            "at": row.created_at,
            "what": row.action,
            "changed": sorted(row.after or {}) if row.before else [],
            "desired_state": (row.after or {}).get("desired_state"),
            "generation": (row.after or {}).get("generation"),
            "user": row.actor,
            "via": row.via,
            "request_id": row.request_id,
        }
        for row in details.history_rows(session_id)[:SHOWN]
    ][::-1]
