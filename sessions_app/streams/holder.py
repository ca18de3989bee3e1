"""The holder's side of a control-plane process: finds work, takes streams, and gives them back."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

import aiohttp
import structlog

from ambient.common import hints
from ambient.common.tasks import end
from sessions_app.streams import metrics
from sessions_app.streams.driver import Driver, HandOver, NotReady
from sessions_app.streams.intake import Ports
from sessions_app.streams.lease import Heartbeat, Leases
from sessions_app.streams.link import Link
from sessions_app.streams.pools import TRANSIENT
from sessions_app.streams.runs import Runs
from sessions_app.streams.store import Lease, LeaseLost
from sessions_app.streams.surroundings import expire_interrupts
from sessions_app.streams.timing import Timing

log = structlog.get_logger(__name__)

TAKES_A_ROUND = 50
MOST_STREAMS = 2000


@dataclass
class Held:
    """One stream that this process drives."""

    driver: Driver
    task: asyncio.Task[None]


@dataclass
class Holder:
    """Polls and listens for work while it runs; every stream has one driver task."""

    ports: Ports
    runs: Runs
    leases: Leases
    heartbeat: Heartbeat
    link: Link
    timing: Timing
    http: aiohttp.ClientSession
    held: dict[str, Held] = field(default_factory=dict)
    draining: bool = False
    _not_before: dict[str, float] = field(default_factory=dict)
    _hinted: set[str] = field(default_factory=set)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _again: set[str] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin looking for work."""
        self.heartbeat.on_return = self._check_held
        await self.heartbeat.start()
        self._task = asyncio.create_task(self._run(), name="stream holder")

    def hint(self, session: str) -> None:
        """Something is to be done for this session, perhaps by us."""
        self._hinted.add(session)
        self._wanted.set()

    async def drain(self) -> None:
        """Hand over what can go on elsewhere at once, let the rest end within the grace period."""
        self.draining = True
        for held in list(self.held.values()):
            held.driver.drain(now=held.driver.can_hand_over)
        tasks = [held.task for held in self.held.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self.timing.drain)
            for held in [held for held in list(self.held.values()) if held.task in late]:
                held.driver.drain(now=True)
            if late:
                await asyncio.wait(late, timeout=1.0)

    async def stop(self) -> None:
        """Drain, then end."""
        if self._task is None:
            return
        await self.drain()
        await self.kill()
        await self.heartbeat.stop()

    async def kill(self) -> None:
        """End at once and tidy up nothing in the database: as if the process had died."""
        await end(self._task)  # first: it starts the others
        await end(*(held.task for held in self.held.values()))
        self._task = None

    # --- looking for work

    async def _run(self) -> None:
        next_poll = 0.0
        while True:
            try:
                if time.monotonic() >= next_poll:
                    next_poll = time.monotonic() + self.timing.poll
                    await self._poll()
                hinted, self._hinted = self._hinted, set()
                self._wanted.clear()
                if hinted:
                    await self._follow_hints(hinted)
            except TRANSIENT as exc:
                log.warning("the holder waits for the database", error=type(exc).__name__)
                await asyncio.sleep(min(0.5, self.timing.poll))
            except Exception:
                log.exception("looking for work failed")
                await asyncio.sleep(min(0.5, self.timing.poll))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, next_poll - time.monotonic())):
                    await self._wanted.wait()

    async def _poll(self) -> None:
        if self.draining or not self.heartbeat.alive:
            return
        self._not_before = {s: t for s, t in self._not_before.items() if t > time.monotonic()}
        await self._take(TAKES_A_ROUND)
        for session, epoch in await self.leases.strays(list(self.held)):
            await self.leases.release(Lease(session, self.heartbeat.process, epoch, 0, None, 0))
            self.hint(session)
        await self._look_for_interrupts(list(self.held))
        if await self.leases.any_expired_interrupt():
            await expire_interrupts()

    async def _follow_hints(self, sessions: set[str]) -> None:
        ours = [session for session in sessions if session in self.held]
        self._again.update(ours)
        await self._look_for_interrupts(ours)
        if not self.draining and self.heartbeat.alive:
            for session in sessions.difference(ours):
                self._not_before.pop(session, None)
                await self._take(1, only=session)

    async def _look_for_interrupts(self, sessions: list[str]) -> None:
        if not sessions:
            return
        for session, run in (await self.runs.to_interrupt(sessions)).items():
            if session in self.held:
                self.held[session].driver.interrupt(run)

    async def _take(self, limit: int, only: str | None = None) -> None:
        if len(self.held) >= MOST_STREAMS and await self.leases.others_live():
            return
        for session, seen in await self.leases.candidates(limit, only):
            if session in self.held or session in self._not_before:
                continue
            lease = await self.leases.take(session, seen)
            if lease is not None:
                self._drive(lease)

    # --- driving

    def _drive(self, lease: Lease) -> None:
        driver = Driver(self.ports, self.runs, self.http, lease)
        task = asyncio.create_task(self._driven(driver), name=f"stream {lease.session}")
        self.held[lease.session] = Held(driver, task)
        metrics.LEASES.set(len(self.held))

    async def _driven(self, driver: Driver) -> None:
        """Drive to the end and give the stream back; when cancelled, leave everything as it is."""
        session = driver.lease.session
        try:
            await driver.drive()
        except LeaseLost:
            metrics.LOST.inc()
            log.info("stream lost to another process", session=session)
        except HandOver:
            log.info("stream is handed over", session=session)
        except NotReady as exc:
            log.info("the runner is not ready", session=session, why=str(exc))
            self._not_before[session] = time.monotonic() + self.timing.poll
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("driving a stream failed", session=session)
            self._not_before[session] = time.monotonic() + self.timing.poll
        await self._give_back(driver.lease)

    async def _give_back(self, lease: Lease) -> None:
        try:
            await self.leases.release(lease)
        except TRANSIENT as exc:  # the next poll finds it as a stray
            log.warning("stream was not given back", session=lease.session, error=type(exc).__name__)
        self.held.pop(lease.session, None)
        metrics.LEASES.set(len(self.held))
        if self.draining:
            self.link.say(hints.WORK, lease.session)
        elif lease.session in self._again:
            self._again.discard(lease.session)
            if lease.session not in self._not_before:
                self.hint(lease.session)

    async def _check_held(self) -> None:
        """After a time without heartbeat: which streams were taken by others meanwhile."""
        if not self.held:
            return
        own = await self.leases.still_own(list(self.held))
        for session, held in list(self.held.items()):
            if own.get(session) != held.driver.lease.epoch:
                held.driver.lose()
