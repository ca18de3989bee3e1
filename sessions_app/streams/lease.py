"""Who may append: the heartbeat of this process, and taking and giving back single streams.

A stream is owned while its owner's heartbeat row has not expired. Every take raises the epoch, and every
append names owner and epoch, so that whoever lost a stream without noticing is refused.
"""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import structlog

from ambient.common.tasks import end
from sessions_app.streams import metrics
from sessions_app.streams.pools import TRANSIENT, Pools, connect
from sessions_app.streams.store import Lease
from sessions_app.streams.timing import Timing

log = structlog.get_logger(__name__)

RUNNABLE = """
EXISTS (SELECT 1 FROM sessions_app_run r WHERE r.session_id = {session} AND r.state = 'queued'
        AND (r.resumes IS NOT NULL OR NOT EXISTS (
          SELECT 1 FROM sessions_app_interrupt i WHERE i.session_id = {session} AND i.state = 'open')))
"""
"""A queued run that may be sent: while a person is asked something, only a resume is."""

_RENEW = """
INSERT INTO sessions_app_streamowner (process, hostname, started_at, expires_at)
VALUES (%(process)s, %(hostname)s, clock_timestamp(), clock_timestamp() + %(life)s * interval '1 second')
ON CONFLICT (process) DO UPDATE SET expires_at = EXCLUDED.expires_at
"""
_CLEAN = "DELETE FROM sessions_app_streamowner WHERE expires_at < clock_timestamp() - interval '1 hour'"
_NO_LIVE_OWNER = """
(s.owner IS NULL OR (NOT EXISTS (
   SELECT 1 FROM sessions_app_streamowner o WHERE o.process = s.owner AND o.expires_at > clock_timestamp())
 AND clock_timestamp() > pg_postmaster_start_time() + %(guard)s * interval '1 second'))
"""
_CANDIDATES = f"""
SELECT found.session_id, found.epoch FROM (
  SELECT s.session_id, s.epoch FROM sessions_app_sessionstream s WHERE s.session_id IN (
    SELECT r.session_id FROM sessions_app_run r JOIN sessions_app_session x ON x.id = r.session_id
    WHERE r.state = 'queued' AND x.phase = 'Running'
    UNION SELECT r.session_id FROM sessions_app_run r WHERE r.state = 'running')
  AND {_NO_LIVE_OWNER}
  AND (s.run IS NOT NULL OR {RUNNABLE.format(session="s.session_id")})
  AND (%(only)s::text IS NULL OR s.session_id = %(only)s)
) AS found ORDER BY random() LIMIT %(limit)s
"""  # noqa: S608 - made of constants
_TAKE = f"""
UPDATE sessions_app_sessionstream s SET owner = %(owner)s, epoch = epoch + 1
WHERE s.session_id = %(session)s AND s.epoch = %(seen)s AND {_NO_LIVE_OWNER}
RETURNING epoch, event_seq, run, run_index
"""  # noqa: S608 - made of constants
_RELEASE = """
UPDATE sessions_app_sessionstream SET owner = NULL
WHERE session_id = %s AND owner = %s AND epoch = %s
"""
_STRAYS = """
SELECT s.session_id, s.epoch FROM sessions_app_sessionstream s
WHERE s.session_id IN (SELECT r.session_id FROM sessions_app_run r WHERE r.state IN ('queued', 'running'))
  AND s.owner = %s AND NOT s.session_id = ANY(%s)
"""
_EXPIRED = """
SELECT 1 FROM sessions_app_interrupt WHERE state = 'open' AND expires_at < clock_timestamp() LIMIT 1
"""
_OTHERS = """
SELECT 1 FROM sessions_app_streamowner WHERE process <> %s AND expires_at > clock_timestamp() LIMIT 1
"""
_OWN = "SELECT session_id, epoch FROM sessions_app_sessionstream WHERE owner = %s AND session_id = ANY(%s)"


