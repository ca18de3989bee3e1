"""Pending work as rows: ask, see, claim, renew, finish (docs/reconciling.md).

A claim is a token with an end. Whoever claims next writes a new token, so a late writer is recognised and
refused; nothing rests on only one pass running at a time.
"""

import datetime
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import DatabaseError, connection, connections

from reconciler.errors import ClaimLost

LOCK_SECONDS = 10.0
RENEW_EVERY_SECONDS = 3.0
RENEW_AT_MOST_SECONDS = 30.0
LONGEST_BACKOFF_SECONDS = 300.0
LAST_ERROR_LENGTH = 2000

log = structlog.get_logger(__name__)

# statement_timestamp() is stable inside one statement, so that the index on due_at is used.
_FREE = "due_at <= statement_timestamp() AND (locked_until IS NULL OR locked_until <= statement_timestamp())"
_CLAIM = f"""
WITH held AS MATERIALIZED (
  SELECT project, count(*) AS passes FROM reconciler_workitem
  WHERE locked_until IS NOT NULL AND locked_until > statement_timestamp() GROUP BY project
), chosen AS (
  SELECT w.id FROM reconciler_workitem w
  WHERE {_FREE}
  ORDER BY w.urgent DESC, coalesce((SELECT passes FROM held WHERE held.project = w.project), 0),
    w.due_at, w.id
  LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE reconciler_workitem w SET
  token = nextval('ambient_work_token'),
  locked_until = statement_timestamp() + make_interval(secs => %(lock)s),
  attempts = w.attempts + 1,
  due_at = statement_timestamp()
    + make_interval(secs => least(%(longest)s, power(2, least(w.attempts, 20))) * %(jitter)s)
FROM chosen WHERE w.id = chosen.id
RETURNING w.id, w.kind, w.key, w.project, w.version, w.token, w.attempts, w.requested_at, w.trace
"""  # noqa: S608 - only constants of this module
_FINISH_LATER = """
UPDATE reconciler_workitem SET
  due_at = statement_timestamp() + make_interval(secs => %(after)s), attempts = 0,
  token = NULL, locked_until = NULL, urgent = false, last_error = NULL,
  trace = CASE WHEN %(settled)s THEN NULL ELSE trace END
WHERE id = %(id)s AND token = %(token)s AND version = %(version)s
"""
_FINISH = "DELETE FROM reconciler_workitem WHERE id = %(id)s AND token = %(token)s AND version = %(version)s"
_FINISH_AGAIN = """
UPDATE reconciler_workitem SET
  due_at = least(due_at, statement_timestamp()), attempts = 0,
  token = NULL, locked_until = NULL, last_error = NULL
WHERE id = %(id)s AND token = %(token)s
"""
_GIVE_BACK = """
UPDATE reconciler_workitem SET token = NULL, locked_until = NULL, last_error = coalesce(%(error)s, last_error)
WHERE id = %(id)s AND token = %(token)s
"""
# One that is put off for a known time does not back off besides: its next pass may end well.
_PUT_OFF = """
UPDATE reconciler_workitem SET
  token = NULL, locked_until = NULL, last_error = coalesce(%(error)s, last_error),
  attempts = least(attempts, 2), -- more than one: it counts as tried again
  due_at = CASE WHEN version = %(version)s THEN statement_timestamp() + make_interval(secs => %(delay)s)
           ELSE least(due_at, statement_timestamp() + make_interval(secs => %(delay)s)) END
WHERE id = %(id)s AND token = %(token)s
"""
_RENEW = """
UPDATE reconciler_workitem SET locked_until = statement_timestamp() + make_interval(secs => %(lock)s)
WHERE id = %(id)s AND token = %(token)s
"""


@dataclass(frozen=True)
class Claim:
    """The right to work on one key for a while. `version` is what was asked for when it was taken.

    `trace` is the W3C traceparent of the request that asked, until its wish is fulfilled.
    """

    id: int
    kind: str
    key: str
    project: str
    version: int
    token: int
    attempts: int
    requested_at: datetime.datetime
    trace: str | None = None
    taken_at: float = field(default_factory=time.monotonic, compare=False)

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Keep the claim while the block runs, at most 30 s: a hung pass loses its key."""
        _renewer.add(self)
        try:
            yield
        finally:
            _renewer.remove(self)


def _execute(sql: str, params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def seen(kind: str, key: str, project: str = "") -> None:
    """Something about the key has changed: brings a waiting deadline forward, never shortens a back-off."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ambient_seen(%s, %s, %s)", [kind, key, project])


