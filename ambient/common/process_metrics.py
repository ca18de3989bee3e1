"""What every server process tells of itself: its build and its database connections."""

from collections.abc import Callable, Iterator, Mapping

from django.db import connections
from prometheus_client import disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry

from ambient import env
from ambient.version import GIT_TAG, VERSION

Stats = Callable[[], Mapping[str, int]]
_pools: dict[str, Stats] = {}


def show_pool(name: str, stats: Stats) -> None:
    """Show a psycopg pool by its `get_stats`; the newest of a name counts."""
    _pools[name] = stats


def _requests_pool() -> Mapping[str, int]:
    pool = getattr(connections["default"], "pool", None)
    return {} if pool is None else pool.get_stats()


class ProcessCollector(Collector):
    """Reads the pools when it is asked."""

    def describe(self) -> list[Metric]:
        """Nothing is read when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "ambient_build",
            "Which build this process is.",
            value={"version": VERSION, "git_tag": GIT_TAG, "process": env.PROCESS},
        )
        size = GaugeMetricFamily(
            "ambient_database_connections", "Open connections of a pool.", labels=["pool", "state"]
        )
        waiting = GaugeMetricFamily(
            "ambient_database_waiting", "Who waits for a connection of a pool.", labels=["pool"]
        )
        for name, stats in sorted({"requests": _requests_pool, **_pools}.items()):
            found = stats()
            idle = found.get("pool_available", 0)
            size.add_metric([name, "idle"], idle)
            size.add_metric([name, "used"], found.get("pool_size", 0) - idle)
            waiting.add_metric([name], found.get("requests_waiting", 0))
        yield size
        yield waiting


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Show them at this process's /metrics."""
    disable_created_metrics()  # a second series for each, which tells nothing
    registry.register(ProcessCollector())
