"""Prometheus metrics of passes. Workers count in Redis, so that any server process can show all of them."""

from collections.abc import Iterator

import redis
import structlog
from django.db import DatabaseError, connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry

from ambient.common import hints

KEY = "ambient:metrics:passes"
BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0)

log = structlog.get_logger(__name__)


def count_pass(kind: str, outcome: str, seconds: float) -> None:
    """Count one pass; without Redis it is not counted."""
    bucket = next((str(bound) for bound in BUCKETS if seconds <= bound), "+Inf")
    try:
        with hints.client().pipeline(transaction=False) as pipeline:
            pipeline.hincrby(KEY, f"outcome:{kind}:{outcome}", 1)
            pipeline.hincrby(KEY, f"bucket:{kind}:{bucket}", 1)
            pipeline.hincrbyfloat(KEY, f"sum:{kind}", seconds)
            pipeline.execute()
    except redis.RedisError as exc:
        log.warning("a pass was not counted", error=type(exc).__name__)


class PassCollector(Collector):
    """Reads the counters and the queue when it is asked."""

    def describe(self) -> list[Metric]:
        """Nothing is read when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._passes()
        yield from self._queue()

    def _passes(self) -> Iterator[Metric]:
        try:
            raw = hints.client().hgetall(KEY)
        except redis.RedisError as exc:
            log.warning("no pass metrics", error=type(exc).__name__)
            return
        counts = {name.decode(): float(value) for name, value in raw.items()}  # type: ignore[union-attr]
        passes = CounterMetricFamily("ambient_passes", "Passes by outcome.", labels=["kind", "outcome"])
        seconds = HistogramMetricFamily("ambient_pass_seconds", "How long passes took.", labels=["kind"])
        for name, value in sorted(counts.items()):
            what, kind, *rest = name.split(":")
            if what == "outcome":
                passes.add_metric([kind, rest[0]], value)
            elif what == "sum":
                seconds.add_metric([kind], _cumulated(counts, kind), value)
        yield passes
        yield seconds

    def _queue(self) -> Iterator[Metric]:
        sql = """
        SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(due_at)), 0)
        FROM reconciler_workitem WHERE due_at <= clock_timestamp()
        """
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                count, age = cursor.fetchone()
        except DatabaseError as exc:
            log.warning("no queue metrics", error=type(exc).__name__)
            return
        yield GaugeMetricFamily("ambient_work_due", "Keys that are due.", value=float(count))
        yield GaugeMetricFamily("ambient_work_oldest_seconds", "Age of the oldest due key.", value=float(age))


def _cumulated(counts: dict[str, float], kind: str) -> list[tuple[str, float]]:
    total = 0.0
    buckets = []
    for bound in (*map(str, BUCKETS), "+Inf"):
        total += counts.get(f"bucket:{kind}:{bound}", 0.0)
        buckets.append((bound, total))
    return buckets


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Show the pass metrics at this process's /metrics."""
    registry.register(PassCollector())
