""" "Look now": hints to the workers. Losing one costs a poll of two seconds, so none is worth waiting for."""

import redis
import structlog
from kombu.exceptions import KombuError

from ambient import env
from ambient.celery import QUEUE, app
from ambient.common import hints

TASK = "reconciler.tasks.work"

log = structlog.get_logger(__name__)


def queue_length() -> int:
    """Hints that no worker has taken yet. Raises redis.RedisError."""
    prefix = app.conf.broker_transport_options.get("global_keyprefix", "")
    return int(hints.client().llen(f"{prefix}{QUEUE}"))


def wake(count: int = 1) -> bool:
    """Send up to `count` hints, never more than the workers can take; False when the broker is away."""
    try:
        room = env.WORKER_CONCURRENCY - queue_length()
        for _ in range(min(count, room)):
            app.send_task(TASK, retry=False, ignore_result=True)
    except (redis.RedisError, KombuError, OSError) as exc:
        log.warning("workers were not woken", error=type(exc).__name__)
        return False
    return True
