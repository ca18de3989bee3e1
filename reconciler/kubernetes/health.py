"""What is told of the talk with a cluster, by whichever process has it, for the metrics of any server."""

import time

import redis
import structlog

from ambient.common import hints
from ambient.common.shared_metrics import Counter, count
from sessions_app.choices import Reason

HEARD_KEY = "ambient:cluster:heard"

CLUSTER_FAULTS = Counter(
    "ambient_cluster_faults_total",
    "Calls that a cluster did not carry out.",
    ["reason"],
    [(reason,) for reason in (Reason.CLUSTER_UNREACHABLE, Reason.CREDENTIAL_REJECTED, Reason.QUOTA_EXCEEDED)],
)

log = structlog.get_logger(__name__)


def count_fault(reason: Reason) -> None:
    """Count one call that failed."""
    count(CLUSTER_FAULTS.increments(reason))


def note_heard(*, first: bool = False) -> None:
    """The watch has heard of the cluster now; `first`: it begins to listen, unless that is known already."""
    try:
        hints.client().set(HEARD_KEY, time.time(), nx=first)
    except redis.RedisError as exc:
        log.warning("the watch's sign of life was not noted", error=type(exc).__name__)


def silent_seconds() -> float:
    """How long a watcher has listened and heard nothing; 0 where none listens. Raises redis.RedisError."""
    heard = hints.client().get(HEARD_KEY)
    return max(time.time() - float(heard), 0.0) if heard else 0.0
