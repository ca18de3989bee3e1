"""What is open in a run, and the events that end it in order: a run that breaks off stays a valid one."""

import json
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]

# start type -> (kind, name of its id field, end type)
_SPANS = {
    "TEXT_MESSAGE_START": ("text", "messageId", "TEXT_MESSAGE_END"),
    "TOOL_CALL_START": ("tool", "toolCallId", "TOOL_CALL_END"),
    "REASONING_START": ("reasoning", "messageId", "REASONING_END"),
    "REASONING_MESSAGE_START": ("thought", "messageId", "REASONING_MESSAGE_END"),
    "STEP_STARTED": ("step", "stepName", "STEP_FINISHED"),
    "SUBAGENT_STARTED": ("subagent", "subagentRunId", "SUBAGENT_FINISHED"),
}
_ENDS = {end: (kind, field) for kind, field, end in _SPANS.values()} | {
    "SUBAGENT_ERROR": ("subagent", "subagentRunId")
}
TERMINAL = frozenset({"RUN_FINISHED", "RUN_ERROR"})
_INTERRUPTED = "The run ended before this was complete."


class OpenItems:
    """Follows a run event by event; `closers()` are the events that may come before its end."""

    def __init__(self) -> None:
        self.started = False
        self.ended = False
        self._open: dict[tuple[str, str, str | None], tuple[str, str]] = {}
        self._arguments: dict[str, list[str]] = {}
        self._chunk_call: str | None = None

    def feed(self, event: Event) -> None:
        """Take one event of the run into account."""
        kind = event["type"]
        if kind == "RUN_STARTED":
            self.started = True
        if kind in TERMINAL:
            self.ended = True
        if kind != "TOOL_CALL_CHUNK":
            self._chunk_call = None
        owner = event.get("subagentRunId")
        if kind in _SPANS:
            name, field, end = _SPANS[kind]
            key = str(event.get(field))
            self._open[(name, key, None if name == "subagent" else owner)] = (field, end)
            if name == "tool":
                self._arguments[key] = []
        elif kind in _ENDS:
            name, field = _ENDS[kind]
            key = str(event.get(field))
            self._close(name, key, owner)
        elif kind == "TOOL_CALL_ARGS":
            self._add_arguments(str(event.get("toolCallId")), event)
        elif kind == "TOOL_CALL_CHUNK":
            self._add_chunk(event)

    def _close(self, name: str, key: str, owner: str | None) -> None:
        if name in ("step", "subagent"):
            self._open.pop((name, key, owner if name == "step" else None), None)
            return
        for found in [entry for entry in self._open if entry[:2] == (name, key)]:
            del self._open[found]
        if name == "tool":
            self._arguments.pop(key, None)

    def _add_arguments(self, call: str, event: Event) -> None:
        delta = event.get("delta")
        if isinstance(delta, str) and call in self._arguments:
            self._arguments[call].append(delta)

    def _add_chunk(self, event: Event) -> None:
        """Chunks close by themselves; only their arguments may have to be made whole."""
        call = event.get("toolCallId")
        if isinstance(call, str) and call != self._chunk_call:
            self._chunk_call = call
            self._arguments[call] = []
        if self._chunk_call is not None:
            self._add_arguments(self._chunk_call, event)

    def closers(self) -> list[Event]:
        """Events that end everything open, the innermost first; arguments are completed to valid JSON."""
        events: list[Event] = []
        if self._chunk_call is not None:
            rest = json_rest("".join(self._arguments.get(self._chunk_call, [])))
            if rest:
                events.append({"type": "TOOL_CALL_CHUNK", "toolCallId": self._chunk_call, "delta": rest})
        for (name, key, owner), (field, end) in reversed(self._open.items()):
            base: Event = {"subagentRunId": owner} if owner is not None else {}
            if name == "tool":
                rest = json_rest("".join(self._arguments.get(key, [])))
                if rest:
                    events.append({"type": "TOOL_CALL_ARGS", "toolCallId": key, "delta": rest, **base})
            if name == "subagent":
                events.append({"type": "SUBAGENT_ERROR", field: key, "message": _INTERRUPTED})
            else:
                events.append({"type": end, field: key, **base})
        return events


def stamped(events: list[Event], now_ms: Callable[[], int]) -> list[Event]:
    """The same events with a timestamp where they have none."""
    return [event if "timestamp" in event else {**event, "timestamp": now_ms()} for event in events]


_IN_STRING = ('"', '\\"', '0"', '00"', '000"', '0000"')
_OUTSIDE = ("", "null", '"":null', ":null", "0", "e", "ue", "rue", "se", "lse", "alse", "l", "ll", "ull")


def json_rest(text: str) -> str:
    """What makes cut-off JSON whole; empty when it is whole, empty, or no beginning of JSON at all."""
    if not text.strip():
        return ""
    closing: list[str] = []
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            else:
                in_string = char != '"'
        elif char == '"':
            in_string = True
        elif char in "{[":
            closing.append("}" if char == "{" else "]")
        elif char in "}]" and closing:
            closing.pop()
    ends = [*_IN_STRING, *(f"{end}:null" for end in _IN_STRING)] if in_string else _OUTSIDE
    tail = "".join(reversed(closing))
    for end in ends:
        try:
            json.loads(text + end + tail)
        except (ValueError, RecursionError):
            continue
        return end + tail
    return ""
