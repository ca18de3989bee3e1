"""Prometheus metrics of passes and sessions (docs/metrics.md).

What passes do is counted in Redis, since workers have no port; the queue and the sessions are asked of the
database when a server is scraped.
"""

import functools
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import redis
import structlog
from django.db import DatabaseError, connection, transaction
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry

from ambient import env
from ambient.common.shared_metrics import ANY_SHOWS_ALL, Counter, Histogram, SharedCollector, count
from reconciler import overview
from reconciler.kubernetes.health import silent_seconds
from reconciler.start_times import Time, start_steps
from reconciler.state import Plan
from reconciler.wake import queue_length
from reconciler.workqueue import Claim
from sessions_app.choices import Phase, Reason
from sessions_app.models import Session

PASS_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0)
START_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
SESSIONS_KEPT_SECONDS = 10.0
"""How long a process shows the same counts of sessions: bounded queries, but not for every scrape."""

KINDS = ("session", "project", "resync")
OUTCOMES = ("done", "again", "lost", "temporary", "permanent", "error")
REASONS = [(reason,) for reason in Reason.values]

PASSES = Counter(
    "ambient_passes_total",
    "Passes by kind and outcome.",
    ["kind", "outcome"],
    itertools.product(KINDS, OUTCOMES),
)
PASS_SECONDS = Histogram("ambient_pass_seconds", "Time of passes.", ["kind"], PASS_BUCKETS)
START_SECONDS = Histogram(
    "ambient_session_start_seconds", "Time from the wish to run to a runner that answers.", [], START_BUCKETS
)
START_STEP_SECONDS = Histogram(
    "ambient_session_start_step_seconds", "Time of each step of a session's start.", ["step"], START_BUCKETS
)
RESTARTS = Counter("ambient_session_restarts_total", "Lost runners that are restarted.", ["reason"], REASONS)
FAILURES = Counter("ambient_session_failures_total", "Sessions that became Failed.", ["reason"], REASONS)

log = structlog.get_logger(__name__)


def count_pass(kind: str, outcome: str, seconds: float) -> None:
    """Count one pass."""
    count(PASSES.increments(kind, outcome), PASS_SECONDS.increments(seconds, kind))


@dataclass(frozen=True)
class Before:
    """What a status write is about to replace."""

    phase: str | None
    since: Time | None
    last_start: Time | None


def before_write(session: Session) -> Before:
    """To be taken before the status is written."""
    return Before(session.phase, session.phase_since, session.start_time)


def count_written(claim: Claim, session: Session, before: Before, written: Plan) -> None:
    """Count what a pass has written down, once it is committed: a start, a restart, a failure."""
    increments: list[dict[str, float]] = []
    if written.phase == Phase.RUNNING and before.phase != Phase.RUNNING:
        steps = start_steps(
            session, wished_at=claim.requested_at, last_start=before.last_start, creating_since=before.since
        )
        if steps is not None:
            increments.append(START_SECONDS.increments(sum(steps.values())))
            increments += [START_STEP_SECONDS.increments(took, step) for step, took in steps.items()]
    elif written.phase == Phase.PENDING and before.phase in (Phase.CREATING, Phase.RUNNING):
        increments.append(RESTARTS.increments(written.reason))
    elif written.phase == Phase.FAILED:
        increments.append(FAILURES.increments(written.reason))
    if increments:
        transaction.on_commit(functools.partial(count, *increments))


_QUEUE = """
SELECT
  (SELECT count(*) FROM reconciler_workitem WHERE due_at <= statement_timestamp()),
  (SELECT coalesce(extract(epoch FROM statement_timestamp() - min(due_at)), 0)
   FROM reconciler_workitem WHERE due_at <= statement_timestamp()),
  (SELECT coalesce(extract(epoch FROM statement_timestamp() - min(finished_at)), 0)
   FROM sessions_app_run WHERE first_seq IS NOT NULL AND compacted_at IS NULL)
"""


class PlatformCollector(Collector):
    """The queue and the sessions, read when somebody asks. The first fault ends it: a scrape must answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: list[Metric] = []
        self._read_at = float("-inf")

    def describe(self) -> list[Metric]:
        """Nothing is read when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            yield _gauge("ambient_queue_length", "Hints to the workers that none has taken.", queue_length())
            silent = "How long no watcher has heard of the cluster; 0 without one."
            yield _gauge("ambient_cluster_silent_seconds", silent, silent_seconds())
        except redis.RedisError as exc:
            log.warning("no queue length", error=type(exc).__name__)
        try:
            yield from self._queue()
            yield from self._counted()
        except DatabaseError as exc:
            log.warning("no metrics of the database", error=type(exc).__name__)

    def _queue(self) -> Iterator[Metric]:
        with connection.cursor() as cursor:
            cursor.execute(_QUEUE)
            due, age, uncompacted = cursor.fetchone()
        behind = max(float(uncompacted) - env.COMPACT_AFTER_SECONDS, 0.0)
        yield _gauge("ambient_work_due", "Keys that are due.", due)
        yield _gauge("ambient_work_oldest_seconds", "How long the oldest due key is due.", age)
        yield _gauge(
            "ambient_compaction_behind_seconds",
            "How late the compaction of the oldest ended run is; 0: in time.",
            behind,
        )

    def _counted(self) -> list[Metric]:
        """Counts of sessions; several scrapes at once share one reading."""
        with self._lock:
            if time.monotonic() - self._read_at > SESSIONS_KEPT_SECONDS:
                self._sessions = [_by_phase(), _failed()]
                self._read_at = time.monotonic()
            return self._sessions


def _gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(name, f"{help} {ANY_SHOWS_ALL}", value=float(value))


def _by_phase() -> Metric:
    help = f"Sessions by phase; beyond {overview.BOUND} of a phase about. {ANY_SHOWS_ALL}"
    family = GaugeMetricFamily("ambient_sessions", help, labels=["phase"])
    for found in overview.sessions_by_phase(overview.session_total()):
        family.add_metric([found.name], _number(found))
    return family


def _failed() -> Metric:
    help = f"Sessions that failed within a day, by reason; at most {overview.BOUND + 1}. {ANY_SHOWS_ALL}"
    family = GaugeMetricFamily("ambient_sessions_failed", help, labels=["reason"])
    for found in overview.failures_by_reason():
        family.add_metric([found.reason], found.last_day.counted)
    return family


def _number(found: overview.Count) -> float:
    return float(max(found.counted, found.estimate or 0))


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Show them at this process's /metrics."""
    registry.register(SharedCollector())
    registry.register(PlatformCollector())
