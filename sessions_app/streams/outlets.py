"""What a watcher gets as server-sent events: the log for ever, one run, or until the next run's end."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import orjson
import redis.asyncio as redis
import structlog
from asgiref.sync import SyncToAsync

from sessions_app.choices import FINAL_PHASES, RunState
from sessions_app.streams import metrics, sse
from sessions_app.streams.closers import TERMINAL
from sessions_app.streams.frames import Frame
from sessions_app.streams.hub import Feed, Gap, Ticket, Watcher
from sessions_app.streams.intake import now_ms, run_started
from sessions_app.streams.node import Node
from sessions_app.streams.pools import TRANSIENT
from sessions_app.streams.tail import Restated

log = structlog.get_logger(__name__)

SHOWN_SECONDS = 660
NEVER_RAN = frozenset({RunState.FAILED, RunState.CANCELLED})


def shown_key(session: str, user: str) -> str:
    """Where it is kept up to which event a caller of `/events` has seen."""
    return f"ambient:shown:{session}:{user}"


def release_thread() -> None:
    """Give back the thread that asgiref keeps for this request: the stream itself needs none."""
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is not None:
        executor = SyncToAsync.context_to_thread_executor.pop(context, None)
        if executor is not None:
            executor.shutdown(wait=False)


def mark_of(chunk: Gap | Restated) -> dict[str, Any]:
    """Tells a reader with a cursor that numbers are gone for good, or that their run comes again, shorter."""
    word = "truncated" if isinstance(chunk, Gap) else "restated"
    metrics.MARKS.labels(word).inc()
    return {"mark": word, "first_seq": chunk.first_seq, "last_seq": chunk.last_seq}


def cannot_tell(chunk: Gap | Restated, sent: int) -> bool:
    """Whether a reader without a cursor, who gets no marks, has a part of this run already.

    Its stream has to end: it comes back with a cursor, and then the mark tells.
    """
    return isinstance(chunk, Restated) and chunk.first_seq <= sent


@dataclass
class Outlet:
    """One open answer."""

    node: Node
    ticket: Ticket
    watcher: Watcher

    async def _chunks(
        self, feed: Feed, cursor: int, tick: float
    ) -> AsyncIterator[Sequence[Any] | Gap | Restated]:
        """The watch, registered for the checks and counted, whatever happens."""
        release_thread()
        try:
            with self.node.hub.watching(self.watcher):
                async with aclosing(cast(Any, feed.watch(self.watcher, cursor, tick=tick))) as chunks:
                    async for chunk in chunks:
                        yield chunk
        finally:
            self.ticket.release()

    async def forever(self, feed: Feed, cursor: int, *, marks: bool) -> AsyncIterator[bytes]:
        """Everything after the cursor; ends only with the client, its access or the process."""
        yield sse.OPENING
        heartbeat = self.node.timing.heartbeat
        sent = time.monotonic()
        async with aclosing(cast(Any, self._chunks(feed, cursor, heartbeat))) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Gap | Restated):
                    if not marks and cannot_tell(chunk, cursor):
                        return
                    data = sse.frame(orjson.dumps(mark_of(chunk)), event="ambient") if marks else b""
                else:
                    data = b"".join(frame.sse for frame in chunk)
                    cursor = chunk[-1].seq if chunk else cursor
                if not data and time.monotonic() - sent >= heartbeat * 0.9:
                    data = sse.HEARTBEAT
                if data:
                    yield data
                    sent = time.monotonic()

    async def one_run(self, run: str, cursor: int) -> AsyncIterator[bytes]:
        """The events of exactly this run, to its end; one that fails before its start is told as well.

        A plain AG-UI stream cannot say "forget what you have", so it is always the whole run.
        """
        async with aclosing(cast(Any, self._run_frames(run, cursor))) as parts:
            async for _, data in parts:
                yield data

    async def _run_frames(self, run: str, cursor: int) -> AsyncIterator[tuple[int, bytes]]:
        """(newest sequence number, bytes); 0 for bytes that are no stored events."""
        yield 0, sse.OPENING
        timing = self.node.timing
        sent = time.monotonic()
        seen = False
        async with aclosing(cast(Any, self._chunks(self.node.hub.events, cursor, timing.poll))) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Restated) and seen:
                    return  # compacted while it was read: the same run asked for again is told whole
                told = () if isinstance(chunk, Gap | Restated) else chunk
                frames = [frame for frame in told if frame.run == run]
                if frames:
                    seen = True
                    yield frames[-1].seq, b"".join(frame.sse for frame in frames)
                    sent = time.monotonic()
                    if frames[-1].type in TERMINAL:
                        return
                elif not seen:
                    failure = await self._failure_of(run)
                    if failure is not None:
                        yield 0, failure
                        return
                if time.monotonic() - sent >= timing.heartbeat * 0.9:
                    yield 0, sse.HEARTBEAT
                    sent = time.monotonic()

    async def _failure_of(self, run: str) -> bytes | None:
        """RUN_STARTED and RUN_ERROR of a run that ended without any stored event."""
        try:
            row = await self.node.store.run_state(run)
        except TRANSIENT:
            return None
        if row is None or row.state not in NEVER_RAN or row.first_seq is not None:
            return None
        started = run_started(self.watcher.session, run) | {"timestamp": now_ms()}
        error = {
            "type": "RUN_ERROR",
            "message": row.error_message or "The run did not start.",
            "code": row.error_code or "RunError",
            "timestamp": now_ms(),
        }
        return sse.frame(orjson.dumps(started)) + sse.frame(orjson.dumps(error))

    async def until_run_end(self, run: str | None, cursor: int) -> AsyncIterator[bytes]:
        """As existing clients follow a session: closes after a run's end, and remembers what was shown.

        With `run` it is that run; without, whatever comes next after the cursor.
        """
        last = 0
        if run is not None:
            async with aclosing(cast(Any, self._run_frames(run, cursor))) as parts:
                async for seq, data in parts:
                    yield data
                    last = max(last, seq)
            if self.watcher.ended is None:
                await self._remember(last, run)
            return
        yield sse.OPENING
        heartbeat = self.node.timing.heartbeat
        async with aclosing(cast(Any, self._chunks(self.node.hub.events, cursor, heartbeat))) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Restated):
                    continue
                frames: Sequence[Frame] = () if isinstance(chunk, Gap) else chunk
                end = next((n for n, frame in enumerate(frames, 1) if frame.type in TERMINAL), None)
                if frames:
                    yield b"".join(frame.sse for frame in frames[:end])
                if end is not None:
                    await self._remember(frames[end - 1].seq, frames[end - 1].run)
                    return
                if not frames:
                    if await self._is_over():
                        return
                    yield sse.HEARTBEAT

    async def _is_over(self) -> bool:
        try:
            return (await self.node.runs.session(self.watcher.session)).phase in FINAL_PHASES
        except TRANSIENT:
            return False

    async def _remember(self, seq: int, run: str) -> None:
        key = shown_key(self.watcher.session, self.watcher.user)
        try:
            async with asyncio.timeout(0.5):
                await self.node.link.redis.set(key, f"{seq} {run}", ex=SHOWN_SECONDS)
        except (redis.RedisError, OSError, TimeoutError) as exc:
            log.warning("what was shown is not remembered", error=type(exc).__name__)
