"""Answers of people to what an agent asks: an interrupt is answered once, and its run goes on once.

Locks are taken in the order Session, Run, Interrupt (docs/architecture.md).
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from ambient.common import hints
from ambient.common.database import database_now, transactional
from ambient.common.exceptions import Conflict, InvalidField, not_found
from ambient.common.ksuid import ksuid
from sessions_app.choices import (
    FINAL_PHASES,
    DesiredState,
    InterruptKind,
    InterruptState,
    Phase,
    RunState,
    Trigger,
)
from sessions_app.models import Interrupt, Run, Session
from sessions_app.services.answers import check_payload
from sessions_app.services.messages import next_run_number
from sessions_app.services.sessions import lock_session, wish_to_run

RESOLVED = "resolved"
CANCELLED = "cancelled"
STATUSES = (RESOLVED, CANCELLED)
NO_PAYLOAD = object()
ANSWER_BYTES = 256 * 1024
EXPIRE_AT_ONCE = 100


def lock_wanted_session(pk: str) -> Session:
    """The session's row, locked; Conflict when it is to be deleted."""
    session = lock_session(pk)
    if session.desired_state == DesiredState.DELETED:
        raise Conflict("the session is being deleted")
    return session


def ensure_wanted(session: Session) -> None:
    """A message or an answer to a session that is not wanted running is the wish to start it."""
    if session.phase in FINAL_PHASES:
        wish_to_run(session)
    elif session.desired_state != DesiredState.RUNNING:
        session.desired_state = DesiredState.RUNNING
        session.generation += 1
        session.restarts = 0
        session.save(update_fields=["desired_state", "generation", "restarts", "updated_at"])
    if session.phase == Phase.RUNNING:
        hints.publish_on_commit(hints.WORK, session.pk)


def answer_text(status: str, payload: Any = NO_PAYLOAD) -> str:
    """The stored form of an answer. Raises InvalidField."""
    if status not in STATUSES:
        raise InvalidField(f"status must be {' or '.join(STATUSES)}")
    value = {"status": status} if payload is NO_PAYLOAD else {"status": status, "payload": payload}
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if len(text.encode()) > ANSWER_BYTES:
        raise InvalidField(f"an answer may have at most {ANSWER_BYTES} bytes")
    return text


@transactional
def interrupt_answer(
    *, session: Session, interrupt_id: str, actor: str, status: str, payload: Any = NO_PAYLOAD
) -> Interrupt:
    """Record a person's answer; with the last open one of its run, the run goes on.

    `interrupt_id` is the row's id or the agent's own. Raises InvalidField for an answer that does not fit
    what is asked; Conflict with who and when for one that was answered by somebody else, has expired, or
    whose run goes on already with another answer.
    """
    session = lock_wanted_session(session.pk)
    found = _find(session, interrupt_id)
    list(Run.objects.select_for_update(no_key=True).filter(pk=found.run).values_list("pk"))
    record_answer(found, actor, status, payload)
    resume_when_answered(session, found.run, actor=actor)
    found.refresh_from_db()
    return found


def _find(session: Session, interrupt_id: str) -> Interrupt:
    rows = Interrupt.objects.filter(session=session)
    found = rows.filter(pk=interrupt_id).first()
    if found is None:
        found = rows.filter(interrupt_id=interrupt_id).order_by("-created_at").first()
    if found is None:
        raise not_found("Interrupt", interrupt_id)
    return found


def record_answer(found: Interrupt, actor: str, status: str, payload: Any = NO_PAYLOAD) -> None:
    """Compare-and-set of one answer; a person may change their own while the run has not gone on."""
    text = answer_text(status, payload)
    if status == RESOLVED:
        if payload is NO_PAYLOAD and found.response_schema is not None:
            raise InvalidField("payload must be set: the agent waits for an answer (see response_schema)")
        if payload is not NO_PAYLOAD:
            check_payload(found.response_schema, payload)
    now = database_now()
    state = InterruptState.CANCELLED if status == CANCELLED else InterruptState.ANSWERED
    values = {"state": state, "answer": text, "answered_by": actor, "answered_at": now}
    open_row = Interrupt.objects.filter(pk=found.pk, state=InterruptState.OPEN, expires_at__gt=now)
    if open_row.update(**values):
        return
    found.refresh_from_db()
    if found.state == InterruptState.OPEN or found.state == InterruptState.EXPIRED:
        raise Conflict(f"this expired at {found.expires_at.isoformat()}")
    if found.answered_by != actor:
        when = found.answered_at.isoformat() if found.answered_at else "an unknown time"
        raise Conflict(f"this was answered by {found.answered_by} at {when}")
    if found.answer == text:
        return
    resumed = Run.objects.filter(resumes=found.run).exclude(state=RunState.QUEUED).exists()
    if resumed:
        raise Conflict("the run went on with your first answer already")
    Interrupt.objects.filter(pk=found.pk).update(**values)


