"""Frames of the agent as AG-UI events. Pure: one run's translation, fed frame by frame.

The main conversation arrives twice, as stream events and as whole messages; the stream is what is translated,
and a whole message only when it was not streamed. Sub-agents arrive as whole messages only.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from ag_ui.core import (
    BaseEvent,
    CustomEvent,
    ReasoningEndEvent,
    ReasoningMessageContentEvent,
    ReasoningMessageEndEvent,
    ReasoningMessageStartEvent,
    ReasoningStartEvent,
    StateDeltaEvent,
    StateSnapshotEvent,
    SubagentErrorEvent,
    SubagentFinishedEvent,
    SubagentFinishedSuspendedOutcome,
    SubagentStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
)

from ambient_runner.emitter import json_rest

Frame = dict[str, Any]
Plan = list[dict[str, str]]
SUBAGENT_TOOLS = frozenset({"Agent", "Task"})
PLAN_TOOL = "TodoWrite"
STATUSES = frozenset({"pending", "in_progress", "completed"})


@dataclass
class Call:
    """A tool call as far as it is known."""

    name: str
    arguments: str = ""
    parent: str | None = None
    input: dict[str, Any] = field(default_factory=dict)


@dataclass
class Known:
    """What outlives a run: its calls, and the plan."""

    calls: dict[str, Call] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)  # calls that were shown completely
    plan: Plan = field(default_factory=list)

    def parent(self, call: str) -> str | None:
        """The sub-agent that made a call."""
        return self.calls[call].parent if call in self.calls else None


@dataclass
class _Block:
    """A part of the message that is being streamed."""

    kind: str
    id: str
    text: str = ""


class Translator:
    """One run. `messages` are what the events amount to, for MESSAGES_SNAPSHOT."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.messages: list[dict[str, Any]] = []
        self._message: str | None = None
        self._streamed: set[str] = set()
        self._blocks: dict[int, _Block] = {}
        self._subagents: list[str] = []

    @property
    def open(self) -> bool:
        """A message is being streamed."""
        return self._message is not None

    def feed(self, frame: Frame) -> list[BaseEvent]:
        """The events of the next frame."""
        match frame["kind"]:
            case "stream" if frame["parent"] is None:
                return self._stream(frame["event"])
            case "assistant":
                return self._assistant(frame)
            case "user":
                return self._user(frame)
            case "retry":
                data = frame["data"]
                value = {name: data.get(name) for name in ("attempt", "max_retries", "error_status", "error")}
                return [CustomEvent(name="claude:api_retry", value=value)]
        return []

    def suspend(self, interrupts: dict[str, list[str]]) -> list[BaseEvent]:
        """Sub-agents at an interrupt: they go on in a later run. `interrupts` are ids by sub-agent."""
        events: list[BaseEvent] = []
        for name in reversed(self._subagents):
            ids = interrupts.get(name)
            outcome = SubagentFinishedSuspendedOutcome(type="suspended", interrupt_ids=ids)
            events.append(SubagentFinishedEvent(subagent_run_id=name, outcome=outcome))
        self._subagents.clear()
        return events

    def result(self, call: str, content: str, parent: str | None = None) -> ToolCallResultEvent:
        """What a call gave."""
        message = {"id": f"{call}-result", "role": "tool", "toolCallId": call, "content": content}
        self.messages.append(message | _owner(parent, "subagentRunId"))
        return ToolCallResultEvent(
            message_id=f"{call}-result",
            tool_call_id=call,
            content=content,
            role="tool",
            **_owner(parent),
        )

    def snapshot(self) -> StateSnapshotEvent:
        """The state as it is."""
        return StateSnapshotEvent(snapshot={"plan": [dict(step) for step in self.known.plan]})

    # --- the streamed message

    def _stream(self, event: Frame) -> list[BaseEvent]:
        match event["type"]:
            case "message_start":
                events = self._close_all()
                self._message = event["message"]["id"]
                self._streamed.add(self._message)
                return events
            case "content_block_start" if self._message is not None:
                return self._begin(int(event["index"]), event["content_block"])
            case "content_block_delta":
                return self._delta(self._blocks.get(int(event["index"])), event["delta"])
            case "content_block_stop":
                return self._end(self._blocks.pop(int(event["index"]), None))
            case "message_stop":
                events = self._close_all()
                self._message = None
                return events
        return []

    def _close_all(self) -> list[BaseEvent]:
        """End what a message that was begun again has left open; cut-off arguments become whole JSON."""
        events: list[BaseEvent] = []
        for _, block in sorted(self._blocks.items()):
            if block.kind == "tool" and (rest := json_rest(self.known.calls[block.id].arguments)):
                events += self._delta(block, {"type": "input_json_delta", "partial_json": rest})
            events += self._end(block)
        self._blocks.clear()
        return events

    def _begin(self, index: int, content: Frame, parent: str | None = None) -> list[BaseEvent]:
        name = f"{self._message}-{index}"
        match content["type"]:
            case "text":
                self._blocks[index] = _Block("text", name)
                return []  # opened by its first word: empty texts are not shown
            case "thinking":
                self._blocks[index] = _Block("thinking", f"{name}-thought")
                return []
            case "tool_use":
                self._blocks[index] = _Block("tool", content["id"])
                return [self._call(content["id"], content["name"], parent)]
        return []

    def _call(self, call: str, name: str, parent: str | None) -> BaseEvent:
        self.known.calls[call] = Call(name, parent=parent)
        return ToolCallStartEvent(tool_call_id=call, tool_call_name=name, **_owner(parent))

    def _delta(self, block: _Block | None, delta: Frame, parent: str | None = None) -> list[BaseEvent]:
        if block is None:
            return []
        owner = _owner(parent)
        events: list[BaseEvent] = []
        match delta["type"]:
            case "text_delta" if delta["text"]:
                if not block.text:
                    events.append(TextMessageStartEvent(message_id=block.id, role="assistant", **owner))
                block.text += delta["text"]
                events.append(TextMessageContentEvent(message_id=block.id, delta=delta["text"], **owner))
            case "thinking_delta" if delta["thinking"]:
                if not block.text:
                    events.append(ReasoningStartEvent(message_id=f"{block.id}-span", **owner))
                    events.append(ReasoningMessageStartEvent(message_id=block.id, role="reasoning", **owner))
                block.text += delta["thinking"]
                events.append(
                    ReasoningMessageContentEvent(message_id=block.id, delta=delta["thinking"], **owner)
                )
            case "input_json_delta" if delta["partial_json"]:
                self.known.calls[block.id].arguments += delta["partial_json"]
                events.append(ToolCallArgsEvent(tool_call_id=block.id, delta=delta["partial_json"], **owner))
        return events

    def _end(self, block: _Block | None, parent: str | None = None) -> list[BaseEvent]:
        if block is None:
            return []
        owner = _owner(parent)
        if block.kind == "tool":
            return self._end_call(block.id, parent)
        if not block.text:
            return []
        if block.kind == "thinking":
            return [
                ReasoningMessageEndEvent(message_id=block.id, **owner),
                ReasoningEndEvent(message_id=f"{block.id}-span", **owner),
            ]
        message = {"id": block.id, "role": "assistant", "content": block.text}
        self.messages.append(message | _owner(parent, "subagentRunId"))
        return [TextMessageEndEvent(message_id=block.id, **owner)]

    def _end_call(self, name: str, parent: str | None) -> list[BaseEvent]:
        call = self.known.calls[name]
        call.input = _object(call.arguments)
        self.known.made.add(name)
        function = {"name": call.name, "arguments": call.arguments or "{}"}
        record = {"id": name, "type": "function", "function": function}
        message = {"id": f"{name}-call", "role": "assistant", "toolCalls": [record]}
        self.messages.append(message | _owner(parent, "subagentRunId"))
        events: list[BaseEvent] = [ToolCallEndEvent(tool_call_id=name, **_owner(parent))]
        if call.name == PLAN_TOOL and parent is None:
            events += self._plan(call.input.get("todos"))
        return events

    # --- whole messages

    def _assistant(self, frame: Frame) -> list[BaseEvent]:
        parent = frame["parent"]
        if parent is None and (frame["id"] in self._streamed or frame["error"]):
            return []  # an error is told by the result
        events = self._subagent(parent)
        outer, self._message = self._message, frame["id"]
        held, self._blocks = self._blocks, {}
        for number, content in enumerate(frame["blocks"], len(self.messages)):
            events += self._whole(number, content, parent)
        self._message, self._blocks = outer, held
        return events

    def _whole(self, number: int, content: Frame, parent: str | None) -> list[BaseEvent]:
        """A block that comes in one piece. One message's blocks may come in several frames."""
        delta: Frame
        match content["type"]:
            case "text":
                delta = {"type": "text_delta", "text": content["text"]}
            case "thinking":
                delta = {"type": "thinking_delta", "thinking": content["thinking"]}
            case "tool_use":
                delta = {"type": "input_json_delta", "partial_json": json.dumps(content["input"])}
            case _:
                return []
        events = self._begin(number, content, parent)
        block = self._blocks.pop(number)
        return events + self._delta(block, delta, parent) + self._end(block, parent)

    def _user(self, frame: Frame) -> list[BaseEvent]:
        events: list[BaseEvent] = []
        for content in frame["blocks"]:
            if content["type"] != "tool_result":
                continue
            events += self._subagent(frame["parent"])
            text = result_text(content["content"])
            events += self._end_subagent(content["id"], text, content["is_error"])
            events.append(self.result(content["id"], text, frame["parent"]))
            self.known.calls.pop(content["id"], None)
        return events

    # --- sub-agents

    def _subagent(self, name: str | None) -> list[BaseEvent]:
        """The sub-agent that a frame belongs to, started when it is new to this run."""
        if name is None or name in self._subagents:
            return []
        call = self.known.calls.get(name, Call("Agent"))
        self._subagents.append(name)
        started = SubagentStartedEvent(
            subagent_run_id=name,
            name=str(call.input.get("subagent_type") or "sub-agent"),
            description=str(call.input.get("description") or "") or None,
            parent_tool_call_id=name,
            parent_subagent_run_id=call.parent,
        )
        return [*self._subagent(call.parent), started]

    def _end_subagent(self, name: str, text: str, failed: bool) -> list[BaseEvent]:
        if name not in self._subagents:
            return []
        self._subagents.remove(name)
        if failed:
            return [SubagentErrorEvent(subagent_run_id=name, message=text or "The sub-agent failed.")]
        return [SubagentFinishedEvent(subagent_run_id=name, result=text)]

    # --- the plan

    def _plan(self, todos: Any) -> list[BaseEvent]:
        """The agent's to-do list is the state's plan: a snapshot when its titles change, else a delta."""
        if not isinstance(todos, list):
            return []
        plan: Plan = [
            {"title": str(todo.get("content", "")), "status": str(todo.get("status"))}
            for todo in todos
            if isinstance(todo, dict) and todo.get("status") in STATUSES
        ]
        before, self.known.plan = self.known.plan, plan
        if [step["title"] for step in before] != [step["title"] for step in plan]:
            return [self.snapshot()]
        delta = [
            {"op": "replace", "path": f"/plan/{number}/status", "value": step["status"]}
            for number, step in enumerate(plan)
            if before[number]["status"] != step["status"]
        ]
        return [StateDeltaEvent.model_validate({"type": "STATE_DELTA", "delta": delta})] if delta else []


def _owner(parent: str | None, name: str = "subagent_run_id") -> dict[str, Any]:
    return {} if parent is None else {name: parent}


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def result_text(content: Any) -> str:
    """A tool's result as text; what is not text is named."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(
        str(part.get("text", "")) if part.get("type") == "text" else f"[{part.get('type', 'content')}]"
        for part in parts
        if isinstance(part, dict)
    )
