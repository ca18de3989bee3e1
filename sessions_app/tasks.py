"""Regular jobs on stored events and saved workspaces.

Safe to lose, to kill and to run twice: the rows say what is left to do.
"""

import time

import structlog
from celery import shared_task

from ambient import env
from ambient.common import idempotency
from ambient.common.exceptions import Unavailable
from sessions_app import snapshot_store
from sessions_app.services.snapshots import snapshot_forget, snapshots_unwanted
from sessions_app.streams.retention import runs_compact, runs_delete_events, sessions_purge_streams

LONGEST_SECONDS = 20.0
"""A worker's slot is for sessions first; what is left comes with the next round."""
MOST_SNAPSHOTS = 200

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


@shared_task(name="sessions_app.tasks.tidy_snapshots", ignore_result=True)
def tidy_snapshots() -> None:
    """Delete saved workspaces that nobody wants any more: first the object, then its row."""
    if not env.S3_BUCKET:
        return
    deleted = 0
    for snapshot in snapshots_unwanted()[:MOST_SNAPSHOTS]:
        try:
            snapshot_store.delete(snapshot.key)
        except Unavailable:
            log.warning("the bucket is away, snapshots are tidied later")
            break
        snapshot_forget(snapshot_id=snapshot.pk)
        deleted += 1
    if deleted:
        log.info("snapshots tidied", deleted=deleted)
