"""The only writer of a session's phase and conditions.

Every write is a compare-and-set on `status_version` and follows `TRANSITIONS`, whoever asks for it.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from ambient.common import hints
from ambient.common.database import database_now, transactional
from ambient.common.exceptions import Conflict
from projects_app.services.session_credentials import session_credentials_release
from sessions_app.choices import (
    FINAL_PHASES,
    TRANSITIONS,
    ConditionType,
    Delivery,
    DeliveryReason,
    DesiredState,
    Phase,
    Reason,
    RunState,
)
from sessions_app.models import Run, Session, SessionMessage


class StatusChanged(Exception):
    """Somebody else wrote the status since it was read: read again."""


@dataclass(frozen=True)
class Condition:
    """One step's state (Kubernetes condition): `status` is True, False or Unknown; message one sentence."""

    type: str
    status: str
    reason: str
    message: str = ""


def merged_conditions(stored: str | None, new: Sequence[Condition], at: datetime.datetime) -> str | None:
    """Conditions by type; `last_transition_time` moves only when `status` does."""
    if not new:
        return stored
    by_type: dict[str, dict[str, Any]] = {entry["type"]: entry for entry in json.loads(stored or "[]")}
    for condition in new:
        entry: dict[str, Any] = asdict(condition)
        before = by_type.get(condition.type)
        moved = before is None or before.get("status") != condition.status
        entry["last_transition_time"] = (
            at.isoformat().replace("+00:00", "Z")
            if moved or before is None
            else before.get("last_transition_time", "")
        )
        by_type[condition.type] = entry
    return json.dumps(list(by_type.values()))


_OF_A_RUNNER = (
    ConditionType.PLACED,
    ConditionType.OBJECTS_APPLIED,
    ConditionType.RUNNER_STARTED,
    ConditionType.RUNNER_READY,
)


def implied_conditions(
    phase: Phase, reason: Reason | None, text: str | None, stored: str | None
) -> list[Condition]:
    """What a new phase says of conditions: none may tell of a runner that is gone, or of an old end."""
    known = {entry["type"] for entry in json.loads(stored or "[]")}
    if phase in FINAL_PHASES:
        gone = [Condition(kind, "False", reason or phase, "There is no runner.") for kind in _OF_A_RUNNER]
        ended = Condition(ConditionType.FINISHED, "True", reason or phase, text or "")
        return [*(condition for condition in gone if condition.type in known), ended]
    if phase == Phase.PENDING and ConditionType.FINISHED in known:
        return [Condition(ConditionType.FINISHED, "False", reason or phase, text or "")]
    return []


def may_follow(current: str | None, new: str) -> bool:
    """Whether the transition table allows it; staying is always allowed."""
    return current == new or Phase(new) in TRANSITIONS[Phase(current) if current else None]


@transactional
def session_record_status(
    *,
    session: Session,
    phase: Phase | None = None,
    reason: Reason | None = None,
    reason_text: str | None = None,
    conditions: Sequence[Condition] = (),
    fields: Mapping[str, Any] | None = None,
) -> Session:
    """Write status as read in `session` (its `status_version`); returns the session with the new version.

    `fields` are further status columns (attempt, placed_at, runner_endpoint, ...). Raises StatusChanged when
    the version has moved on and Conflict when the phase may not follow the present one.
    """
    if phase is not None and not may_follow(session.phase, phase):
        raise Conflict(f'a session in phase "{session.phase or ""}" cannot become {phase}')
    if phase in FINAL_PHASES:
        Session.objects.select_for_update(no_key=True).filter(pk=session.pk).values_list("pk").first()
    now = database_now()
    changes: dict[str, Any] = dict(fields or {})
    if reason is not None:
        changes |= {"reason": reason, "reason_text": reason_text}
    if phase is not None and phase != session.phase and "conditions" not in changes:
        given = {condition.type for condition in conditions}
        implied = implied_conditions(phase, reason, reason_text, session.conditions)
        conditions = [*(condition for condition in implied if condition.type not in given), *conditions]
    if conditions:
        changes["conditions"] = merged_conditions(session.conditions, conditions, now)
    if phase is not None and phase != session.phase:
        changes |= {"phase": phase, "phase_since": now}
        if phase == Phase.RUNNING:
            changes["start_time"] = now
        if phase == Phase.PENDING:
            changes["completion_time"] = None
        if phase in FINAL_PHASES:
            changes |= {"completion_time": now, "placed_at": None, "runner_endpoint": None}
    written = Session.objects.filter(pk=session.pk, status_version=session.status_version).update(
        **changes, status_version=F("status_version") + 1, updated_at=Now()
    )
    if not written:
        raise StatusChanged(session.pk)
    for name, value in changes.items():
        setattr(session, name, value)
    session.status_version += 1
    if phase in FINAL_PHASES:
        session_credentials_release(session_id=session.pk)
        _after_the_end(session, phase)
    if phase == Phase.RUNNING:
        hints.publish_on_commit(hints.WORK, session.pk)
    return session


def _after_the_end(session: Session, phase: Phase | None) -> None:
    """A message that came in while the session ended either starts it again or visibly fails.

    The caller has locked the row, so the wish read here is the newest.
    """
    session.refresh_from_db(fields=["desired_state", "generation", "observed_generation"])
    wished_again = (
        phase == Phase.STOPPED
        and session.desired_state == DesiredState.RUNNING
        and session.generation > session.observed_generation
    )
    if wished_again or (phase == Phase.COMPLETED and session.runs.filter(state=RunState.QUEUED).exists()):
        if not wished_again:
            session.desired_state = DesiredState.RUNNING
            session.generation += 1
            session.save(update_fields=["desired_state", "generation", "updated_at"])
        session_record_status(
            session=session, phase=Phase.PENDING, reason=Reason.WAITING, reason_text="A message is waiting."
        )
    elif phase in (Phase.FAILED, Phase.STOPPED):
        reason = DeliveryReason.SESSION_FAILED if phase == Phase.FAILED else DeliveryReason.SESSION_STOPPED
        fail_queued(session, reason)


def fail_queued(session: Session, reason: DeliveryReason) -> None:
    """Queued runs and their messages fail visibly. The caller holds the session's row lock."""
    now = database_now()
    Run.objects.filter(session=session, state=RunState.QUEUED).update(
        state=RunState.FAILED, error_code=reason, error_message=reason.label, finished_at=now
    )
    SessionMessage.objects.filter(session=session, delivery=Delivery.QUEUED).update(
        delivery=Delivery.FAILED, reason=reason
    )
    hints.publish_on_commit(hints.HEADS, f"{session.pk} 0")