def resume_when_answered(
    session: Session,
    run_id: str,
    *,
    actor: str | None,
    trigger: Trigger = Trigger.ANSWER,
    new_run_id: str | None = None,
    message_id: str | None = None,
    run_input: Mapping[str, Any] | None = None,
) -> Run | None:
    """When nothing of the run is open any more, one Run that resumes it. The caller holds the row locks."""
    if Interrupt.objects.filter(run=run_id, state=InterruptState.OPEN).exists():
        return None
    known = Run.objects.filter(resumes=run_id).first()
    if known is not None:
        return known
    ensure_wanted(session)
    run = Run.objects.create(
        id=new_run_id or ksuid(),
        session=session,
        number=next_run_number(session),
        trigger=trigger,
        actor=actor,
        message_id=message_id,
        input=json.dumps(dict(run_input or {})),
        resumes=run_id,
        state=RunState.QUEUED,
    )
    hints.publish_on_commit(hints.WORK, session.pk)
    return run


def open_interrupts(session: Session) -> list[Interrupt]:
    """What a person is asked for right now, oldest first."""
    rows = Interrupt.objects.filter(session=session, state=InterruptState.OPEN)
    return list(rows.order_by("created_at", "id"))


def answer_of_text(interrupt: Interrupt, text: str) -> Any:
    """The payload that a plain message is for a free-text question; NO_PAYLOAD when it is none."""
    if interrupt.kind != InterruptKind.QUESTION:
        return NO_PAYLOAD
    schema = json.loads(interrupt.response_schema) if interrupt.response_schema else {}
    if not isinstance(schema, dict) or schema.get("type") in (None, "string") and "enum" not in schema:
        return NO_PAYLOAD if isinstance(schema, dict) and schema.get("properties") else text
    properties = schema.get("properties")
    if schema.get("type") != "object" or not isinstance(properties, dict) or not properties:
        return NO_PAYLOAD
    required = schema.get("required") or list(properties)
    if not isinstance(required, list) or len(required) != 1 or required[0] not in list(properties):
        return NO_PAYLOAD
    field = properties[required[0]]
    if not isinstance(field, dict) or field.get("type") != "string" or "enum" in field:
        return NO_PAYLOAD
    return {required[0]: text}


def interrupts_expire() -> int:
    """Close what nobody answered in time; a session that still runs goes on and hears of it."""
    due = Interrupt.objects.filter(state=InterruptState.OPEN, expires_at__lte=database_now())
    rows = list(due.order_by("expires_at").values_list("pk", "session_id", "run")[:EXPIRE_AT_ONCE])
    return sum(_expire(pk, session_id, run) for pk, session_id, run in rows)


@transactional
def _expire(pk: str, session_id: str, run_id: str) -> int:
    session = Session.objects.select_for_update(no_key=True).filter(pk=session_id).first()
    list(Run.objects.select_for_update(no_key=True).filter(pk=run_id).values_list("pk"))
    changed = Interrupt.objects.filter(Q(pk=pk), state=InterruptState.OPEN).update(
        state=InterruptState.EXPIRED, answer=answer_text(CANCELLED), answered_at=database_now()
    )
    wanted = (
        session is not None
        and session.deleted_at is None
        and session.desired_state == DesiredState.RUNNING
        and session.phase not in FINAL_PHASES
    )
    if changed and wanted and session is not None:
        resume_when_answered(session, run_id, actor=None)
    return int(changed)
