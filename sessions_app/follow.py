"""Following one session from a terminal: its phases and events as lines, until its run ends."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import cast

from asgiref.sync import sync_to_async
from django.db import connections
from django.urls import reverse

from ambient.common.transcript import Transcript
from sessions_app.choices import FINAL_PHASES, InterruptState, RunState
from sessions_app.models import Interrupt, Run, Session
from sessions_app.streams.frames import Frame
from sessions_app.streams.pools import Pools
from sessions_app.streams.store import Store

EVERY_SECONDS = 0.2
DONE, FAILED, ASKS, TOO_LONG = 0, 1, 3, 4
CODES = {
    RunState.FINISHED: DONE,
    RunState.INTERRUPTED: ASKS,
    RunState.FAILED: FAILED,
    RunState.CANCELLED: FAILED,
}
"""A run's end -> the exit code of whoever followed it."""


async def follow(session_id: str, say: Callable[[str], None], *, seconds: float | None = None) -> int:
    """Show what happens until the newest run ends, or the session does; returns an exit code."""
    pools, transcript = Pools(append=1, read=1), Transcript(say)
    await pools.open()
    try:
        async with asyncio.timeout(seconds):
            return await _follow(session_id, say, Store(pools), transcript)
    except TimeoutError:
        say(f"nothing ended within {seconds:g} s")
        return TOO_LONG
    finally:
        await pools.close()
        await sync_to_async(connections.close_all)()  # of the thread that looked


async def _follow(session_id: str, say: Callable[[str], None], store: Store, transcript: Transcript) -> int:
    after, last = 0, ""
    while True:
        # Looked at before the events, so that all of an ended run are read.
        session, run = await sync_to_async(_look)(session_id)
        page = await store.page(session_id, after)
        frames = cast(Sequence[Frame], page.restated.frames if page.restated else page.frames)
        line = f"{session.phase or 'New':<9} {session.reason or ''}: {session.reason_text or ''}".rstrip(": ")
        if line != last:
            say(line)
            last = line
        for frame in frames:
            after = frame.seq
            transcript.add(frame.seq, json.loads(frame.data))
        if frames and after < page.head:
            continue
        if run is not None and run.state in CODES:
            if run.error_message:
                say(f"the run {run.state}: {run.error_message}")
            for question in await sync_to_async(_questions)(session_id):
                say(f"  asks       {question}")
            return CODES[RunState(run.state)]
        if session.phase in FINAL_PHASES or session.deleted_at is not None:
            return FAILED if run is not None or session.phase == "Failed" else DONE
        if run is None and session.phase == "Running":
            return DONE  # nothing was asked of it
        await asyncio.sleep(EVERY_SECONDS)


def _questions(session_id: str) -> list[str]:
    """What waits for a person, and where it is answered (docs/sessions.md)."""
    said = []
    for asked in Interrupt.objects.filter(session_id=session_id, state=InterruptState.OPEN):
        message = json.loads(asked.request).get("message") or asked.kind
        path = reverse("session-interrupt-answer", args=[session_id, asked.interrupt_id])
        said.append(f"{message}  (answer: POST {path})")
    return said


def _look(session_id: str) -> tuple[Session, Run | None]:
    run = Run.objects.filter(session_id=session_id).order_by("-number").first()
    return Session.objects.get(pk=session_id), run
