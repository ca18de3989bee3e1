"""What people do with messages: send, edit, cancel, try again. Each locks the session's row first."""

import json
from collections.abc import Mapping
from typing import Any

from ambient.common import hints
from ambient.common.database import database_now, transactional
from ambient.common.exceptions import Conflict, not_found
from ambient.common.ksuid import ksuid
from sessions_app.choices import Delivery, DeliveryReason, RunState, Trigger
from sessions_app.models import Interrupt, Run, Session, SessionMessage
from sessions_app.services.interrupts import (
    NO_PAYLOAD,
    RESOLVED,
    answer_of_text,
    ensure_wanted,
    lock_wanted_session,
    open_interrupts,
    record_answer,
    resume_when_answered,
)
from sessions_app.services.messages import (
    check_text,
    message_store,
    message_store_and_queue,
    next_run_number,
)


@transactional
def message_send(
    *,
    session: Session,
    actor: str,
    text: str,
    trigger: Trigger = Trigger.MESSAGE,
    client_id: str | None = None,
    run_id: str | None = None,
    run_input: Mapping[str, Any] | None = None,
) -> SessionMessage:
    """Store a person's message: it becomes a run, or the answer to the one question that is open.

    The same client id again is the same message. Raises Conflict when it was another's or has another text,
    and on a session that is being deleted.
    """
    check_text(text)
    session = lock_wanted_session(session.pk)
    known = _known(session, actor, text, client_id)
    if known is not None:
        return known
    if run_id is not None and Run.objects.filter(pk=run_id).exists():
        raise Conflict(f"the run id {run_id} is taken")
    ensure_wanted(session)
    waiting = open_interrupts(session)
    if len(waiting) == 1 and trigger == Trigger.MESSAGE:
        payload = answer_of_text(waiting[0], text)
        if payload is not NO_PAYLOAD:
            return _answer(session, waiting[0], actor, text, payload, client_id)
    return message_store_and_queue(
        session=session,
        actor=actor,
        text=text,
        trigger=trigger,
        run_id=run_id,
        client_id=client_id,
        run_input=run_input,
        reason=DeliveryReason.WAITS_FOR_ANSWER if waiting else None,
    )


def _known(session: Session, actor: str, text: str, client_id: str | None) -> SessionMessage | None:
    if client_id is None:
        return None
    found = SessionMessage.objects.filter(session=session, client_id=client_id).first()
    if found is not None and (found.created_by != actor or found.payload != text):
        raise Conflict("this client_id was used for another message")
    return found


def _answer(
    session: Session,
    interrupt: Interrupt,
    actor: str,
    text: str,
    payload: Any,
    client_id: str | None,
) -> SessionMessage:
    """A plain message that answers the one open free-text question: its run is the resumed one."""
    list(Run.objects.select_for_update(no_key=True).filter(pk=interrupt.run).values_list("pk"))
    record_answer(interrupt, actor, RESOLVED, payload)
    message_id = ksuid()
    run = resume_when_answered(session, interrupt.run, actor=actor, message_id=message_id)
    if run is None:
        raise Conflict("another question is open")
    return message_store(
        session=session,
        message_id=message_id,
        actor=actor,
        text=text,
        client_id=client_id,
        run_id=run.pk,
        delivery=Delivery.QUEUED,
    )


def _message(session: Session, message_id: str) -> SessionMessage:
    found = SessionMessage.objects.filter(session=session, pk=message_id, event_type="user").first()
    if found is None:
        raise not_found("SessionMessage", message_id)
    return found


@transactional
def message_edit(*, session: Session, message_id: str, text: str) -> SessionMessage:
    """Change the text of a message that is still queued; later it is Conflict."""
    check_text(text)
    session = lock_wanted_session(session.pk)
    message = _message(session, message_id)
    if Run.objects.filter(pk=message.run, resumes__isnull=False).exists():
        raise Conflict("this message answers a question; change the answer instead")
    changed = SessionMessage.objects.filter(pk=message.pk, delivery=Delivery.QUEUED).update(payload=text)
    if not changed:
        message.refresh_from_db(fields=["delivery"])
        raise Conflict(f"the message is {message.delivery or 'stored'} and can change no more")
    message.payload = text
    return message


@transactional
def message_cancel(*, session: Session, message_id: str) -> SessionMessage:
    """Take a queued message back; later it is Conflict (interrupt the run instead)."""
    session = lock_wanted_session(session.pk)
    message = _message(session, message_id)
    if message.delivery == Delivery.CANCELLED:
        return message
    run = Run.objects.select_for_update(no_key=True).filter(pk=message.run).first()
    if run is not None and run.resumes is not None:
        raise Conflict("this message answers a question and cannot be taken back")
    if run is None or run.state != RunState.QUEUED:
        raise Conflict(f"the message is {message.delivery or 'stored'}; interrupt its run instead")
    run.state = RunState.CANCELLED
    run.error_code = DeliveryReason.CANCELLED_BY_USER
    run.error_message = DeliveryReason.CANCELLED_BY_USER.label
    run.finished_at = database_now()
    run.save(update_fields=["state", "error_code", "error_message", "finished_at"])
    message.delivery, message.reason = Delivery.CANCELLED, DeliveryReason.CANCELLED_BY_USER
    message.save(update_fields=["delivery", "reason"])
    hints.publish_on_commit(hints.HEADS, f"{session.pk} 0")
    return message


@transactional
def message_retry(*, session: Session, message_id: str, actor: str) -> SessionMessage:
    """Send a failed or cancelled message again: a new run of the same message."""
    session = lock_wanted_session(session.pk)
    message = _message(session, message_id)
    if message.delivery not in (Delivery.FAILED, Delivery.CANCELLED):
        raise Conflict(f"the message is {message.delivery or 'stored'}; only a failed one can be sent again")
    ensure_wanted(session)
    before = Run.objects.filter(pk=message.run).first()
    run = Run.objects.create(
        id=ksuid(),
        session=session,
        number=next_run_number(session),
        trigger=Trigger.RETRY,
        actor=actor,
        message_id=message.pk,
        input=before.input if before is not None else json.dumps({}),
        state=RunState.QUEUED,
    )
    message.run, message.delivery = run.pk, Delivery.QUEUED
    message.reason = DeliveryReason.WAITS_FOR_ANSWER if open_interrupts(session) else None
    message.save(update_fields=["run", "delivery", "reason"])
    hints.publish_on_commit(hints.WORK, session.pk)
    return message
