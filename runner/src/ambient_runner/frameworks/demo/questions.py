"""Questions and approvals of the demo agent, and what it does with the answers."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from ag_ui.core import Interrupt, ResumeEntry, RunFinishedEvent, RunFinishedInterruptOutcome

from ambient_runner.framework import RunFailed
from ambient_runner.frameworks.demo.memory import OpenQuestion
from ambient_runner.frameworks.demo.turn import Events, Turn
from ambient_runner.inputs import ANSWER_SCHEMA, APPROVAL_SCHEMA, answer_text, decision
from ambient_runner.reports import rfc3339


class Questions:
    """Ends a run with interrupts, and continues from their answers."""

    def __init__(
        self, turn: Turn, expires_hours: float, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ):
        self._turn = turn
        self._expires = timedelta(hours=expires_hours)
        self._now = now

    async def ask(self, questions: Sequence[str], command: str | None = None) -> Events:
        """Put questions, and a command that needs an approval, all at once."""
        turn = self._turn
        opened: list[OpenQuestion] = []
        for number, text in enumerate(questions, 1):
            async for event in turn.say(f"I have a question: {text}"):
                yield event
            opened.append(OpenQuestion(f"{turn.input.run_id}-q{number}", turn.input.run_id, "question", text))
        if command is not None:
            call = turn.new_id("tool")
            async for event in turn.say("I would like to run a command, and need your approval for it."):
                yield event
            async for event in turn.call("Bash", {"command": command}, call):
                yield event
            opened.append(
                OpenQuestion(f"{turn.input.run_id}-a1", turn.input.run_id, "approval", command, call)
            )
        yield turn.snapshot()
        snapshot = turn.messages_snapshot()
        turn.memory.questions |= {item.id: item for item in opened}
        # On disk before anybody can answer it.
        turn.memory.save()
        yield snapshot
        outcome = RunFinishedInterruptOutcome(
            type="interrupt", interrupts=[self._interrupt(item) for item in opened]
        )
        yield RunFinishedEvent(thread_id=turn.input.thread_id, run_id=turn.input.run_id, outcome=outcome)

    def _interrupt(self, item: OpenQuestion) -> Interrupt:
        expires_at = rfc3339(self._now() + self._expires)
        if item.kind == "question":
            return Interrupt(
                id=item.id, reason="input_required", message=item.text, response_schema=ANSWER_SCHEMA,
                expires_at=expires_at,
            )  # fmt: skip
        return Interrupt(
            id=item.id, reason="tool_call", message=f"May I run this command? {item.text}",
            tool_call_id=item.tool_call_id, response_schema=APPROVAL_SCHEMA, expires_at=expires_at,
        )  # fmt: skip

    async def resume(self, answers: Sequence[ResumeEntry]) -> Events:
        """Continue with the answers; all open questions of their run must have one."""
        turn = self._turn
        items = self._match(answers)
        if any(item.kind == "approval" for item, _ in items):
            # Tells a reader of only this run which call the result below belongs to.
            yield turn.messages_snapshot()
        for item, answer in items:
            part = self._answered(item, answer) if item.kind == "question" else self._decided(item, answer)
            async for event in part:
                yield event
        turn.memory.save()

    def _match(self, answers: Sequence[ResumeEntry]) -> list[tuple[OpenQuestion, ResumeEntry]]:
        known = self._turn.memory.questions
        items: list[tuple[OpenQuestion, ResumeEntry]] = []
        for answer in answers:
            item = known.get(answer.interrupt_id)
            if item is None or item.status == "dropped":
                raise RunFailed(
                    "UnknownInterrupt", f"There is no question {answer.interrupt_id[:200]} to answer."
                )
            items.append((item, answer))
        named = {item.id for item, _ in items}
        runs = {item.run for item, _ in items}
        open_now = [item.id for item in self._turn.memory.open_questions() if item.run in runs]
        missing = [name for name in open_now if name not in named]
        if missing:
            raise RunFailed("IncompleteResume", f"These questions have no answer: {', '.join(missing)}.")
        return items

    async def _answered(self, item: OpenQuestion, answer: ResumeEntry) -> Events:
        text = answer_text(answer.payload)
        if answer.status == "cancelled":
            item.status = "dropped"
            said = f'You left my question "{item.text}" without an answer, so I go on without it.'
        elif text is None:
            raise RunFailed("InvalidAnswer", f"The answer to {item.id} has no text.")
        else:
            item.status, item.result = "done", text
            said = f'You answered "{item.text}" with: {text}'
        async for event in self._turn.say(said):
            yield event

    async def _decided(self, item: OpenQuestion, answer: ResumeEntry) -> Events:
        turn, call = self._turn, str(item.tool_call_id)
        approved, reason = decision(answer)
        if answer.status == "resolved" and approved is None:
            raise RunFailed("InvalidAnswer", f"The answer to {item.id} does not say approved true or false.")
        if item.status in ("taken", "done"):
            result = (
                item.result or "The command was started before the runner ended; its result is not known."
            )
            yield turn.result(call, result)
            said = "This was decided before, so I do not run it again."
        elif answer.status == "cancelled":
            item.status = "dropped"
            turn.memory.save()
            yield turn.result(call, "abandoned, the command was not run")
            said = "The approval was abandoned, so I did not run the command."
        elif not approved:
            item.status, item.result = (
                "done",
                "denied, the command was not run" + (f": {reason}" if reason else ""),
            )
            turn.memory.save()
            yield turn.result(call, item.result)
            said = "I did not run the command, because you denied it" + (f": {reason}" if reason else ".")
        else:
            item.status = "taken"
            turn.memory.save()
            item.result = await turn.tools.bash(item.text)
            item.status = "done"
            turn.memory.save()
            yield turn.result(call, item.result)
            said = f"You approved it, and I ran the command once: exit code {turn.tools.last.code}."
        async for event in turn.say(said):
            yield event
