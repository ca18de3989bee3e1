"""One active run, from its runner into the store and to the hub, up to its end."""

import asyncio
import time
from typing import Any

from ambient.common.tasks import end
from sessions_app.choices import DeliveryReason, RunState
from sessions_app.streams import metrics
from sessions_app.streams.closers import stamped
from sessions_app.streams.derive import Effects, RunView, is_terminal, run_end
from sessions_app.streams.frames import Event, encode_event, frames_of
from sessions_app.streams.intake import Broken, Intake, Ports, Received, dropped, now_ms, run_started
from sessions_app.streams.runner import RunnerClient
from sessions_app.streams.store import Batch, DataRefused, Lease, LeaseLost


class HandOver(Exception):
    """This process stops: another one goes on with the run."""


class RunWriter:
    """Stores one run's events in batches, with what follows from them."""

    def __init__(self, ports: Ports, lease: Lease, run: str, view: RunView) -> None:
        self._ports = ports
        self._lease = lease
        self._run = run
        self._view = view
        self.numbered = False

    async def store(self, taken: list[Received]) -> RunState | None:
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
        batch = Batch(self._run, events, taken[-1].index, self.numbered, effects)
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
                await self._append(Batch(self._run, [(type_, data)], index, self.numbered, own))
            except DataRefused as exc:
                metrics.DROPPED.labels("refused").inc()
                mark = dropped(type_, f"the database refused it ({exc})")
                encoded = (str(mark["type"]), encode_event(mark))
                await self._append(Batch(self._run, [encoded], index, self.numbered))
                if number == last and effects.end is not None:
                    return await self.end(
                        Broken(DeliveryReason.STREAM_LOST, "The run's end could not be stored.")
                    )
        return effects.end.state if effects.end else None

    async def end(self, broken: Broken) -> RunState:
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
        return run_end(events[-1]).state

    async def _append(self, batch: Batch) -> None:
        await self._ports.heartbeat.wait_alive()
        prev = self._lease.event_seq
        began = time.monotonic()
        stored = await self._ports.store.append_surely(self._lease, batch)
        metrics.APPEND_SECONDS.observe(time.monotonic() - began)
        metrics.BATCH_EVENTS.observe(len(batch.events))
        metrics.EVENTS.inc(len(batch.events))
        metrics.STORED_BYTES.inc(sum(len(data) for _, data in batch.events))
        frames = frames_of(prev + 1, self._run, batch.events)
        self._ports.publish(self._lease.session, prev, frames, stored)


class RunReader:
    """Reads one run from its runner into the store."""

    def __init__(self, ports: Ports, lease: Lease, run: str, client: RunnerClient, view: RunView) -> None:
        self._lease = lease
        self._run = run
        self._intake = Intake(ports, lease, run, client)
        self._writer = RunWriter(ports, lease, run, view)
        self._handing_over = False

    @property
    def can_hand_over(self) -> bool:
        """Whether another process could go on reading at once."""
        return self._intake.numbered

    def interrupt(self) -> None:
        """Somebody wants the run to end."""
        self._intake.interrupted.set()

    def hand_over(self) -> None:
        """Stop after the batch that is being stored; `read` raises HandOver."""
        self._handing_over = True
        self._intake.inbox.has_some.set()

    def lose(self) -> None:
        """The stream is not ours any more; `read` raises LeaseLost."""
        self._intake.lose()

    async def read(self, run_input: dict[str, Any] | None, *, attach_first: bool) -> RunState:
        """Read to the run's end. `attach_first`: the runner may know the run already.

        Raises LeaseLost or HandOver; every other trouble ends the run visibly.
        """
        intake = self._intake
        intake.numbered = attach_first
        tasks = [
            asyncio.create_task(intake.pump(run_input, attach_first), name=f"pump {self._run}"),
            asyncio.create_task(intake.acknowledge(), name=f"ack {self._run}"),
            asyncio.create_task(intake.pass_on_interrupt(), name=f"interrupt {self._run}"),
        ]
        try:
            return await self._store_all()
        finally:
            await end(*tasks)

    async def _store_all(self) -> RunState:
        intake = self._intake
        while True:
            await intake.inbox.has_some.wait()
            if intake.lost:
                raise LeaseLost(self._lease.session)
            if self._handing_over:
                raise HandOver
            taken = intake.inbox.take()
            self._writer.numbered = intake.numbered
            state = await self._writer.store(taken) if taken else None
            if state is not None:
                return state
            if intake.broken is not None and not intake.inbox.items:
                return await self._writer.end(intake.broken)
