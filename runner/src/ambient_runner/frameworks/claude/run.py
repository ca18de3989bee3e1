"""One run: what is sent to the agent, what comes of it, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from ag_ui.core import (
    BaseEvent,
    Message,
    MessagesSnapshotEvent,
    ResumeEntry,
    RunAgentInput,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
)
from pydantic import TypeAdapter

from ambient_runner.framework import RunFailed
from ambient_runner.frameworks.claude import questions
from ambient_runner.frameworks.claude.conversation import Conversation, Grant, Pending
from ambient_runner.frameworks.claude.desk import STORE_AWAY, Desk
from ambient_runner.frameworks.claude.journal import Asked, Decision, asked_record, bounded
from ambient_runner.frameworks.claude.outcome import ended
from ambient_runner.frameworks.claude.store import NotHeld
from ambient_runner.frameworks.claude.translate import Frame, Translator
from ambient_runner.inputs import newest_message

MESSAGES: TypeAdapter[list[Message]] = TypeAdapter(list[Message])
FIRST_FRAME_SECONDS = 30.0  # a resumed program makes the call that it was stopped at in about one
ENDED_BY_RESTART = "The sub-agent that made this call was ended by a restart; the decision was passed on."
DECIDED_BEFORE = "This was decided before, so it is not done again."

Events = AsyncIterator[BaseEvent]


class ClaudeRun:
    """Yields the events of one run. Whatever ends it, the turn that it began does not go on unread."""

    def __init__(self, desk: Desk, run_input: RunAgentInput) -> None:
        self._desk = desk
        self._input = run_input
        self._journal = desk.journal
        self._translator = Translator(desk.known)
        self._nudge: str | None = None
        self._over = False

    async def events(self) -> Events:
        """The newest message, or the answers in `resume`, and all that follows from it."""
        await self._desk.settled()
        try:
            if self._input.resume:
                async for event in self._resume(self._input.resume):
                    yield event
            else:
                await self._prompt()
            if self._desk.talk is not None and self._desk.talk.busy:
                async for event in self._follow(self._desk.talk):
                    yield event
            self._over = True
        finally:
            self._remember()
            if not self._over:
                self._desk.leave()

    # --- beginnings

    async def _prompt(self) -> None:
        """Send the person's message, after what the agent must know of calls that were left."""
        message_id, text = newest_message(self._input)
        notes = self._let_go()
        if self._desk.talk is not None:
            await self._desk.talk.abort()  # a turn that still waits for a person
        talk = await self._desk.program()
        self._journal.note(messages=[{"id": message_id, "role": "user", "content": text}])
        await self._desk.save(must=False)
        await talk.say("\n\n".join([*notes, text]))

    def _let_go(self) -> list[str]:
        """Settle every call without a result; what the agent is told of them."""
        doubtful = self._journal.state.in_doubt()
        if not doubtful:
            return []
        notes = [questions.lost(item) for item in doubtful]
        settled = {item.id: "dropped" for item in doubtful if item.status == "open"}
        self._journal.note(settled=settled, finished=[item.id for item in doubtful])
        return notes

    async def _resume(self, answers: list[ResumeEntry]) -> Events:
        """Go on with the answers: in the program that asked, else in a new one."""
        items = self._match(answers)
        decided = [(item, questions.decide(item, answer)) for item, answer in items if item.status == "open"]
        if not decided:
            async for event in self._again([item for item, _ in items]):
                yield event
            return
        self._journal.note(settled={item.id: "decided" for item, _ in decided})
        await self._desk.save(must=True)
        # Tells a reader of only this run which calls the results below belong to.
        yield self._conversation()
        talk = self._desk.talk
        if talk is not None and await talk.waits_for({item.call for item, _ in decided}):
            talk.answer({item.call: decision for item, decision in decided})
            return
        if talk is not None:
            await talk.close()
        async for event in self._restart(decided):
            yield event

    async def _restart(self, decided: list[tuple[Asked, Decision]]) -> Events:
        """A new program: it makes the call of the main conversation; of a sub-agent's it is told."""
        main = next((item for item, _ in decided if item.subagent is None), None)
        words = "\n\n".join(questions.told(item, decision) for item, decision in decided)
        talk = await self._desk.program([Grant(item, decision) for item, decision in decided], main)
        for item, _ in decided:
            if item.subagent is not None:
                yield self._translator.result(item.call, ENDED_BY_RESTART)
                self._journal.note(finished=[item.id])
        if main is None:
            await talk.say(words)
        else:
            self._nudge = words

    async def _again(self, items: list[Asked]) -> Events:
        """All of it was decided before: the agent goes on if it never learnt what came of it."""
        if any(not item.finished for item in items):
            yield self._conversation()
            notes = self._let_go()
            talk = await self._desk.program()
            await talk.say("\n\n".join(notes))
            return
        name = f"{self._input.run_id}-note"
        yield TextMessageStartEvent(message_id=name, role="assistant")
        yield TextMessageContentEvent(message_id=name, delta=DECIDED_BEFORE)
        yield TextMessageEndEvent(message_id=name)

    def _match(self, answers: list[ResumeEntry]) -> list[tuple[Asked, ResumeEntry]]:
        asked = self._journal.state.asked
        items: list[tuple[Asked, ResumeEntry]] = []
        for answer in answers:
            item = asked.get(answer.interrupt_id)
            if item is None or item.status == "dropped":
                raise RunFailed(
                    "UnknownInterrupt", f"There is no question {answer.interrupt_id[:200]} to answer."
                )
            items.append((item, answer))
        named = {item.id for item, _ in items}
        missing = [item.id for item in self._journal.state.open() if item.id not in named]
        if missing:
            raise RunFailed("IncompleteResume", f"These questions have no answer: {', '.join(missing)}.")
        return items

    # --- the middle

    async def _follow(self, talk: Conversation) -> Events:
        """Translate frames until the turn's result, or until a person is needed."""
        while True:
            frame = await self._next(talk)
            if frame["kind"] == "result":
                self._remember()
                await self._desk.save(must=False)
                talk.grants.clear()  # they were for this turn
                self._over = True  # who reads a last event reads no further
                yield ended(frame, talk.meter, self._input.thread_id, self._input.run_id)
                return
            await self._notice(frame)
            for event in self._translator.feed(frame):
                yield event
            waiting = self._waiting(talk)
            if waiting:
                async for event in self._interrupt(waiting):
                    yield event
                return

    async def _next(self, talk: Conversation) -> Frame:
        nudge, self._nudge = self._nudge, None
        if nudge is None:
            return await talk.next()
        try:
            async with asyncio.timeout(FIRST_FRAME_SECONDS):
                return await talk.next()
        except TimeoutError:
            self._desk.ctx.log.warning("the resumed agent did not make its call by itself; it is told")
            await talk.say(nudge)
            return await talk.next()

    async def _notice(self, frame: Frame) -> None:
        """What the journal has to know of a frame."""
        if frame["kind"] == "init":
            await self._desk.begin_session(frame["session"])
        elif frame["kind"] == "mirror_error":
            self._desk.ctx.log.error("a part of the transcript could not be stored: %s", frame["error"])
        elif frame["kind"] == "user":
            results = {questions.interrupt_id(part["id"]) for part in frame["blocks"] if "is_error" in part}
            asked = self._journal.state.asked
            finished = [name for name in results if name in asked and not asked[name].finished]
            if finished:
                self._journal.note(finished=finished)
                await self._desk.save(must=False)

    def _waiting(self, talk: Conversation) -> list[Pending]:
        """Calls that wait for a person, once all that was said before them is shown."""
        waiting = [pending for pending in talk.pending.values() if not pending.answer.done()]
        shown = all(
            pending.call in self._desk.known.made
            or questions.interrupt_id(pending.call) in self._journal.state.asked
            for pending in waiting
        )
        return waiting if shown and not self._translator.open else []

    # --- ends

    async def _interrupt(self, waiting: list[Pending]) -> Events:
        """End the run with questions. Before anybody can see them, a restart would find them."""
        desk, run_id = self._desk, self._input.run_id
        try:
            await desk.store.holds({pending.call for pending in waiting})
        except NotHeld as exc:
            raise RunFailed("StoreUnavailable", STORE_AWAY) from exc
        items = [
            Asked(
                id=questions.interrupt_id(pending.call),
                run=run_id,
                call=pending.call,
                tool=pending.tool,
                input=pending.input,
                subagent=desk.known.parent(pending.call),
            )
            for pending in waiting
        ]
        by_subagent: dict[str, list[str]] = {}
        for item in items:
            if item.subagent is not None:
                by_subagent.setdefault(item.subagent, []).append(item.id)
        for event in self._translator.suspend(by_subagent):
            yield event
        yield self._translator.snapshot()
        self._remember()
        self._journal.note(asked=asked_record(items))
        await desk.save(must=True)
        yield self._conversation()
        now = datetime.now(UTC)
        interrupts = [questions.interrupt(item, now, desk.question_life) for item in items]
        outcome = RunFinishedInterruptOutcome(type="interrupt", interrupts=interrupts)
        self._over = True  # the program waits for the answers
        yield RunFinishedEvent(thread_id=self._input.thread_id, run_id=run_id, outcome=outcome)

    def _remember(self) -> None:
        """Note this run's messages and the plan."""
        if self._translator.messages:
            messages = [bounded(message) for message in self._translator.messages]
            self._translator.messages = []
            self._journal.note(messages=messages, plan=[dict(step) for step in self._desk.known.plan])

    def _conversation(self) -> MessagesSnapshotEvent:
        return MessagesSnapshotEvent(messages=MESSAGES.validate_python(self._journal.state.messages))
