"""Wishes about runs: an AG-UI run, the end of a running one, a new runner for one that hangs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ambient.common import hints
from ambient.common.database import database_now, transactional
from ambient.common.exceptions import Conflict, InvalidField
from sessions_app.choices import DesiredState, InterruptState, Phase, Reason, RunState, Trigger
from sessions_app.models import Interrupt, Run, Session
from sessions_app.services.interrupts import (
    NO_PAYLOAD,
    lock_wanted_session,
    open_interrupts,
    record_answer,
    resume_when_answered,
)
from sessions_app.services.sending import message_send
from sessions_app.services.sessions import lock_session
from sessions_app.status import session_record_status


@dataclass(frozen=True)
class ResumeEntry:
    """One answer inside a RunAgentInput."""

    interrupt_id: str
    status: str
    payload: Any = NO_PAYLOAD


@dataclass(frozen=True)
class AguiRun:
    """A RunAgentInput as far as the platform acts on it."""

    run_id: str | None
    text: str | None
    client_id: str | None
    extra: Mapping[str, Any] = field(default_factory=dict)
    resume: Sequence[ResumeEntry] = ()


@transactional
def agui_run_start(*, session: Session, actor: str, wanted: AguiRun) -> Run:
    """Queue the run of an AG-UI client; the same run id or message id again is the same run."""
    session = lock_wanted_session(session.pk)
    if wanted.run_id is not None:
        known = Run.objects.filter(pk=wanted.run_id).first()
        if known is not None:
            if known.session_id != session.pk or known.actor != actor:
                raise Conflict(f"the run id {wanted.run_id} is taken")
            return known
    if wanted.resume:
        return _resume(session, actor, wanted)
    waiting = open_interrupts(session)
    if waiting:
        names = ", ".join(interrupt.interrupt_id for interrupt in waiting)
        raise Conflict(f"a person is asked something first; resume must answer: {names}")
    if wanted.text is None:
        raise InvalidField("the last of messages must be a user message with text")
    message = message_send(
        session=session,
        actor=actor,
        text=wanted.text,
        trigger=Trigger.AGUI,
        client_id=wanted.client_id,
        run_id=wanted.run_id,
        run_input=wanted.extra,
    )
    return Run.objects.get(pk=message.run)


def _resume(session: Session, actor: str, wanted: AguiRun) -> Run:
    """Answer every open interrupt; the run that goes on is the client's."""
    waiting = {interrupt.interrupt_id: interrupt for interrupt in open_interrupts(session)}
    given = {entry.interrupt_id: entry for entry in wanted.resume}
    missing = [name for name in waiting if name not in given]
    if missing:
        raise Conflict(f"resume must answer every open interrupt; missing: {', '.join(missing)}")
    unknown = [name for name in given if name not in waiting]
    if unknown:
        return _resumed_already(session, unknown)
    runs = sorted({interrupt.run for interrupt in waiting.values()})
    list(Run.objects.select_for_update(no_key=True).filter(pk__in=runs).values_list("pk"))
    for name, interrupt in waiting.items():
        entry = given[name]
        record_answer(interrupt, actor, entry.status, entry.payload)
    run = None
    for run_id in runs:
        run = resume_when_answered(
            session,
            run_id,
            actor=actor,
            trigger=Trigger.AGUI,
            new_run_id=wanted.run_id if run_id == runs[-1] else None,
            run_input=wanted.extra,
        )
    if run is None:
        raise Conflict("a question is still open")
    return run


def _resumed_already(session: Session, names: Sequence[str]) -> Run:
    """A repeated resume is harmless: it is the run that went on already."""
    closed = Interrupt.objects.filter(session=session, interrupt_id__in=names).exclude(
        state=InterruptState.OPEN
    )
    run = Run.objects.filter(resumes__in=closed.values("run")).order_by("-number").first()
    if run is None:
        raise InvalidField(f"resume names an unknown interrupt: {', '.join(names)}")
    return run


@transactional
def run_interrupt_request(*, session: Session, run_id: str | None = None) -> Run | None:
    """Ask for the end of the active run; None when there is none (any more). Only the holder acts on it."""
    session = lock_session(session.pk)
    active = Run.objects.filter(session=session, state=RunState.RUNNING)
    run = (active.filter(pk=run_id) if run_id else active).select_for_update(no_key=True).first()
    if run is None:
        return None
    if run.interrupt_requested_at is None:
        run.interrupt_requested_at = database_now()
        run.save(update_fields=["interrupt_requested_at"])
    hints.publish_on_commit(hints.WORK, session.pk)
    return run


@transactional
def runner_restart(*, session_id: str) -> None:
    """Ask for a new runner in place of one that does not end its run; nothing if it is on its way already."""
    session = lock_session(session_id)
    if session.phase != Phase.RUNNING or session.desired_state != DesiredState.RUNNING:
        return
    session.generation += 1
    session.save(update_fields=["generation", "updated_at"])
    session_record_status(
        session=session,
        phase=Phase.PENDING,
        reason=Reason.NOT_ANSWERING,
        reason_text="The agent did not end an interrupted run; its runner is restarted.",
    )
