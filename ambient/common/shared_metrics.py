"""Counters of processes without a port: kept in Redis, so that any server process can show all of them.

A number is the whole platform's, whoever shows it: take the maximum over the servers, never the sum
(docs/metrics.md).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import redis
import structlog
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ambient.common import hints

KEY = "ambient:metrics"
ANY_SHOWS_ALL = "One number for the whole platform: any one server process shows all of it."

log = structlog.get_logger(__name__)

_declared: "dict[str, Counter | Histogram]" = {}


def field(*parts: object) -> str:
    """Name of one number in the hash; label values are words of closed lists and hold no bar."""
    return "|".join(map(str, parts))


class Counter:
    """A number that only grows, by label values. `known` ones are shown as 0 before they first count:
    Prometheus takes a number that was not there before for no growth."""

    def __init__(
        self, name: str, help: str, labels: Sequence[str], known: Iterable[Sequence[str]] = ()
    ) -> None:
        self.name, self.help, self.labels = name, f"{help} {ANY_SHOWS_ALL}", labels
        self._zeros = {("count", *values): 0.0 for values in known}
        _declared[name] = self

    def increments(self, *values: object) -> dict[str, float]:
        """What one more is in the hash."""
        return {field(self.name, "count", *values): 1}

    def family(self, numbers: Mapping[tuple[str, ...], float]) -> Metric:
        """As Prometheus reads it."""
        family = CounterMetricFamily(self.name.removesuffix("_total"), self.help, labels=self.labels)
        for (_, *values), number in sorted({**self._zeros, **numbers}.items()):
            family.add_metric(values, number)
        return family


class Histogram:
    """Seconds in buckets, by label values."""

    def __init__(self, name: str, help: str, labels: Sequence[str], buckets: Sequence[float]) -> None:
        self.name, self.help, self.labels = name, f"{help} {ANY_SHOWS_ALL}", labels
        self.bounds = [*(f"{bound:g}" for bound in buckets), "+Inf"]
        self._buckets = buckets
        _declared[name] = self

    def increments(self, seconds: float, *values: object) -> dict[str, float]:
        """What one observation is in the hash."""
        place = next((n for n, bound in enumerate(self._buckets) if seconds <= bound), len(self._buckets))
        return {
            field(self.name, f"le {self.bounds[place]}", *values): 1,
            field(self.name, "sum", *values): seconds,
        }

    def family(self, numbers: Mapping[tuple[str, ...], float]) -> Metric:
        """As Prometheus reads it: each bucket holds the ones below it too."""
        family = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for values in sorted({tuple(values) for _, *values in numbers}):
            total, buckets = 0.0, []
            for bound in self.bounds:
                total += numbers.get((f"le {bound}", *values), 0.0)
                buckets.append((bound, total))
            family.add_metric(values, buckets, numbers.get(("sum", *values), 0.0))
        return family


def count(*increments: Mapping[str, float]) -> None:
    """Add these up in one round trip; without Redis they are not counted."""
    try:
        with hints.client().pipeline(transaction=False) as pipeline:
            for name, amount in (pair for each in increments for pair in each.items()):
                pipeline.hincrbyfloat(KEY, name, amount)
            pipeline.execute()
    except redis.RedisError as exc:
        log.warning("metrics were not counted", error=type(exc).__name__)


class SharedCollector(Collector):
    """Reads what all processes have counted when it is asked."""

    def describe(self) -> list[Metric]:
        """Nothing is read when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            raw: Any = hints.client().hgetall(KEY)
        except redis.RedisError as exc:
            log.warning("no shared metrics", error=type(exc).__name__)
            return
        numbers: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in _declared}
        for name, value in raw.items():
            metric, *rest = name.decode().split("|")
            if metric in numbers:  # a newer or older release may count others
                numbers[metric][tuple(rest)] = float(value)
        yield from (_declared[name].family(found) for name, found in numbers.items())
