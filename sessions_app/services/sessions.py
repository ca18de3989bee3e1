"""Writes to sessions: each records a wish in one transaction; the reconciler makes it so.

Nothing here wakes the reconciler or writes the audit log: database triggers do both, in the same transaction.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils import timezone

from ambient.common.database import transactional
from ambient.common.encryption import seal
from ambient.common.exceptions import Conflict, Forbidden, InvalidField, not_found
from ambient.common.json_text import parsed
from ambient.common.ksuid import ksuid
from projects_app.models import Agent, Project
from projects_app.services.labels import index_labels
from projects_app.services.session_credentials import session_credentials_release
from sessions_app.choices import (
    ACTIVE_PHASES,
    FINAL_PHASES,
    DeliveryReason,
    DesiredState,
    Phase,
    Reason,
    Trigger,
)
from sessions_app.models import MessageCounter, ScheduledSession, Session, SessionStream
from sessions_app.services.defaults import defaults_of
from sessions_app.services.messages import check_text, message_store_and_queue
from sessions_app.status import Condition, fail_queued, session_record_status


def lock_session(pk: str) -> Session:
    """The session's row, locked against other services and final phases; events go on being appended."""
    session = Session.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if session is None or session.deleted_at is not None:
        raise not_found("Session", pk)
    return session


@transactional
def session_create(
    *,
    actor: str,
    project: Project,
    spec: Mapping[str, Any],
    agent: Agent | None = None,
    trigger: Trigger = Trigger.MESSAGE,
    first_message: str | None = None,
    phase: Phase | None = None,
    schedule: ScheduledSession | None = None,
) -> Session:
    """A new session that wants to run. `actor` is a username; a prompt becomes its first message.

    `first_message` replaces the prompt as that message (an agent start sends a longer text).
    """
    with connection.cursor() as cursor:  # a project that is being deleted takes no new sessions
        cursor.execute("SELECT deleted_at FROM projects_app_project WHERE id = %s FOR SHARE", [project.pk])
        row = cursor.fetchone()
    if row is None or row[0] is not None:
        raise not_found("Project", project.pk)
    pk = ksuid()
    given = {name: value for name, value in spec.items() if value is not None}
    values = defaults_of(project, agent) | given
    if given.get("repo_url") and "repos" not in given:
        values.pop("repos", None)
    values.setdefault("name", f"session-{pk[-8:].lower()}")
    text = first_message if first_message is not None else values.get("prompt")
    if text:
        check_text(text)
    session = Session(
        id=pk,
        kube_cr_name=pk,
        project=project,
        agent=agent,
        schedule=schedule,
        created_by_user_id=actor,
        **values,
    )
    index_labels(session)
    session.runner_secret = seal(secrets.token_urlsafe(32), context=session.runner_secret_context)
    session.save(force_insert=True)
    SessionStream.objects.create(session_id=pk)
    MessageCounter.objects.create(session_id=pk)
    if phase is not None:
        session_record_status(
            session=session, phase=phase, reason=Reason.WAITING, reason_text="Waiting to be started."
        )
    if text:
        message_store_and_queue(session=session, actor=actor, text=text, trigger=trigger)
    return session


@transactional
def session_update(*, session: Session, changes: Mapping[str, Any]) -> Session:
    """Change spec fields. A running runner keeps what it was started with until the next start."""
    session = lock_session(session.pk)
    for name, value in changes.items():
        setattr(session, name, value)
    index_labels(session)
    session.save(update_fields=[*changes, "labels_index", "annotations_index", "updated_at"])
    return session


def wish_to_run(session: Session) -> Session:
    """Record that the session should run (again). The caller holds the row lock."""
    session.desired_state = DesiredState.RUNNING
    session.generation += 1
    session.restarts = 0
    session.save(update_fields=["desired_state", "generation", "restarts", "updated_at"])
    return session_record_status(
        session=session,
        phase=Phase.PENDING,
        reason=Reason.WAITING,
        reason_text="Waiting to be started.",
        conditions=[Condition("Accepted", "True", Reason.WAITING, "A start was asked for.")],
    )


