"""What an operator asks first: how many, what fails and why, what is stuck, who streams. Bounded queries."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Sum

from projects_app.models import RowCount
from sessions_app.choices import Phase, Reason

BOUND = 10_000
SHOWN = 10
OVERDUE_SECONDS = 5

_PHASES = """
SELECT wanted.phase, (
  SELECT count(*) FROM (
    SELECT 1 FROM sessions_app_session s
    WHERE s.phase = wanted.phase AND s.deleted_at IS NULL LIMIT %(limit)s
  ) AS found
) FROM unnest(%(phases)s::text[]) AS wanted (phase)
UNION ALL
SELECT NULL, count(*) FROM (
  SELECT 1 FROM sessions_app_session s WHERE s.phase IS NULL AND s.deleted_at IS NULL LIMIT %(limit)s
) AS fresh
"""
_ESTIMATES = """
SELECT phase, share
FROM pg_stats, unnest(most_common_vals::text::text[], most_common_freqs) AS common (phase, share)
WHERE schemaname = current_schema() AND tablename = 'sessions_app_session' AND attname = 'phase'
"""
_FAILURES = """
SELECT wanted.reason,
  (SELECT count(*) FROM (
    SELECT 1 FROM sessions_app_session s
    WHERE s.phase = 'Failed' AND s.deleted_at IS NULL AND s.reason = wanted.reason LIMIT %(limit)s
  ) AS found),
  (SELECT count(*) FROM (
    SELECT 1 FROM sessions_app_session s
    WHERE s.phase = 'Failed' AND s.deleted_at IS NULL AND s.reason = wanted.reason
      AND s.phase_since > statement_timestamp() - interval '1 day' LIMIT %(limit)s
  ) AS found),
  (SELECT max(s.phase_since) FROM sessions_app_session s
   WHERE s.phase = 'Failed' AND s.deleted_at IS NULL AND s.reason = wanted.reason)
FROM unnest(%(reasons)s::text[]) AS wanted (reason)
"""
_ITEM = """
SELECT id, kind, key, project, due_at, requested_at, attempts, last_error, urgent,
  locked_until > statement_timestamp() AS working, statement_timestamp() AS now
FROM reconciler_workitem
"""
_DUE = _ITEM + "WHERE due_at <= statement_timestamp() ORDER BY due_at, id LIMIT %(shown)s"
_RETRYING = _ITEM + "WHERE attempts > 1 ORDER BY requested_at, id LIMIT %(shown)s"
_STREAMS = """
SELECT o.process, o.hostname, o.started_at, o.expires_at > statement_timestamp(), (
  SELECT count(*) FROM (
    SELECT 1 FROM sessions_app_sessionstream s WHERE s.owner = o.process LIMIT %(limit)s
  ) AS found
) FROM sessions_app_streamowner o ORDER BY o.started_at, o.process LIMIT 100
"""


@dataclass(frozen=True)
class Count:
    """A number that was counted up to a bound, and beyond it estimated where the database has statistics."""

    name: str
    counted: int
    estimate: int | None = None

    def __str__(self) -> str:
        if self.counted <= BOUND:
            return f"{self.counted:,}"
        if self.estimate is not None and self.estimate > BOUND:
            return f"about {self.estimate:,}"
        return f"more than {BOUND:,}"


@dataclass(frozen=True)
class Failures:
    """Sessions that failed for one reason."""

    reason: str
    total: Count
    last_day: Count
    newest_at: datetime.datetime | None


@dataclass(frozen=True)
class Item:
    """One piece of pending work as the queue has it."""

    id: int
    kind: str
    key: str
    project: str
    due_at: datetime.datetime
    requested_at: datetime.datetime
    attempts: int
    last_error: str | None
    urgent: bool
    working: bool | None
    now: datetime.datetime

    @property
    def state(self) -> str:
        """One word or two for what happens to it now."""
        late = (self.now - self.due_at).total_seconds()
        if self.working:
            return "being worked on"
        if late > OVERDUE_SECONDS:
            return "overdue"
        if self.attempts > 1:
            return "retrying"
        return "due" if late >= 0 else "waiting"


@dataclass(frozen=True)
class Streams:
    """One control-plane process and the streams that it holds."""

    process: str
    hostname: str
    started_at: datetime.datetime
    alive: bool
    count: Count


def _rows(sql: str, **params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def session_total() -> int:
    """Live sessions, from the kept counters."""
    return int(RowCount.objects.filter(kind="session").aggregate(total=Sum("rows"))["total"] or 0)


def sessions_by_phase(total: int) -> list[Count]:
    """Live sessions of every phase, also of those that were not looked at yet."""
    found = dict(_rows(_PHASES, phases=Phase.values, limit=BOUND + 1))
    shares = dict(_rows(_ESTIMATES))
    return [
        Count(
            phase or "New",
            found[phase],
            round(total * shares[phase], -3) if phase in shares and found[phase] > BOUND else None,
        )
        for phase in (None, *Phase.values)
    ]


def failures_by_reason() -> list[Failures]:
    """Failed sessions by reason, most first; reasons without any are left out."""
    rows = _rows(_FAILURES, reasons=Reason.values, limit=BOUND + 1)
    found = [
        Failures(reason, Count(reason, total), Count(reason, day), newest)
        for reason, total, day, newest in rows
        if total
    ]
    return sorted(found, key=lambda entry: (-entry.last_day.counted, -entry.total.counted, entry.reason))


def due_items() -> list[Item]:
    """What is due, the longest waiting first."""
    return [Item(*row) for row in _rows(_DUE, shown=SHOWN)]


def retrying_items() -> list[Item]:
    """What did not succeed at once, the oldest wish first."""
    return [Item(*row) for row in _rows(_RETRYING, shown=SHOWN)]


def streams_per_process() -> list[Streams]:
    """Who holds how many streams."""
    rows = _rows(_STREAMS, limit=BOUND + 1)
    return [
        Streams(process, hostname, started_at, bool(alive), Count(process, count))
        for process, hostname, started_at, alive, count in rows
    ]
