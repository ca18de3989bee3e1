"""The runs of this process: one at a time, each read, acknowledged and cancelled by its id."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, cast

from ag_ui.core import BaseEvent, RunAgentInput

from ambient_runner.buffer import LIMIT_BYTES, EventBuffer
from ambient_runner.emitter import TERMINAL, Event, StreamGuard, dump, encode
from ambient_runner.framework import RunFailed
from ambient_runner.redaction import Redactor, StreamRedactor
from ambient_runner.tracing import Tracing

HEARTBEAT = b": hb\n\n"
CANCEL_SECONDS = 2.0
CANCELLED: Event = {"type": "RUN_FINISHED", "outcome": {"type": "cancelled"}}
STOPPED: Event = {
    "type": "RUN_ERROR",
    "code": "RunnerStopped",
    "message": "The runner was stopped before the run ended.",
}

log = logging.getLogger(__name__)

Agent = Callable[[RunAgentInput], AsyncIterator[BaseEvent]]


class Refused(Exception):
    """A request that the state of the runs does not allow."""

    def __init__(self, status: int, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail


class Run:
    """One run: the agent's task writes events, at most one reader follows them."""

    def __init__(
        self, run_input: RunAgentInput, redactor: Redactor, limit: int, traceparent: str | None = None
    ) -> None:
        self.id = run_input.run_id
        self.traceparent = traceparent
        self.input = run_input
        self.buffer = EventBuffer(limit=limit)
        self.task: asyncio.Task[None] | None = None
        self.reader = 0
        self.ending: Event | None = None
        self._guard = StreamGuard(run_input.model_dump(by_alias=True))
        self._clean = StreamRedactor(redactor)

    @property
    def ended(self) -> bool:
        """True when the last event is in the buffer."""
        return self.buffer.closed

    def begin(self) -> None:
        """Put RUN_STARTED in front of everything."""
        self._put(self._guard.start())

    def write(self, event: Event) -> None:
        """Put one event of the agent, with what the order asks for around it."""
        self._put(self._guard.feed(event))

    def finish(self, terminal: Event | None = None) -> None:
        """Put closers and the run's last event. Later calls do nothing."""
        if not self.ended:
            self._put(self._guard.feed(terminal) if terminal else self._guard.finish())
            self.buffer.close()

    def _put(self, events: list[Event]) -> None:
        for event in events:
            for clean in self._clean.feed(event):
                self.buffer.append(encode(clean))

    async def read(self, after: int, heartbeat: float) -> AsyncIterator[bytes]:
        """SSE of the events after an index, to the run's end or until a newer reader comes."""
        self.reader += 1
        me = self.reader
        self.buffer.notify()
        cursor = after
        due = time.monotonic() + heartbeat
        while True:
            changed = self.buffer.changed
            if self.reader != me:
                return
            chunk, cursor = self.buffer.after(cursor)
            if chunk:
                yield chunk
            elif self.ended or cursor < self.buffer.forgotten:
                return
            else:
                await _wait(changed, due - time.monotonic())
            if time.monotonic() >= due:
                due = time.monotonic() + heartbeat
                yield HEARTBEAT


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await changed.wait()
    except TimeoutError:
        return


