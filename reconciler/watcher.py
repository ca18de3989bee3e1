"""The watcher: a LISTEN and a poll of due work become hints to the workers. A hint, never the only way."""

import random
import time

import psycopg
import structlog

from ambient import env
from reconciler.wake import wake

CHANNEL = "ambient_work"
POLL_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 5.0
MERGE_SECONDS = 0.01

_DUE = """
SELECT (SELECT count(*) FROM (
          SELECT 1 FROM reconciler_workitem WHERE due_at <= statement_timestamp()
          AND (locked_until IS NULL OR locked_until <= statement_timestamp()) LIMIT %s) AS due),
       (SELECT extract(epoch FROM min(due_at) - statement_timestamp())::float8 FROM reconciler_workitem
        WHERE due_at > statement_timestamp())
"""

log = structlog.get_logger(__name__)


def connect(url: str, *, name: str) -> psycopg.Connection:
    """A connection of its own that notices a dead server."""
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=5,
        keepalives=1,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=2,
        tcp_user_timeout=8000,
        application_name=name,
    )


def watch(url: str) -> None:
    """Run until the process is told to stop; a lost database is waited for."""
    if env.RUNTIME == "kubernetes":
        from reconciler.kubernetes import watch as cluster_watch

        cluster_watch.start()
    wait = 0.0
    while True:
        try:
            with connect(url, name="ambient-watcher") as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                log.info("listening", channel=CHANNEL)
                wait = 0.0
                while True:
                    _look(connection)
        except psycopg.Error as exc:
            wait = min(wait * 2 or 0.5, LONGEST_WAIT_SECONDS)
            log.warning("database is away", error=str(exc).strip(), next_try_seconds=wait)
            time.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - spreads reconnects


def _look(connection: psycopg.Connection) -> None:
    """Wake workers for what is due, then wait for a notification, the next due time or the poll."""
    row = connection.execute(_DUE, [env.WORKER_CONCURRENCY]).fetchone()
    due, next_due = row if row is not None else (0, None)
    if due:
        wake(due)
    timeout = POLL_SECONDS if next_due is None else min(POLL_SECONDS, max(next_due, MERGE_SECONDS))
    for _ in connection.notifies(timeout=timeout, stop_after=1):
        time.sleep(MERGE_SECONDS)  # what comes together is looked at together
    for _ in connection.notifies(timeout=0):
        pass
