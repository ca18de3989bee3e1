"""What becomes of old events: finished runs are compacted, then deleted when their project says so.

Each run is one short transaction, so a job that is killed loses nothing and goes on where it was.
"""

import datetime
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Sum
from django.db.models.functions import Coalesce, Length, Now

from ambient import env
from ambient.common.database import database_now
from projects_app.models import ProjectSettings
from sessions_app.choices import RunState
from sessions_app.models import (
    MessageCounter,
    Run,
    RunLog,
    SdkSessionEntry,
    Session,
    SessionEvent,
    SessionStream,
)
from sessions_app.streams.compaction import compact, encoded
from sessions_app.streams.frames import decode_event

RUNS_A_PAGE = 100
MOST_BYTES = 64 * 1024 * 1024
"""A run with more raw events stays as it is: it would have to be held in memory."""
ENDED = (RunState.FINISHED, RunState.FAILED, RunState.INTERRUPTED, RunState.CANCELLED)

_KEPT = "r.first_seq IS NOT NULL AND r.events_deleted_at IS NULL"
_OLD_IN_PROJECT = f"""
SELECT r.id FROM sessions_app_session s JOIN sessions_app_run r ON r.session_id = s.id
WHERE s.project_id = %(project)s AND {_KEPT}
  AND r.finished_at < statement_timestamp() - make_interval(days => %(days)s) LIMIT %(limit)s
"""  # noqa: S608 - made of constants
_OLD_ELSEWHERE = f"""
SELECT r.id FROM sessions_app_run r JOIN sessions_app_session s ON s.id = r.session_id
WHERE {_KEPT} AND r.finished_at < statement_timestamp() - make_interval(days => %(days)s)
  AND coalesce(s.project_id, '') <> ALL(%(others)s::text[]) LIMIT %(limit)s
"""  # noqa: S608 - made of constants


def runs_compact(wanted: Callable[[], bool]) -> int:
    """Compact what ended AMBIENT_COMPACT_AFTER_SECONDS ago, while it is wanted; returns how many runs."""
    done = 0
    while wanted():
        due = database_now() - datetime.timedelta(seconds=env.COMPACT_AFTER_SECONDS)
        rows = Run.objects.filter(
            state__in=ENDED, first_seq__isnull=False, compacted_at=None, finished_at__lt=due
        ).order_by("finished_at")
        page = list(rows.values_list("pk", flat=True)[:RUNS_A_PAGE])
        if not page:
            return done
        for pk in page:
            if not wanted():
                return done
            run_compact(run_id=pk)
            done += 1
    return done


@transaction.atomic
def run_compact(*, run_id: str) -> bool:
    """Put a finished run's events into one row and delete the raw ones; False when there is nothing to do."""
    run = Run.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=run_id).first()
    if run is None or run.state not in ENDED or run.compacted_at is not None or run.first_seq is None:
        return False
    raw = SessionEvent.objects.filter(
        session_id=run.session_id, seq__gte=run.first_seq, seq__lte=run.last_seq, run=run.pk
    )
    size = raw.aggregate(size=Sum(Length("event")))["size"] or 0
    if 0 < size <= MOST_BYTES:
        events = [decode_event(text.encode()) for text in raw.order_by("seq").values_list("event", flat=True)]
        RunLog.objects.create(
            run=run.pk,
            session_id=run.session_id,
            first_seq=run.first_seq,
            last_seq=run.last_seq or run.first_seq,
            events=encoded(compact(events)),
        )
        raw.delete()
    Run.objects.filter(pk=run.pk).update(compacted_at=Now())
    return size > 0


def runs_delete_events(wanted: Callable[[], bool]) -> int:
    """Delete events that their project keeps no longer; returns of how many runs."""
    own = dict(
        ProjectSettings.objects.live()
        .filter(event_retention_days__isnull=False)
        .values_list("project_id", "event_retention_days")
    )
    done = 0
    for project, days in own.items():
        if days:
            done += _delete_pages(wanted, _OLD_IN_PROJECT, {"project": project, "days": days})
    if env.EVENT_RETENTION_DAYS:
        others = {"days": env.EVENT_RETENTION_DAYS, "others": list(own)}
        done += _delete_pages(wanted, _OLD_ELSEWHERE, others)
    return done


def _delete_pages(wanted: Callable[[], bool], sql: str, params: dict[str, Any]) -> int:
    done = 0
    while wanted():
        with connection.cursor() as cursor:
            cursor.execute(sql, params | {"limit": RUNS_A_PAGE})
            page = [row[0] for row in cursor.fetchall()]
        for pk in page:
            run_delete_events(run_id=pk)
        done += len(page)
        if len(page) < RUNS_A_PAGE:
            break
    return done


def sessions_purge_streams(wanted: Callable[[], bool]) -> int:
    """Delete what streams keep of sessions that were deleted AMBIENT_DELETED_KEPT_DAYS ago; how many."""
    due = database_now() - datetime.timedelta(days=env.DELETED_KEPT_DAYS)
    done = 0
    while wanted():
        old = Session.objects.filter(deleted_at__lt=due).filter(
            Exists(SessionStream.objects.filter(session_id=OuterRef("pk")))
        )
        page = list(old.values_list("pk", flat=True)[:RUNS_A_PAGE])
        for pk in page:
            session_purge_stream(session_id=pk)
        done += len(page)
        if len(page) < RUNS_A_PAGE:
            break
    return done


@transaction.atomic
def session_purge_stream(*, session_id: str) -> None:
    """Delete a deleted session's events, the agent's own entries, and the head of its log."""
    for model in (SessionEvent, RunLog, SdkSessionEntry, MessageCounter, SessionStream):
        model.objects.filter(session_id=session_id).delete()


@transaction.atomic
def run_delete_events(*, run_id: str) -> None:
    """Delete one run's events, raw or compacted. The run's row, its numbers and the messages stay."""
    run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
    SessionEvent.objects.filter(
        session_id=run.session_id, seq__gte=run.first_seq, seq__lte=run.last_seq
    ).delete()
    RunLog.objects.filter(run=run.pk).delete()
    Run.objects.filter(pk=run.pk).update(
        events_deleted_at=Now(), compacted_at=Coalesce("compacted_at", Now())
    )
