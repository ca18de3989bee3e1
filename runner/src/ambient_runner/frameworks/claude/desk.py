"""What one runner process has of its session: the journal, the transcript store and the agent's program."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from ambient_runner.config import setting
from ambient_runner.entries import EntriesUnavailable
from ambient_runner.framework import RunFailed, SessionContext
from ambient_runner.frameworks.claude.conversation import Conversation, Grant
from ambient_runner.frameworks.claude.journal import Asked, Journal
from ambient_runner.frameworks.claude.options import make_options, mcp_file, permission_mode
from ambient_runner.frameworks.claude.store import TranscriptStore
from ambient_runner.frameworks.claude.translate import Known
from ambient_runner.reports import Report

SAVE_SECONDS = 45.0
STORE_AWAY = "What the agent remembers cannot be read or stored now; try again."


def agent_home(workspace: Path) -> Path:
    """The folder of the agent's program."""
    return workspace / ".ambient" / "claude"


@dataclass
class Desk:
    """Made at the first run; lives as long as the process."""

    ctx: SessionContext
    journal: Journal
    store: TranscriptStore
    known: Known = field(default_factory=Known)
    talk: Conversation | None = None
    settling: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, ctx: SessionContext) -> "Desk":
        """Read what earlier runners left. Raises RunFailed."""
        journal = Journal(ctx.entries)
        try:
            await journal.load()
        except EntriesUnavailable as exc:
            raise RunFailed("StoreUnavailable", STORE_AWAY) from exc
        desk = cls(ctx, journal, TranscriptStore(ctx.entries))
        desk.known.plan = [dict(step) for step in journal.state.plan]
        return desk

    @property
    def question_life(self) -> timedelta:
        """How long a question stays open."""
        try:
            hours = float(setting(self.ctx.spec, "AMBIENT_CLAUDE_EXPIRES_HOURS", "168"))
        except ValueError:
            hours = 0.0
        if not 0 < hours <= 1e5:
            raise RunFailed("ConfigInvalid", "AMBIENT_CLAUDE_EXPIRES_HOURS must be a number above 0.")
        return timedelta(hours=hours)

    async def settled(self) -> None:
        """Return when the turn that an earlier run left is over."""
        if self.settling is not None:
            await asyncio.shield(self.settling)
            self.settling = None

    def leave(self) -> None:
        """End the present turn in the background: its run has ended without it."""
        if self.talk is not None and self.talk.busy:
            self.settling = asyncio.create_task(self.talk.abort(), name="abort the turn")

    async def program(self, grants: Sequence[Grant] = (), waiting: Asked | None = None) -> Conversation:
        """The running program, or a new one that goes on from the store. Raises RunFailed.

        `waiting` is the call that it makes at once, with the decision that is among the grants.
        """
        if self.talk is not None:
            if await self.talk.alive():
                return self.talk
            await self.talk.close()
        resume = self.journal.state.session or (self.ctx.sdk_session_id if self.ctx.resume else None)
        home = agent_home(self.ctx.workspace)
        self.store.waiting = waiting
        self.store.permission_mode = permission_mode(self.ctx)
        self.talk = Conversation(
            lambda talk: make_options(
                self.ctx,
                home=home,
                can_use_tool=talk.ask,
                store=self.store,
                resume=resume,
                stderr=talk.hear_stderr,
            ),
            grants=list(grants),
            busy=waiting is not None,
        )
        try:
            await self.talk.start()
        finally:
            mcp_file(home).unlink(missing_ok=True)
        self.store.waiting = None
        return self.talk

    async def save(self, *, must: bool) -> None:
        """Store the journal; without `must` it is tried again with the next save."""
        try:
            async with asyncio.timeout(SAVE_SECONDS):
                await self.journal.save()
        except (EntriesUnavailable, TimeoutError) as exc:
            if must:
                raise RunFailed("StoreUnavailable", STORE_AWAY) from exc
            self.ctx.log.error("the journal could not be stored yet: %s", exc or "no answer")

    async def begin_session(self, session: str) -> None:
        """The program told the conversation's id."""
        if self.journal.state.session != session:
            self.journal.note(session=session)
            await self.save(must=False)
        self.ctx.report(Report(sdk_session_id=session))