class Heartbeat:
    """This process's `StreamOwner` row, renewed on a connection of its own."""

    def __init__(self, timing: Timing) -> None:
        self.process = secrets.token_hex(16)
        self._timing = timing
        self._deadline = 0.0
        self._alive = asyncio.Event()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self.on_return: Callable[[], Awaitable[None]] | None = None

    @property
    def alive(self) -> bool:
        """Whether this process may still count its streams as its own."""
        return time.monotonic() < self._deadline

    async def wait_alive(self) -> None:
        """Return as soon as the process may act as owner; at once in the usual case."""
        while not self.alive:
            self._alive.clear()
            await self._alive.wait()

    async def start(self) -> None:
        """Begin renewing; returns at once, `alive` tells."""
        self._task = asyncio.create_task(self._run(), name="stream heartbeat")

    async def stop(self) -> None:
        """End at once: the row expires now, so that others need not wait."""
        if self._task is None:
            return
        await end(self._task)
        self._task = None
        self._deadline = 0.0
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*TRANSIENT):
                await connection.execute(
                    "DELETE FROM sessions_app_streamowner WHERE process = %s", [self.process]
                )
            await connection.close()

    async def kill(self) -> None:
        """End without a word to the database: the row lives on until it expires."""
        await end(self._task)
        self._task = None
        self._deadline = 0.0
        await self._disconnect()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._timing.own):
                    await self._renew()
            except (*TRANSIENT, TimeoutError) as exc:
                log.warning("stream heartbeat was not renewed", error=type(exc).__name__)
                await self._disconnect()
                await asyncio.sleep(min(0.2, self._timing.renew))
                continue
            await asyncio.sleep(self._timing.renew)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*TRANSIENT):
                await connection.close()

    async def _renew(self) -> None:
        sent = time.monotonic()
        if self._connection is None:
            self._connection = await connect()
            sent = time.monotonic()
            await self._connection.execute(_CLEAN)
        await self._connection.execute(
            _RENEW,
            {"process": self.process, "hostname": socket.gethostname(), "life": self._timing.lease},
        )
        returned = not self.alive
        if returned and self.on_return is not None:
            await self.on_return()
        self._deadline = sent + self._timing.own
        metrics.HEARTBEAT.set(1)
        self._alive.set()


class Leases:
    """Taking and giving back streams for one process."""

    def __init__(self, pools: Pools, heartbeat: Heartbeat, timing: Timing) -> None:
        self._pools = pools
        self._heartbeat = heartbeat
        self._timing = timing

    async def candidates(self, limit: int, only: str | None = None) -> list[tuple[str, int]]:
        """(session, epoch) of streams that have work and no live owner, in random order."""
        async with self._pools.append() as connection:
            cursor = await connection.execute(
                _CANDIDATES, {"guard": self._timing.guard, "limit": limit, "only": only}
            )
            return [(row[0], row[1]) for row in await cursor.fetchall()]

    async def take(self, session: str, seen: int) -> Lease | None:
        """Take one stream as it was seen; None when somebody else was faster or its owner came back."""
        if not self._heartbeat.alive:
            return None
        async with self._pools.append() as connection:
            cursor = await connection.execute(
                _TAKE,
                {
                    "owner": self._heartbeat.process,
                    "session": session,
                    "seen": seen,
                    "guard": self._timing.guard,
                },
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        metrics.TAKEN.inc()
        return Lease(session, self._heartbeat.process, *row)

    async def release(self, lease: Lease) -> None:
        """Give a stream back; nothing happens when it is not ours any more."""
        async with self._pools.append() as connection:
            await connection.execute(_RELEASE, [lease.session, lease.owner, lease.epoch])

    async def still_own(self, sessions: list[str]) -> dict[str, int]:
        """Epochs of those streams that this process holds according to the database."""
        async with self._pools.append() as connection:
            cursor = await connection.execute(_OWN, [self._heartbeat.process, sessions])
            return dict(await cursor.fetchall())

    async def strays(self, held: list[str]) -> list[tuple[str, int]]:
        """Streams that are ours in the database and have work, but that nobody here drives."""
        async with self._pools.append() as connection:
            cursor = await connection.execute(_STRAYS, [self._heartbeat.process, held])
            return [(row[0], row[1]) for row in await cursor.fetchall()]

    async def others_live(self) -> bool:
        """Whether another process could hold streams as well."""
        async with self._pools.append() as connection:
            cursor = await connection.execute(_OTHERS, [self._heartbeat.process])
            return await cursor.fetchone() is not None

    async def any_expired_interrupt(self) -> bool:
        """Whether an open interrupt's time is over."""
        async with self._pools.append() as connection:
            return await (await connection.execute(_EXPIRED)).fetchone() is not None
