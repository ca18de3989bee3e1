"""Reads of the reconciler: rows into the frozen values of a plan."""

import datetime
import functools
from typing import Any

from django.db.models import DateTimeField, Exists, Func, OuterRef, QuerySet, Subquery

from ambient import env
from ambient.common.json_text import parsed
from reconciler.runtimes.base import SessionRef
from reconciler.state import Desired, Limits, Noted, Status
from sessions_app.choices import ConditionType, DesiredState, Phase, Reason, RunState
from sessions_app.models import Run, Session, SessionMessage

RESULTS = ("kube_cr_uid", "sdk_session_id", "sdk_restart_count", "reconciled_repos", "reconciled_workflow")
"""Columns of what a runtime may have found out by itself."""
ENDED = (RunState.FINISHED, RunState.FAILED, RunState.INTERRUPTED, RunState.CANCELLED)


def sessions_for_plan(sessions: QuerySet[Session] | None = None) -> QuerySet[Session]:
    """Sessions, also deleted ones, with what the conversation is doing, an index lookup each, and the
    database's time, by which alone deadlines count."""
    runs = Run.objects.filter(session=OuterRef("pk"))
    last = runs.filter(state__in=ENDED, finished_at__isnull=False).order_by("-number")
    newest = SessionMessage.objects.filter(session=OuterRef("pk")).order_by("-seq")
    base = Session.objects.all() if sessions is None else sessions
    return base.annotate(
        run_active=Exists(runs.filter(state__in=[RunState.QUEUED, RunState.RUNNING])),
        newest_message_at=Subquery(newest.values("created_at")[:1]),
        last_run_ended_at=Subquery(last.values("finished_at")[:1]),
        last_run_state=Subquery(last.values("state")[:1]),
        read_at=Func(function="clock_timestamp", output_field=DateTimeField()),
    )


KEY = "the session"


@functools.cache
def _statement() -> tuple[str, tuple[Any, ...]]:
    """What Django makes of it for one session, once a process: that took a quarter of a pass's time."""
    statement, values = sessions_for_plan().filter(pk=KEY).query.sql_with_params()
    return statement, values


def session_for_plan(session_id: str) -> Session | None:
    """One of `sessions_for_plan`."""
    statement, values = _statement()
    found = Session.objects.raw(statement, [session_id if value == KEY else value for value in values])
    return next(iter(found), None)


def read_at(session: Session) -> datetime.datetime:
    """When a row of `sessions_for_plan` was read, by the database's clock."""
    found: datetime.datetime = vars(session)["read_at"]
    return found


def limits() -> Limits:
    """The settings that plans depend on."""
    return Limits(
        start_deadline_seconds=env.START_DEADLINE_SECONDS,
        max_restarts=env.MAX_RESTARTS,
        inactivity_seconds=env.INACTIVITY_TIMEOUT_SECONDS,
    )


def desired_of(session: Session) -> Desired:
    """The wish in a row."""
    return Desired(
        state=DesiredState(session.desired_state),
        generation=session.generation,
        timeout=session.timeout or None,
        inactivity_timeout=session.inactivity_timeout,
        stop_on_run_finished=session.stop_on_run_finished,
    )


def status_of(session: Session) -> Status:
    """What was written down in a row of `sessions_for_plan`."""
    conditions = _conditions(session.conditions)
    return Status(
        phase=Phase(session.phase) if session.phase else None,
        phase_since=session.phase_since,
        reason=Reason(session.reason) if session.reason in Reason.values else None,
        reason_text=session.reason_text,
        observed_generation=session.observed_generation,
        attempt=session.attempt,
        restarts=session.restarts,
        placed=session.placed_at is not None,
        endpoint=session.runner_endpoint,
        instance=session.runner_instance,
        conditions=tuple(noted for noted, _ in conditions),
        ready_since=next(
            (since for noted, since in conditions if noted.type == ConditionType.RUNNER_READY), None
        ),
        results=tuple((name, getattr(session, name)) for name in RESULTS),
        run_active=getattr(session, "run_active", False),
        newest_message_at=getattr(session, "newest_message_at", None),
        last_run_ended_at=getattr(session, "last_run_ended_at", None),
        last_run_succeeded=getattr(session, "last_run_state", None) == RunState.FINISHED,
    )


def ref_of(session: Session) -> SessionRef:
    """The session as runtimes name it."""
    live = session.phase in (Phase.CREATING, Phase.RUNNING, Phase.STOPPING)
    return SessionRef(
        id=session.pk,
        project_id=session.project_id,
        generation=session.observed_generation,
        attempt=session.attempt,
        host=session.runner_host if live else None,
        purge=session.desired_state == DesiredState.DELETED,
        instance=session.runner_instance,
    )


def _conditions(text: str | None) -> list[tuple[Noted, datetime.datetime | None]]:
    """Stored conditions and their last changes; what others wrote in another form is left out."""
    entries = parsed(text)
    return [
        (
            Noted(
                str(entry.get("type")),
                str(entry.get("status")),
                str(entry.get("reason")),
                str(entry.get("message") or ""),
            ),
            _time(entry.get("last_transition_time")),
        )
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]


def _time(text: Any) -> datetime.datetime | None:
    """A time with its zone, or None for what is none."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None