class Runs:
    """Admits runs, drives the agent, and remembers what it was asked before."""

    def __init__(
        self,
        agent: Agent,
        *,
        ready: Callable[[], Awaitable[None]],
        redactor: Redactor,
        limit: int = LIMIT_BYTES,
        cancel_seconds: float = CANCEL_SECONDS,
        tracing: Tracing | None = None,
    ) -> None:
        self._agent = agent
        self._ready = ready
        self._redactor = redactor
        self._limit = limit
        self._cancel_seconds = cancel_seconds
        self._tracing = tracing or Tracing("", {})
        self._known: dict[str, Run | None] = {}
        self._epoch = 0
        self.active: Run | None = None
        self.last: Run | None = None
        self.stopping = False

    def fence(self, epoch: int | None) -> None:
        """Refuse a caller whose lease is older than the newest seen."""
        if epoch is None:
            return
        if epoch < self._epoch:
            raise Refused(409, "StaleEpoch", f"epoch {epoch} is older than {self._epoch}")
        self._epoch = epoch

    def start(self, run_input: RunAgentInput, traceparent: str | None = None) -> Run:
        """Begin a run in the background, below the caller's span."""
        if self.stopping:
            raise Refused(503, "Stopping", "this runner is stopping")
        if run_input.run_id in self._known:
            raise Refused(409, "RunKnown", f"run {run_input.run_id} was already started here")
        if self.active is not None:
            raise Refused(409, "RunActive", f"run {self.active.id} is active")
        if self.last is not None:
            # A next run is sent only when the end of the last is stored: its events are not needed again.
            self._known[self.last.id] = None
        run = Run(run_input, self._redactor, self._limit, traceparent)
        self._known[run.id] = self.active = self.last = run
        run.begin()
        run.task = asyncio.create_task(self._drive(run), name=f"run {run.id}")
        run.task.add_done_callback(lambda task: self._done(run))
        return run

    def get(self, run_id: str) -> Run:
        """A run whose events may still be here."""
        if run_id not in self._known:
            raise Refused(404, "RunUnknown", f"run {run_id} is not known here")
        run = self._known[run_id]
        if run is None:
            raise Refused(410, "EventsForgotten", f"the events of run {run_id} were forgotten")
        return run

    def attach(self, run_id: str, after: int) -> Run:
        """A run that can be read from the index after this one."""
        run = self.get(run_id)
        if after > run.buffer.last:
            raise Refused(400, "IndexUnknown", f"run {run_id} has events only up to {run.buffer.last}")
        if after < run.buffer.forgotten:
            raise Refused(410, "EventsForgotten", f"events up to {run.buffer.forgotten} were acknowledged")
        return run

    def acknowledge(self, run_id: str, index: int) -> Run:
        """Forget the events of a run up to an index."""
        if run_id in self._known and self._known[run_id] is None:
            raise Refused(410, "EventsForgotten", f"the events of run {run_id} were forgotten")
        run = self.get(run_id)
        if index > run.buffer.last:
            raise Refused(400, "IndexUnknown", f"run {run_id} has events only up to {run.buffer.last}")
        run.buffer.forget(index)
        return run

    def interrupt(self, run_id: str | None) -> bool:
        """Cancel the active run; False when that run is not active (it may have just ended)."""
        run = self.active
        if run is None or run.ended or (run_id is not None and run_id != run.id):
            return False
        self._cancel(run, CANCELLED)
        return True

    async def stop(self) -> None:
        """Take no more runs and end the active one as an error, within the time for a cancel."""
        self.stopping = True
        run = self.active
        if run is None or run.task is None:
            return
        self._cancel(run, STOPPED)
        await asyncio.wait({run.task}, timeout=self._cancel_seconds / 2)
        run.finish(STOPPED)

    def _cancel(self, run: Run, ending: Event) -> None:
        if run.ending is not None or run.task is None:
            return
        run.ending = ending
        run.task.cancel()
        # An agent that does not let go must not keep its readers waiting.
        asyncio.get_running_loop().call_later(self._cancel_seconds, run.finish, ending)

    def _leave(self, run: Run) -> None:
        if self.active is run:
            self.active = None

    def _done(self, run: Run) -> None:
        # A task that is cancelled before its first step never reaches its own end.
        self._leave(run)
        run.finish(run.ending)

    async def _drive(self, run: Run) -> None:
        try:
            with self._tracing.span("agent run", run.traceparent, run_id=run.id):
                terminal = await self._follow(run)
        except asyncio.CancelledError:
            terminal = run.ending or STOPPED
        except RunFailed as failure:
            terminal = {"type": "RUN_ERROR", "code": failure.code, "message": failure.message}
        except Exception as exc:  # noqa: BLE001 - an agent may raise anything, and its run must still end
            log.exception("the agent failed in run %s", run.id)
            text = f"{type(exc).__name__}: {exc}"
            terminal = {"type": "RUN_ERROR", "code": "AgentError", "message": text[:2000]}
        # Together, without a pause between: who reads the end may send the next run at once.
        self._leave(run)
        run.finish(terminal)

    async def _follow(self, run: Run) -> Event | None:
        """Write the agent's events; returns its terminal event, which goes out when the agent is done."""
        await self._ready()
        stream = cast(Any, self._agent(run.input))
        async with aclosing(stream) as events:
            async for event in events:
                data = dump(event)
                if data["type"] in TERMINAL:
                    return data
                run.write(data)
                await run.buffer.has_room()
                # Lets readers and requests in while an agent has much to say.
                await asyncio.sleep(0)
        return None
