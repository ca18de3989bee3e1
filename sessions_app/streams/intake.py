"""Taking in one active run from its runner: events, acknowledging, re-attaching, interrupting."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from sessions_app.choices import DeliveryReason
from sessions_app.streams import metrics
from sessions_app.streams.derive import is_terminal
from sessions_app.streams.frames import BadEvent, Event, Frame, decode_event, encode_event
from sessions_app.streams.lease import Heartbeat
from sessions_app.streams.runner import Incoming, OtherInstance, Refused, RunnerClient, Unreachable
from sessions_app.streams.store import Lease, LeaseLost, Store, Stored
from sessions_app.streams.timing import Timing

log = structlog.get_logger(__name__)

BATCH_EVENTS = 1000
BATCH_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Broken:
    """Why a run has to be ended by the platform. `reason` None: it was interrupted and did not end."""

    reason: DeliveryReason | None
    message: str


@dataclass
class Received:
    """One event on its way into the store."""

    event: Event
    index: int
    encoded: bytes


@dataclass
class Inbox:
    """What was received and is not stored yet, bounded in bytes and number."""

    items: deque[Received] = field(default_factory=deque)
    size: int = 0
    has_some: asyncio.Event = field(default_factory=asyncio.Event)
    has_room: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, item: Received) -> None:
        """Add one; waits while a full batch lies here already, which holds the runner back."""
        while self.size >= BATCH_BYTES or len(self.items) >= BATCH_EVENTS:
            self.has_room.clear()
            await self.has_room.wait()
        self.items.append(item)
        self.size += len(item.encoded)
        self.has_some.set()

    def take(self) -> list[Received]:
        """Everything that is here."""
        taken = list(self.items)
        self.items.clear()
        self.size = 0
        self.has_some.clear()
        self.has_room.set()
        return taken


@dataclass(frozen=True)
class Ports:
    """What a reader works with."""

    store: Store
    heartbeat: Heartbeat
    timing: Timing
    publish: Callable[[str, int, Sequence[Frame], Stored], None]
    still_there: Callable[[str], Awaitable[bool]]


def now_ms() -> int:
    """Milliseconds since 1970, as AG-UI timestamps are."""
    return time.time_ns() // 1_000_000


def run_started(session: str, run: str) -> Event:
    """The start of a run whose runner never sent one."""
    return {"type": "RUN_STARTED", "threadId": session, "runId": run, "protocolVersion": "1.0"}


def dropped(type_: str, reason: str) -> Event:
    """The mark in place of an event that could not be stored."""
    return {
        "type": "CUSTOM",
        "name": "ambient:dropped",
        "value": {"type": type_[:64], "reason": reason},
        "timestamp": now_ms(),
    }


class Intake:
    """Reads one run into its inbox. Nothing here touches the database."""

    def __init__(self, ports: Ports, lease: Lease, run: str, client: RunnerClient) -> None:
        self._ports = ports
        self._lease = lease
        self._run = run
        self._client = client
        self._received = lease.run_index
        self.inbox = Inbox()
        self.numbered = False
        self.broken: Broken | None = None
        self.lost = False
        self.interrupted = asyncio.Event()

    async def pump(self, run_input: dict[str, Any] | None, attach: bool) -> None:
        """Receive until the run's last event; trouble ends up in `broken`."""
        try:
            await self._receive(run_input, attach)
        except (OtherInstance, Refused, Unreachable, BadEvent) as exc:
            self._break(_broken(exc))
        except LeaseLost:
            self.lose()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("reading a run failed", run=self._run)
            self._break(Broken(DeliveryReason.STREAM_LOST, "The platform could not read the run."))

    def lose(self) -> None:
        """The stream is not ours any more."""
        self.lost = True
        self.inbox.has_some.set()

    def _break(self, broken: Broken) -> None:
        self.broken = self.broken or broken
        self.inbox.has_some.set()

    async def _receive(self, run_input: dict[str, Any] | None, attach: bool) -> None:
        busy_until = time.monotonic() + self._ports.timing.interrupt
        while True:
            await self._ports.heartbeat.wait_alive()
            answered = False
            try:
                stream = (
                    self._client.attach(self._run, self._received)
                    if attach or run_input is None
                    else self._client.run(run_input)
                )
                async with stream as batches:
                    answered = True
                    async for batch in batches:
                        if await self._take(batch):
                            return
                raise Unreachable("the stream ended before the run did")
            except Unreachable:
                if answered and not self.numbered:
                    raise
                await self._wait_for_runner()
                attach = True
            except Refused as exc:
                if exc.reason == "StaleEpoch":
                    raise LeaseLost(self._lease.session) from exc
                if exc.reason == "RunKnown" and not attach:
                    attach = True
                elif exc.reason == "RunUnknown" and attach and not self._received and run_input is not None:
                    attach = False
                elif exc.reason == "RunActive" and time.monotonic() < busy_until:
                    await asyncio.sleep(0.2)
                else:
                    raise

    async def _wait_for_runner(self) -> None:
        """After a lost connection: the same runner has to prove itself within a short time."""
        until = time.monotonic() + self._ports.timing.reconnect
        while True:
            await self._ports.heartbeat.wait_alive()
            try:
                await self._client.prove()
            except Unreachable as exc:
                if not await self._ports.still_there(self._lease.session):
                    raise OtherInstance("the runner was replaced") from exc
                if time.monotonic() >= until:
                    raise
                await asyncio.sleep(0.1)
            else:
                return

    async def _take(self, batch: list[Incoming]) -> bool:
        """Queue events for the store; True after the run's last one."""
        await self._ports.heartbeat.wait_alive()
        for incoming in batch:
            if incoming.index is not None:
                self.numbered = True
                if incoming.index <= self._received:
                    continue
                if incoming.index != self._received + 1:
                    raise Refused(502, "events are missing")
                self._received = incoming.index
            else:
                self._received += 1
            event = self._decoded(incoming)
            await self.inbox.put(Received(event, self._received, encode_event(event)))
            if is_terminal(event):
                return True
        return False

    @staticmethod
    def _decoded(incoming: Incoming) -> Event:
        try:
            return decode_event(incoming.data)
        except BadEvent as exc:
            metrics.DROPPED.labels("unreadable").inc()
            return dropped("unknown", str(exc))

    async def acknowledge(self) -> None:
        """Once a second the runner hears what is stored, so that it may forget it."""
        told = 0
        while True:
            await asyncio.sleep(self._ports.timing.ack)
            stored = self._lease.run_index
            if not self.numbered or stored <= told or not self._ports.heartbeat.alive:
                continue
            try:
                await self._client.ack(self._run, stored)
                told = stored
            except (Unreachable, Refused) as exc:
                log.debug("ack was not taken", run=self._run, error=str(exc))

    async def pass_on_interrupt(self) -> None:
        """The holder alone interrupts. An agent that does not end by then is ended for the watchers."""
        await self.interrupted.wait()
        until = time.monotonic() + self._ports.timing.interrupt
        while time.monotonic() < until:
            await self._ports.heartbeat.wait_alive()
            try:
                await self._client.interrupt(self._run)
                break
            except (Unreachable, Refused) as exc:
                log.info("interrupt was not taken", run=self._run, error=str(exc))
                await asyncio.sleep(min(1.0, self._ports.timing.interrupt / 4))
        await asyncio.sleep(max(0.0, until - time.monotonic()))
        self._break(Broken(None, "The run was interrupted."))


def _broken(exc: Exception) -> Broken:
    """How trouble with a runner is told."""
    match exc:
        case OtherInstance():
            return Broken(
                DeliveryReason.RUNNER_RESTARTED, "The runner was restarted before the run had ended."
            )
        case Refused():
            return Broken(DeliveryReason.RUNNER_REFUSED, f"The runner refused the run ({exc.reason}).")
        case _:
            return Broken(DeliveryReason.STREAM_LOST, "The connection to the runner was lost.")
