"""One held stream: its runs, one at a time, until there is nothing to do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import aiohttp
import structlog

from ambient.common import tracing
from sessions_app.choices import DeliveryReason, RunState
from sessions_app.streams import metrics
from sessions_app.streams.derive import Effects, RunView
from sessions_app.streams.frames import decode_event
from sessions_app.streams.intake import Broken, Ports
from sessions_app.streams.pools import TRANSIENT
from sessions_app.streams.reader import HandOver, RunReader, RunWriter
from sessions_app.streams.runner import OtherInstance, Refused, RunnerClient, Target, Unreachable
from sessions_app.streams.runs import MAY_RUN, ActiveRun, QueuedRun, Runs
from sessions_app.streams.store import Lease
from sessions_app.streams.surroundings import restart_runner

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.2
T = TypeVar("T")


class NotReady(Exception):
    """The session's runner cannot take a run right now; the run stays queued."""


class Driver:
    """Drives one session while this process holds its stream."""

    def __init__(self, ports: Ports, runs: Runs, http: aiohttp.ClientSession, lease: Lease) -> None:
        self.lease = lease
        self._ports = ports
        self._runs = runs
        self._http = http
        self._proven: Target | None = None
        self._reader: RunReader | None = None
        self._draining = False
        self._interrupt_run: str | None = None

    @property
    def can_hand_over(self) -> bool:
        """Whether the stream can be given to another process right now."""
        return self._reader is None or self._reader.can_hand_over

    def interrupt(self, run: str) -> None:
        """Somebody wants this run to end."""
        self._interrupt_run = run
        if self._reader is not None and self.lease.run == run:
            self._reader.interrupt()

    def drain(self, *, now: bool) -> None:
        """Start nothing more; `now`: leave the active run to another process as well."""
        self._draining = True
        if now and self._reader is not None:
            self._reader.hand_over()

    def lose(self) -> None:
        """The stream is not ours any more."""
        self._draining = True
        if self._reader is not None:
            self._reader.lose()

    async def drive(self) -> None:
        """Run until nothing is left to do. Raises LeaseLost, HandOver, or NotReady."""
        if self.lease.run is not None:
            await self._take_over(self.lease.run)
        while not self._draining:
            run = await self._patiently(lambda: self._runs.next(self.lease.session))
            if run is None or not await self._start(run):
                return

    # --- the next run

    async def _start(self, run: QueuedRun) -> bool:
        """Start a queued run and read it to its end; False when the session may not run."""
        now = await self._patiently(lambda: self._runs.session(self.lease.session))
        if now.phase not in MAY_RUN:
            return False
        if now.target is None:
            raise NotReady("the session has no runner")
        client = await self._client(now.target)
        await self._ports.heartbeat.wait_alive()
        if not await self._begin(run, now.target.instance):
            return True  # cancelled meanwhile: look for the next one
        with self._span("run", run.id, run.trace) as span:
            run_input = await self._patiently(lambda: self._runs.run_input(self.lease.session, run.id))
            state = await self._read(run.id, client, RunView(), run_input, attach_first=False)
            self._note(span, state)
        await self._after(run.id, state, client, now.stop_on_run_finished)
        return True

    def _span(self, name: str, run: str, trace: str | None) -> AbstractContextManager[tracing.Span]:
        """A span of one run, below the request that asked for it."""
        attributes = {"ambient.session_id": self.lease.session, "ambient.run_id": run}
        return tracing.span(name, kind="client", parent=trace, attributes=attributes)

    @staticmethod
    def _note(span: tracing.Span, state: RunState) -> None:
        span.note(ambient__run_state=str(state))
        if state == RunState.FAILED:
            span.fail(str(state))

    async def _begin(self, run: QueuedRun, instance: str) -> bool:
        """The start's transaction, settled by reading when its answer is lost."""
        while True:
            try:
                return await self._runs.start(self.lease, run, instance)
            except TRANSIENT as exc:
                log.warning("start of a run is in doubt", run=run.id, error=type(exc).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                if await self._patiently(lambda: self._runs.started(self.lease, run)):
                    return True

    async def _client(self, target: Target) -> RunnerClient:
        """A client towards the runner; it has proved itself before anything else is said."""
        client = RunnerClient(self._http, target, self.lease.epoch, self._ports.timing)
        if self._proven != target:
            try:
                await client.prove()
            except (Unreachable, OtherInstance) as exc:
                await self._doubt()
                raise NotReady(str(exc)) from exc
            self._proven = target
        return client

    async def _read(
        self,
        run: str,
        client: RunnerClient,
        view: RunView,
        run_input: dict[str, Any] | None,
        *,
        attach_first: bool,
    ) -> RunState:
        self._reader = RunReader(self._ports, self.lease, run, client, view)
        if self._interrupt_run == run:
            self._reader.interrupt()
        if self._draining:
            self._reader.hand_over()
        try:
            return await self._reader.read(run_input, attach_first=attach_first)
        finally:
            self._reader = None

    async def _after(self, run: str, state: RunState, client: RunnerClient, stop_when_done: bool) -> None:
        metrics.RUNS_ENDED.labels(state).inc()
        if self._interrupt_run == run:
            await self._until_idle(client)
        if state == RunState.FAILED:
            self._proven = None
            await self._doubt()
        if state == RunState.FINISHED and stop_when_done:
            if await self._patiently(lambda: self._runs.next(self.lease.session)) is None:
                try:
                    await client.exit(run)
                except (Unreachable, Refused) as exc:
                    log.info("the runner does not exit by itself", run=run, error=str(exc))

    async def _until_idle(self, client: RunnerClient) -> None:
        """After an interrupt nothing is sent until the agent is idle; one that never is, is restarted."""
        until = time.monotonic() + self._ports.timing.interrupt_restart
        while True:
            await self._ports.heartbeat.wait_alive()
            try:
                if await client.prove() is None:
                    return
            except OtherInstance:
                return
            except Unreachable as exc:
                log.info("runner does not answer after an interrupt", error=str(exc))
            if time.monotonic() >= until:
                await restart_runner(self.lease.session)
                raise NotReady("the runner did not end its run and is restarted")
            await asyncio.sleep(RETRY_SECONDS)

    # --- a run that somebody else started

    async def _take_over(self, run: str) -> None:
        view = RunView()
        active = await self._patiently(lambda: self._runs.active(run))
        if active is not None and active.first_seq is not None:
            first = active.first_seq
            for data in await self._patiently(
                lambda: self._ports.store.run_events(self.lease.session, run, first)
            ):
                view.feed(decode_event(data), Effects())
        now = await self._patiently(lambda: self._runs.session(self.lease.session))
        broken = self._why_not(active, now.target)
        if broken is None and active is not None and now.target is not None:
            client = RunnerClient(self._http, now.target, self.lease.epoch, self._ports.timing)
            if active.interrupt_requested:
                self._interrupt_run = run
            run_input = None
            if active.first_seq is None:
                run_input = await self._patiently(lambda: self._runs.run_input(self.lease.session, run))
            broken = await self._prove_again(client)
            if broken is None:
                with self._span("run taken over", run, active.trace) as span:
                    state = await self._read(run, client, view, run_input, attach_first=True)
                    self._note(span, state)
                await self._after(run, state, client, now.stop_on_run_finished)
                return
        writer = RunWriter(self._ports, self.lease, run, view)
        state = await writer.end(broken or Broken(DeliveryReason.STREAM_LOST, "The run's record is gone."))
        metrics.RUNS_ENDED.labels(state).inc()
        await self._doubt()

    async def _doubt(self) -> None:
        """Not every runtime tells when a runner has died, and we may be the first to see it."""
        await self._patiently(lambda: self._runs.doubt(self.lease.session))

    @staticmethod
    def _why_not(active: ActiveRun | None, target: Target | None) -> Broken | None:
        """Why the run cannot be re-attached; None when it may be tried."""
        if active is None:
            return Broken(DeliveryReason.STREAM_LOST, "The run's record is gone.")
        if target is None or target.instance != active.runner_instance:
            return Broken(
                DeliveryReason.RUNNER_RESTARTED, "The runner was restarted before the run had ended."
            )
        if active.first_seq is not None and not active.attachable:
            return Broken(DeliveryReason.STREAM_LOST, "This agent's stream cannot be taken up again.")
        return None

    async def _prove_again(self, client: RunnerClient) -> Broken | None:
        until = time.monotonic() + self._ports.timing.reconnect
        while True:
            try:
                await client.prove()
            except OtherInstance:
                return Broken(
                    DeliveryReason.RUNNER_RESTARTED, "The runner was restarted before the run had ended."
                )
            except Unreachable:
                if time.monotonic() >= until:
                    return Broken(DeliveryReason.STREAM_LOST, "The runner cannot be reached.")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return None

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """A read that is asked again while the database is away."""
        while True:
            try:
                return await ask()
            except TRANSIENT as exc:
                log.warning("the holder waits for the database", error=type(exc).__name__)
                await asyncio.sleep(RETRY_SECONDS)


__all__ = ["Driver", "HandOver", "NotReady"]
