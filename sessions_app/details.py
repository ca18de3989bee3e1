"""What operators read of one session, on its page and in the terminal: bounded, indexed queries."""

import json
from typing import Any

from django.db.models import CharField, QuerySet
from django.db.models.functions import Left, Length, Right

from ambient.common.formats import duration, shortened
from ambient.common.json_text import parsed
from projects_app.models import AuditEntry
from sessions_app.choices import ACTIVE_PHASES, FINAL_PHASES, Delivery
from sessions_app.models import Interrupt, Run, RunLog, Session, SessionEvent, SessionMessage

SHOWN = 15
EVENT_LENGTH = 2_000
LOG_PARSED_LENGTH = 1_000_000
LOG_EVENTS = 30


def conditions(session: Session) -> list[dict[str, Any]]:
    """The stored conditions; what others wrote in another form is left out."""
    entries = parsed(session.conditions)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def variable_names(session: Session) -> list[str]:
    """Names of the environment variables; the values may be secret and are not shown."""
    found = parsed(session.environment_variables)
    return sorted(found) if isinstance(found, dict) else []


def run_rows(session_id: str) -> QuerySet[Any, Any]:
    """Runs without the texts that may be long."""
    names = ("number", "id", "trigger", "actor", "state", "created_at", "started_at", "finished_at")
    rows = Run.objects.filter(session_id=session_id)
    return rows.values_list(*names, "error_code", "error_message", "model", named=True)


def message_rows(session_id: str) -> QuerySet[Any, Any]:
    """Messages with the beginning of their text."""
    rows = SessionMessage.objects.filter(session_id=session_id)
    names = ("seq", "id", "event_type", "created_at", "created_by", "delivery", "reason", "run")
    return rows.annotate(text=_beginning("payload")).values_list(*names, "text", named=True)


def event_rows(session_id: str) -> QuerySet[Any, Any]:
    """Stored events with their beginning."""
    rows = SessionEvent.objects.filter(session_id=session_id)
    return rows.annotate(text=_beginning("event")).values_list(
        "seq", "type", "run", "created_at", "text", named=True
    )


def log_rows(session_id: str) -> QuerySet[Any, Any]:
    """Finished runs' compacted events, without the events."""
    rows = RunLog.objects.filter(session_id=session_id)
    return rows.annotate(size=Length("events")).values_list(
        "last_seq", "first_seq", "run", "size", "created_at", named=True
    )


def history_rows(session_id: str) -> QuerySet[Any, Any]:
    """Every wish that was recorded, with who made it, the newest first."""
    return AuditEntry.objects.filter(object_id=session_id, kind="Session").order_by("-created_at", "-id")


def _beginning(column: str) -> Left:
    return Left(column, EVENT_LENGTH, output_field=CharField())


def log_tail(session_id: str) -> dict[str, Any] | None:
    """The end of the newest finished run's log: its last events; of a very long one the last characters."""
    newest = log_rows(session_id).order_by("-last_seq").first()
    if newest is None:
        return None
    row = RunLog.objects.filter(pk=newest.run)
    if newest.size > LOG_PARSED_LENGTH:
        text = row.annotate(tail=_tail()).values_list("tail", flat=True).get()
        return {"run": newest.run, "lines": [("", text)], "left_out": "only the last characters are shown"}
    events = json.loads(row.values_list("events", flat=True).get())
    lines = [(event.get("type", ""), shortened(_said(event), 300)) for event in events[-LOG_EVENTS:]]
    left_out = f"{len(events) - LOG_EVENTS} earlier events" if len(events) > LOG_EVENTS else ""
    return {"run": newest.run, "lines": lines, "left_out": left_out}


def _tail() -> Any:
    return Right("events", EVENT_LENGTH, output_field=CharField())


def _said(event: dict[str, Any]) -> str:
    """What an event says, without its type."""
    for name in ("delta", "content", "message", "toolCallName", "stepName"):
        if isinstance(event.get(name), str):
            return str(event[name])
    return json.dumps({name: value for name, value in event.items() if name != "type"})


def run_seconds(run: Any) -> str:
    """How long a run took; empty until its end."""
    if run.started_at is None or run.finished_at is None:
        return ""
    return duration((run.finished_at - run.started_at).total_seconds())


def failed_message(session: Session) -> str | None:
    """The newest message that can be sent again: its id."""
    newest = SessionMessage.objects.filter(
        session=session, event_type="user", delivery__in=(Delivery.FAILED, Delivery.CANCELLED)
    ).order_by("-seq")
    return newest.values_list("pk", flat=True).first()


def possible_actions(session: Session, *, retry: bool) -> list[tuple[str, str]]:
    """(name, label) of what the services would take now. They decide again when it is asked for."""
    if session.deleted_at is not None:
        return [("resync", "Resync")]
    found = []
    if session.phase is None or session.phase in FINAL_PHASES:
        found.append(("start", "Start"))
    if session.phase is None or session.phase in ACTIVE_PHASES:
        found.append(("stop", "Stop"))
    if retry:
        found.append(("retry", "Retry last message"))
    return [*found, ("resync", "Resync")]


def context_of(session: Session) -> dict[str, Any]:
    """Everything that the page shows beside the fields."""
    return {
        "conditions": [
            entry | {"since": str(entry.get("last_transition_time", ""))[:19].replace("T", " ")}
            for entry in conditions(session)
        ],
        "runs": list(run_rows(session.pk).order_by("-number")[:SHOWN]),
        "messages_shown": list(message_rows(session.pk).order_by("-seq")[:SHOWN]),
        "events": list(event_rows(session.pk).order_by("-seq")[:SHOWN]),
        "interrupts": list(
            Interrupt.objects.filter(session=session, state="open").order_by("created_at")[:SHOWN]
        ),
        "log": log_tail(session.pk),
        "history": list(history_rows(session.pk)[:SHOWN]),
    }