@transactional
def session_start(*, session: Session) -> Session:
    """Ask for the session to run. The first start after a create changes nothing: it wants to run anyway."""
    session = lock_session(session.pk)
    if session.phase in FINAL_PHASES:
        session.start_called = True
        session.save(update_fields=["start_called"])
        return wish_to_run(session)
    if session.phase is None or (session.phase in ACTIVE_PHASES and not session.start_called):
        session.start_called = True
        session.save(update_fields=["start_called", "updated_at"])
        if session.phase is None:
            session_record_status(
                session=session,
                phase=Phase.PENDING,
                reason=Reason.WAITING,
                reason_text="Waiting to be started.",
            )
        return session
    raise Conflict(
        f'cannot start session in phase "{session.phase}"; it must be Stopped, Failed or Completed'
    )


@transactional
def session_stop(*, session: Session) -> Session:
    """Record that the session should end; the reconciler does the stopping. Queued messages fail visibly."""
    session = lock_session(session.pk)
    if session.phase not in {None, *ACTIVE_PHASES}:
        raise Conflict(
            f'cannot stop session in phase "{session.phase}"; it must be Pending, Creating or Running'
        )
    session.desired_state = DesiredState.STOPPED
    session.generation += 1
    session.start_called = True
    session.save(update_fields=["desired_state", "generation", "start_called", "updated_at"])
    session = session_record_status(
        session=session,
        phase=Phase.STOPPING,
        reason=Reason.STOPPED_BY_USER,
        reason_text="A stop was asked for.",
    )
    fail_queued(session, DeliveryReason.SESSION_STOPPED)
    return session


@transactional
def session_delete(*, session: Session) -> None:
    """Soft delete; the reconciler removes what runs. Deleting what is already gone is no error."""
    locked = Session.objects.select_for_update(no_key=True).filter(pk=session.pk, deleted_at=None).first()
    if locked is None:
        return
    locked.desired_state = DesiredState.DELETED
    locked.generation += 1
    locked.deleted_at = timezone.now()
    locked.save(update_fields=["desired_state", "generation", "deleted_at", "updated_at"])
    fail_queued(locked, DeliveryReason.SESSION_DELETED)
    session_credentials_release(session_id=locked.pk)


STATUS_FIELDS = (
    "start_time",
    "completion_time",
    "sdk_session_id",
    "sdk_restart_count",
    "conditions",
    "reconciled_repos",
    "reconciled_workflow",
    "kube_cr_uid",
    "kube_namespace",
)
"""Beside `phase`, what `PATCH /sessions/{id}/status` accepts."""


REPORTED_REASONS = {
    Phase.PENDING: Reason.WAITING,
    Phase.CREATING: Reason.STARTING,
    Phase.RUNNING: Reason.READY,
    Phase.STOPPING: Reason.STOPPED_BY_USER,
    Phase.STOPPED: Reason.STOPPED_BY_USER,
    Phase.COMPLETED: Reason.SUCCEEDED,
    Phase.FAILED: Reason.RUNNER_EXITED,
}
"""A controller of the older generation reports a phase without a reason."""


@transactional
def session_patch_status(*, session: Session, changes: Mapping[str, Any], reporter: str | None) -> Session:
    """Status reported from outside: by an existing controller (its username), or by our own runner (None),
    which may not send a phase.

    Raises InvalidField for an empty or unknown change, Conflict outside the transition table, Forbidden for
    a phase from a runner.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    phase = given.pop("phase", None)
    if phase is None and not given:
        raise InvalidField(f"one of phase, {', '.join(STATUS_FIELDS)} must be set")
    if phase is not None and reporter is None:
        raise Forbidden("a runner may not set the phase")
    if phase is not None and phase not in Phase.values:
        raise InvalidField(f"phase must be one of {', '.join(Phase.values)}")
    session = lock_session(session.pk)
    if reporter is None and "conditions" in given:
        given["conditions"] = _with_runner_conditions(session.conditions, given["conditions"])
    if phase is None or phase == session.phase:
        return session_record_status(session=session, fields=given)
    return session_record_status(
        session=session,
        phase=Phase(phase),
        reason=REPORTED_REASONS[Phase(phase)],
        reason_text=f"{phase} was reported by {reporter}.",
        fields=given,
    )


def _with_runner_conditions(stored: str | None, reported: str) -> str:
    """A runner's own conditions beside the reconciler's; it may speak of the workspace only."""
    try:
        own = [entry for entry in parsed(reported) if entry["type"] == "WorkspaceReady"]
    except (TypeError, KeyError) as exc:
        raise InvalidField("conditions must be a JSON array of objects with a type") from exc
    others = [entry for entry in json.loads(stored or "[]") if entry["type"] != "WorkspaceReady"]
    return json.dumps(others + own)