def ask(kind: str, key: str, project: str = "", *, urgent: bool = False) -> None:
    """Make the key due now, whatever back-off there was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ambient_ask(%s, %s, %s, %s)", [kind, key, project, urgent])


def ensure(kind: str, key: str) -> None:
    """Make sure that the item exists; one that is there keeps its time."""
    sql = """
    INSERT INTO reconciler_workitem (kind, key, project, version, due_at, urgent, attempts, requested_at)
    VALUES (%s, %s, '', 1, clock_timestamp(), false, 0, clock_timestamp()) ON CONFLICT (kind, key) DO NOTHING
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [kind, key])


def claim_next() -> Claim | None:
    """Take the next due key: stops and deletes, then by fewest passes of its project at work, then oldest.

    The back-off is written now, so that a key that kills its worker backs off too.
    """
    params = {
        "lock": LOCK_SECONDS,
        "longest": LONGEST_BACKOFF_SECONDS,
        "jitter": random.uniform(1.0, 1.2),  # noqa: S311 - spreads retries, guards nothing
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, params)
        row = cursor.fetchone()
    return None if row is None else Claim(*row)


def renew(claim: Claim) -> bool:
    """Hold the claim for another while; False when it is lost."""
    return _execute(_RENEW, {"lock": LOCK_SECONDS, "id": claim.id, "token": claim.token}) == 1


def finish(claim: Claim, requeue_after: float | None, *, settled: bool = False) -> bool:
    """The pass is done: forget the key or look again later. False when it is due anyway or no longer ours.

    It has ended well, so there is no back-off any more, also where something was asked or seen meanwhile.
    `settled`: what was asked for is there; later passes are nobody's request any more.
    """
    params = {"id": claim.id, "token": claim.token, "version": claim.version}
    if requeue_after is None:
        done = _execute(_FINISH, params)
    else:
        done = _execute(_FINISH_LATER, params | {"after": max(requeue_after, 0.0), "settled": settled})
    if not done:
        _execute(_FINISH_AGAIN, params)
    return bool(done)


def release(claim: Claim, *, error: str | None = None, delay: float | None = None) -> None:
    """Give the key back after a failure: the back-off of the claim stands, unless the error names a delay.

    A wish that came meanwhile keeps its own time.
    """
    text = error[:LAST_ERROR_LENGTH].replace("\0", "") if error else None
    params = {"id": claim.id, "token": claim.token, "error": text}
    if delay is None:
        _execute(_GIVE_BACK, params)
    else:
        _execute(_PUT_OFF, params | {"version": claim.version, "delay": delay})


def check_claim(claim: Claim) -> None:
    """The last statement of every transaction of a pass; raises ClaimLost, which rolls it back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM reconciler_workitem WHERE id = %s AND token = %s FOR SHARE",
            [claim.id, claim.token],
        )
        if cursor.fetchone() is None:
            raise ClaimLost(f"{claim.kind} {claim.key}")


def due_count(limit: int) -> int:
    """How many keys could be claimed now, counted up to the limit."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM reconciler_workitem WHERE {_FREE} LIMIT %s) AS due",  # noqa: S608
            [limit],
        )
        return int(cursor.fetchone()[0])


class _Renewer:
    """One thread a process renews what the process holds; it has a connection only while it writes."""

    def __init__(self) -> None:
        self._claims: set[Claim] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, claim: Claim) -> None:
        with self._lock:
            self._claims.add(claim)
            if self._thread is None or not self._thread.is_alive():  # also after a fork
                self._thread = threading.Thread(target=self._run, name="renew-claims", daemon=True)
                self._thread.start()

    def remove(self, claim: Claim) -> None:
        with self._lock:
            self._claims.discard(claim)

    def _run(self) -> None:
        while True:
            time.sleep(RENEW_EVERY_SECONDS / 3)
            with self._lock:
                claims = list(self._claims)
                if not claims:
                    self._thread = None
                    return
            now = time.monotonic()
            old = [c for c in claims if RENEW_EVERY_SECONDS <= now - c.taken_at <= RENEW_AT_MOST_SECONDS]
            if old:
                self._renew(old)

    def _renew(self, claims: list[Claim]) -> None:
        try:
            for claim in claims:
                if not renew(claim):
                    self.remove(claim)
        except DatabaseError as exc:
            log.warning("claims were not renewed", error=type(exc).__name__)
        finally:
            connections.close_all()  # of this thread


_renewer = _Renewer()
