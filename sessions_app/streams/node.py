"""The streams of one process: everything that is started and stopped together."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog

from ambient import env
from ambient.common import hints
from ambient.common.tasks import end
from sessions_app.streams import metrics
from sessions_app.streams.frames import Frame
from sessions_app.streams.holder import Holder
from sessions_app.streams.hub import Feed, Hub
from sessions_app.streams.intake import Ports
from sessions_app.streams.lease import Heartbeat, Leases
from sessions_app.streams.link import Link
from sessions_app.streams.message_frames import message_frame
from sessions_app.streams.pools import TRANSIENT, Pools
from sessions_app.streams.runs import Runs
from sessions_app.streams.store import Store, Stored
from sessions_app.streams.tail import Page
from sessions_app.streams.timing import Timing

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limits:
    """Open streams."""

    per_user: int = env.WATCHERS_PER_USER
    per_process: int = env.WATCHERS_PER_PROCESS


class Node:
    """Hub, store and (on the control plane) holder of one process."""

    def __init__(self, *, holds: bool, timing: Timing | None = None, limits: Limits | None = None) -> None:
        self.timing = timing or Timing.from_env()
        self.pools = Pools()
        self.store = Store(self.pools)
        self.runs = Runs(self.pools)
        limits = limits or Limits()
        self.hub = Hub(
            Feed(self.store.page, self.store.heads),
            Feed(self._message_page, self.store.message_heads),
            per_user=limits.per_user,
            per_process=limits.per_process,
            stall=self.timing.stall,
            access=self.timing.access,
        )
        self.link = Link(self._on_hint)
        self.heartbeat = Heartbeat(self.timing)
        self.http: aiohttp.ClientSession  # towards runners, or the control plane; open between start and stop
        self._holds = holds
        self.holder: Holder | None = None
        self._checks: asyncio.Task[None] | None = None
        self._recheck: asyncio.Task[None] | None = None
        self._drain: asyncio.Task[None] | None = None
        self._rechecked = float("-inf")

    async def start(self) -> None:
        """Open the pools and begin; nothing here needs the servers to be there already."""
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=False)
        await self.pools.open()
        await self.link.start()
        self._checks = asyncio.create_task(self._check(), name="stream checks")
        if self._holds:
            metrics.show_heartbeat()
            self.holder = self._make_holder()
            await self.holder.start()

    def _make_holder(self) -> Holder:
        ports = Ports(self.store, self.heartbeat, self.timing, self._publish, self._still_there)
        leases = Leases(self.pools, self.heartbeat, self.timing)
        return Holder(ports, self.runs, leases, self.heartbeat, self.link, self.timing, self.http)

    def begin_drain(self) -> None:
        """The process was told to stop: watchers end and reconnect elsewhere with their cursor."""
        self.hub.close()
        if self.holder is not None and self._drain is None:
            self._drain = asyncio.create_task(self.holder.drain(), name="drain")

    async def stop(self) -> None:
        """End in order: watchers, streams, hints, connections."""
        self.begin_drain()
        if self._drain is not None:
            await self._drain
        if self.holder is not None:
            await self.holder.stop()
        await self._end()

    async def kill(self) -> None:
        """As if the process had died: nothing is handed over or given back. For tests of exactly that."""
        self.hub.close()
        if self.holder is not None:
            await self.holder.kill()
            await self.heartbeat.kill()
        await self._end()

    async def _end(self) -> None:
        await end(self._checks, self._recheck)
        self._checks = None
        await self.link.stop()
        await self.http.close()
        await self.pools.close()

    async def _check(self) -> None:
        """The slow ways that need no hint: heads of watched sessions, access, stalls."""
        while True:
            await asyncio.sleep(self.timing.poll)
            metrics.HEARTBEAT.set(self.heartbeat.alive)
            try:
                await self.hub.events.check_heads()
                await self.hub.messages.check_heads()
            except TRANSIENT as exc:
                log.warning("heads were not read", error=type(exc).__name__)
            await self.hub.check()

    def _on_hint(self, channel: str, payload: str) -> None:
        session, seq = hints.parse(payload)
        if channel == hints.HEADS:
            self.hub.events.hint(session, seq)
        elif channel == hints.MESSAGES:
            self.hub.messages.hint(session, seq)
        elif channel == hints.WORK and self.holder is not None:
            self.holder.hint(session)
        elif channel == hints.ACCESS:
            self._recheck_access()

    def _recheck_access(self) -> None:
        """Grants changed somewhere. Many changes in a row are one check."""
        self.hub.recheck_access()
        if time.monotonic() - self._rechecked > 0.2 and self._checks is not None:
            self._rechecked = time.monotonic()
            asyncio.get_running_loop().call_later(0.2, self._start_recheck)

    def _start_recheck(self) -> None:
        if self._checks is not None:
            self._recheck = asyncio.create_task(self.hub.check(), name="access check")

    def _publish(self, session: str, prev_seq: int, frames: Sequence[Frame], stored: Stored) -> None:
        """After a commit: to the watchers of this process, and a hint to the others."""
        self.hub.events.publish(session, prev_seq, frames)
        self.link.say(hints.HEADS, session, frames[-1].seq)
        if stored.message_seq is not None:
            self.hub.messages.hint(session, stored.message_seq)
            self.link.say(hints.MESSAGES, session, stored.message_seq)

    async def _message_page(self, session: str, after: int) -> Page:
        head, rows = await self.store.message_page(session, after)
        return Page(head, [message_frame(row) for row in rows])

    async def _still_there(self, session: str) -> bool:
        """Whether the session still has a runner according to its row."""
        try:
            return (await self.runs.session(session)).target is not None
        except TRANSIENT:
            return True

    def readiness(self) -> str | None:
        """What is not ready, in one phrase; None when all is."""
        if self.holder is not None and not self.heartbeat.alive:
            return "stream heartbeat is not renewed"
        return None


_current: Node | None = None


def current() -> Node:
    """The process's node; there is one while the server runs."""
    if _current is None:
        raise RuntimeError("streams are not running in this process")
    return _current


def set_current(node: Any) -> None:
    """Make a node the process's own (None: none)."""
    global _current
    _current = node
