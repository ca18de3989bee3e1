"""Beat: the second wake-up beside the watcher. Its schedule is in memory: losing it costs nothing."""

from typing import Any

import redis
import structlog
from celery.beat import ScheduleEntry, Scheduler

from ambient import env
from ambient.common import pulse
from reconciler.celery_parts import ensure_connected
from reconciler.wake import queue_length

log = structlog.get_logger(__name__)


class HintScheduler(Scheduler):
    """Sends nothing while the queue is longer than the workers: a hint more would not help."""

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due; the seconds until something is."""
        pulse.touch()
        return super().tick(*args, **options)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        try:
            full = queue_length() > env.WORKER_CONCURRENCY
        except redis.RedisError as exc:
            log.warning("broker is away, nothing was sent", error=type(exc).__name__)
            return
        if not full:
            super().apply_entry(entry, producer=producer)

    def _ensure_connected(self) -> Any:
        return ensure_connected(self.connection)
