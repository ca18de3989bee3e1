"""Regular jobs on stored events. Safe to lose, to kill and to run twice: the rows say what is left to do."""

import time

import structlog
from celery import shared_task

from ambient.common import idempotency
from sessions_app.streams.retention import runs_compact, runs_delete_events, sessions_purge_streams

LONGEST_SECONDS = 20.0
"""A worker's slot is for sessions first; what is left comes with the next round."""

log = structlog.get_logger(__name__)


@shared_task(name="sessions_app.tasks.tidy_events", ignore_result=True)
def tidy_events() -> None:
    """Compact finished runs, delete what is kept no longer, forget old idempotency keys."""
    until = time.monotonic() + LONGEST_SECONDS

    def wanted() -> bool:
        return time.monotonic() < until

    idempotency.purge(wanted)
    compacted, deleted = runs_compact(wanted), runs_delete_events(wanted)
    purged = sessions_purge_streams(wanted)
    if compacted or deleted or purged:
        log.info("events tidied", compacted=compacted, deleted=deleted, purged=purged)
