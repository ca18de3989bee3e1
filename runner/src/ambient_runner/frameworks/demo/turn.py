"""Writes one run of the demo agent: events for the stream, and the messages they amount to."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from ag_ui.core import (
    BaseEvent,
    Message,
    MessagesSnapshotEvent,
    ReasoningEndEvent,
    ReasoningMessageContentEvent,
    ReasoningMessageEndEvent,
    ReasoningMessageStartEvent,
    ReasoningStartEvent,
    RunAgentInput,
    StateDeltaEvent,
    StateSnapshotEvent,
    StepFinishedEvent,
    StepStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
)
from pydantic import TypeAdapter

from ambient_runner.frameworks.demo.memory import Memory
from ambient_runner.frameworks.demo.tools import Toolbox

MESSAGES: TypeAdapter[list[Message]] = TypeAdapter(list[Message])
Events = AsyncIterator[BaseEvent]


class Turn:
    """Gives out ids, paces the writing, and records what was said. Ids follow from the run's id."""

    def __init__(self, run_input: RunAgentInput, memory: Memory, tools: Toolbox, pace: float) -> None:
        self.input = run_input
        self.memory = memory
        self.tools = tools
        self.plan: list[dict[str, str]] = []
        self._pace = pace
        self._count = 0
        self._messages = [message.model_dump(mode="python", by_alias=True) for message in run_input.messages]

    def new_id(self, kind: str) -> str:
        """An id that is the same whenever the same run is repeated."""
        self._count += 1
        return f"{self.input.run_id}-{kind}{self._count}"

    async def pause(self, seconds: float) -> None:
        """Wait as long as a person would find natural; not at all at pace 0."""
        await asyncio.sleep(seconds * self._pace)

    async def say(self, text: str) -> Events:
        """A text message, streamed in words."""
        message = self.new_id("text")
        yield TextMessageStartEvent(message_id=message, role="assistant")
        for part in re.findall(r"\s*\S+\s*", text) or [text]:
            yield TextMessageContentEvent(message_id=message, delta=part)
            await self.pause(0.02)
        yield TextMessageEndEvent(message_id=message)
        self.record({"id": message, "role": "assistant", "content": text})

    async def think(self, text: str) -> Events:
        """A short span of reasoning."""
        span, message = self.new_id("span"), self.new_id("thought")
        yield ReasoningStartEvent(message_id=span)
        yield ReasoningMessageStartEvent(message_id=message, role="reasoning")
        for part in re.findall(r"\s*\S+\s*", text):
            yield ReasoningMessageContentEvent(message_id=message, delta=part)
            await self.pause(0.02)
        yield ReasoningMessageEndEvent(message_id=message)
        yield ReasoningEndEvent(message_id=span)

    async def call(self, tool: str, arguments: dict[str, Any], call: str | None = None) -> Events:
        """A tool call up to its end, without its result."""
        call = call or self.new_id("tool")
        text = json.dumps(arguments)
        yield ToolCallStartEvent(tool_call_id=call, tool_call_name=tool)
        third = max(1, len(text) // 3 + 1)
        for start in range(0, len(text), third):
            yield ToolCallArgsEvent(tool_call_id=call, delta=text[start : start + third])
            await self.pause(0.03)
        yield ToolCallEndEvent(tool_call_id=call)
        function = {"name": tool, "arguments": text}
        record = {"id": call, "type": "function", "function": function}
        self.record({"id": f"{call}-call", "role": "assistant", "toolCalls": [record]})

    def result(self, call: str, content: str) -> ToolCallResultEvent:
        """What a tool call gave."""
        message = f"{call}-result"
        self.record({"id": message, "role": "tool", "toolCallId": call, "content": content})
        return ToolCallResultEvent(message_id=message, tool_call_id=call, content=content, role="tool")

    async def use(self, tool: str, arguments: dict[str, Any]) -> Events:
        """A tool call that really happens; its result is also in `tools.last`."""
        call = self.new_id("tool")
        async for event in self.call(tool, arguments, call):
            yield event
        yield self.result(call, await self.tools.use(tool, arguments))
        await self.pause(0.1)

    def snapshot(self) -> StateSnapshotEvent:
        """The state as it is."""
        return StateSnapshotEvent(snapshot={"plan": [dict(step) for step in self.plan]})

    def begin_plan(self, titles: Sequence[str]) -> StateSnapshotEvent:
        """The plan, nothing done yet."""
        self.plan = [{"title": title, "status": "pending"} for title in titles]
        return self.snapshot()

    async def step(self, number: int, events: Events) -> Events:
        """One step of the plan around the events that do it."""
        title = self.plan[number]["title"]
        yield StepStartedEvent(step_name=title)
        yield self._mark(number, "in_progress")
        async for event in events:
            yield event
        yield self._mark(number, "completed")
        yield StepFinishedEvent(step_name=title)

    def _mark(self, number: int, status: str) -> StateDeltaEvent:
        self.plan[number]["status"] = status
        delta = [{"op": "replace", "path": f"/plan/{number}/status", "value": status}]
        return StateDeltaEvent.model_validate({"type": "STATE_DELTA", "delta": delta})

    def record(self, message: dict[str, Any]) -> None:
        """Remember a message of this run."""
        self._messages.append(message)

    def remember(self) -> None:
        """Put this run's messages into the memory."""
        self.memory.remember(self._messages)

    def messages_snapshot(self) -> MessagesSnapshotEvent:
        """The conversation, this run included."""
        self.remember()
        return MessagesSnapshotEvent(messages=MESSAGES.validate_python(self.memory.messages))
