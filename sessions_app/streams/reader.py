"""One active run: the runner's events are taken in, stored in batches and handed to the hub, to its end."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from sessions_app.choices import DeliveryReason, RunState
from sessions_app.streams import metrics
from sessions_app.streams.closers import stamped
from sessions_app.streams.derive import Effects, RunView, is_terminal
from sessions_app.streams.frames import (
    BadEvent,
    Event,
    Frame,
    decode_event,
    encode_event,
    frames_of,
)
from sessions_app.streams.lease import Heartbeat
from sessions_app.streams.runner import Incoming, OtherInstance, Refused, RunnerClient, Unreachable
from sessions_app.streams.store import Batch, DataRefused, Lease, LeaseLost, Store, Stored
from sessions_app.streams.timing import Timing

log = structlog.get_logger(__name__)

BATCH_EVENTS = 1000
BATCH_BYTES = 1024 * 1024


class HandOver(Exception):
    """This process stops: another one goes on with the run."""


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


class RunReader:
    """Reads one run from its runner into the store."""

    def __init__(
        self, ports: Ports, lease: Lease, run: str, client: RunnerClient | None, view: RunView
    ) -> None:
        self._ports = ports
        self._lease = lease
        self._run = run
        self._client = client
        self._view = view
        self._inbox = Inbox()
        self._received = lease.run_index
        self._numbered = False
        self._broken: Broken | None = None
        self._lost = False
        self._handing_over = False
        self._interrupt = asyncio.Event()

    @property
    def can_hand_over(self) -> bool:
        """Whether another process could go on reading at once."""
        return self._numbered

    def interrupt(self) -> None:
        """Somebody wants the run to end."""
        self._interrupt.set()

    def hand_over(self) -> None:
        """Stop after the batch that is being stored; `read` raises HandOver."""
        self._handing_over = True
        self._inbox.has_some.set()

    def lose(self) -> None:
        """The stream is not ours any more; `read` raises LeaseLost."""
        self._lost = True
        self._inbox.has_some.set()

    async def read(self, run_input: dict[str, Any] | None, *, attach_first: bool) -> RunState:
        """Read to the run's end. `attach_first`: the runner may know the run already.

        Raises LeaseLost or HandOver; every other trouble ends the run visibly.
        """
        self._numbered = attach_first
        tasks = [
            asyncio.create_task(self._pump(run_input, attach_first), name=f"pump {self._run}"),
            asyncio.create_task(self._acknowledge(), name=f"ack {self._run}"),
            asyncio.create_task(self._pass_on_interrupt(), name=f"interrupt {self._run}"),
        ]
        try:
            return await self._store_all()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self, broken: Broken) -> RunState:
        """End the run without its runner: closers and the last event."""
        return await self._store_end(broken)

    # --- from the runner

    async def _pump(self, run_input: dict[str, Any] | None, attach: bool) -> None:
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

    def _break(self, broken: Broken) -> None:
        self._broken = self._broken or broken
        self._inbox.has_some.set()

    async def _receive(self, run_input: dict[str, Any] | None, attach: bool) -> None:
        assert self._client is not None
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
                if answered and not self._numbered:
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
        assert self._client is not None
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
                self._numbered = True
                if incoming.index <= self._received:
                    continue
                if incoming.index != self._received + 1:
                    raise Refused(502, "events are missing")
                self._received = incoming.index
            else:
                self._received += 1
            event = self._decoded(incoming)
            await self._inbox.put(Received(event, self._received, encode_event(event)))
            if is_terminal(event):
                return True
        return False

    @staticmethod
    def _decoded(incoming: Incoming) -> Event:
        try:
            return decode_event(incoming.data)
        except BadEvent as exc:
            return dropped("unknown", str(exc))

    async def _acknowledge(self) -> None:
        """Once a second the runner hears what is stored, so that it may forget it."""
        told = 0
        while self._client is not None:
            await asyncio.sleep(self._ports.timing.ack)
            stored = self._lease.run_index
            if not self._numbered or stored <= told or not self._ports.heartbeat.alive:
                continue
            try:
                await self._client.ack(self._run, stored)
                told = stored
            except (Unreachable, Refused) as exc:
                log.debug("ack was not taken", run=self._run, error=str(exc))

    async def _pass_on_interrupt(self) -> None:
        """The holder alone interrupts. An agent that does not end by then is ended for the watchers."""
        await self._interrupt.wait()
        assert self._client is not None
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

    # --- into the store

    async def _store_all(self) -> RunState:
        while True:
            await self._inbox.has_some.wait()
            if self._lost:
                raise LeaseLost(self._lease.session)
            if self._handing_over:
                raise HandOver
            taken = self._inbox.take()
            state = await self._store(taken) if taken else None
            if state is not None:
                return state
            if self._broken is not None and not self._inbox.items:
                return await self._store_end(self._broken)

    async def _store(self, taken: list[Received]) -> RunState | None:
        """One batch; the run's state when it was its last."""
        effects = Effects()
        events: list[tuple[str, bytes]] = []
        for item in taken:
            if item.event["type"] == "RUN_STARTED" and self._view.items.started:
                continue
            for event in self._before(item.event):
                self._view.feed(event, effects)
                events.append((event["type"], encode_event(event)))
            self._view.feed(item.event, effects)
            events.append((str(item.event["type"])[:64], item.encoded))
        if not events:
            return None
        batch = Batch(self._run, events, taken[-1].index, self._numbered, effects)
        try:
            await self._append(batch)
        except DataRefused:
            return await self._store_singly(taken, events, effects)
        return effects.end.state if effects.end else None

    def _before(self, event: Event) -> list[Event]:
        """What the order of the protocol wants in front: a start, and the ends of what is open."""
        if not self._view.items.started and event["type"] != "RUN_STARTED":
            return stamped([run_started(self._lease.session, self._run)], now_ms)
        if is_terminal(event):
            return stamped(self._view.items.closers(), now_ms)
        return []

    async def _store_singly(
        self, taken: list[Received], events: list[tuple[str, bytes]], effects: Effects
    ) -> RunState | None:
        """The database refused something in the batch: find it, and store a mark in its place.

        What follows from the batch goes with its last event; if that is refused as well, without it.
        """
        last = len(events) - 1
        for number, (type_, data) in enumerate(events):
            own = effects if number == last else Effects(started=effects.started and number == 0)
            index = taken[-1].index if number == last else None
            try:
                await self._append(Batch(self._run, [(type_, data)], index, self._numbered, own))
            except DataRefused as exc:
                mark = dropped(type_, f"the database refused it ({exc})")
                encoded = (str(mark["type"]), encode_event(mark))
                await self._append(Batch(self._run, [encoded], index, self._numbered))
                if number == last and effects.end is not None:
                    return await self._store_end(
                        Broken(DeliveryReason.STREAM_LOST, "The run's end could not be stored.")
                    )
        return effects.end.state if effects.end else None

    async def _store_end(self, broken: Broken) -> RunState:
        """Closers and the last event, by the platform."""
        effects = Effects()
        events = [] if self._view.items.started else [run_started(self._lease.session, self._run)]
        events += self._view.items.closers()
        if broken.reason is None:
            events.append(
                {
                    "type": "RUN_FINISHED",
                    "threadId": self._lease.session,
                    "runId": self._run,
                    "outcome": {"type": "cancelled"},
                }
            )
        else:
            events.append({"type": "RUN_ERROR", "message": broken.message, "code": str(broken.reason)})
        events = stamped(events, now_ms)
        for event in events:
            self._view.feed(event, effects)
        await self._append(
            Batch(self._run, [(event["type"], encode_event(event)) for event in events], effects=effects)
        )
        assert effects.end is not None
        return effects.end.state

    async def _append(self, batch: Batch) -> None:
        await self._ports.heartbeat.wait_alive()
        prev = self._lease.event_seq
        began = time.monotonic()
        stored = await self._ports.store.append_surely(self._lease, batch)
        metrics.APPEND_SECONDS.observe(time.monotonic() - began)
        metrics.BATCH_EVENTS.observe(len(batch.events))
        metrics.EVENTS.inc(len(batch.events))
        frames = frames_of(prev + 1, self._run, batch.events)
        self._ports.publish(self._lease.session, prev, frames, stored)


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
