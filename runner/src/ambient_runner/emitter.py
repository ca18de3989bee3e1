"""The ordering guard: whatever an agent yields, what leaves is a valid AG-UI run."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from ag_ui.core import PROTOCOL_VERSION, BaseEvent, EventType

Event = dict[str, Any]

log = logging.getLogger(__name__)


def dump(event: BaseEvent) -> Event:
    """An event as the dictionary that goes on the wire."""
    data = event.model_dump(by_alias=True)
    return data | {"type": EventType(data["type"]).value}


def encode(event: Event) -> str:
    """One line of ASCII JSON: lone surrogates and line separators survive as escapes."""
    return json.dumps(event, default=str, separators=(",", ":"))


def json_rest(text: str) -> str:
    """What has to follow to make cut-off JSON text whole; empty when nothing helps."""
    closers: list[str] = []
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "{[":
            closers.append("}" if char == "{" else "]")
        elif char in "}]" and closers:
            closers.pop()
    ends = (
        ('"', '":null', '\\"', '\\":null', "0", "00", "000", "0000")
        if in_string
        else ("", ":null", "null", '"":null', "0", "e", "ue", "rue", "se", "lse", "alse", "l", "ll", "ull")
    )
    tails = [end if end.endswith(('"', "null")) else f'{end}"' for end in ends] if in_string else list(ends)
    if in_string:
        tails += [f"{tail}:null" for tail in tails]
    for tail in tails:
        rest = tail + "".join(reversed(closers))
        try:
            json.loads(text + rest)
        except ValueError:
            continue
        return rest
    return ""


# start type -> (kind, id field, content types, end type)
_SPANS = {
    "TEXT_MESSAGE_START": ("text", "messageId", "TEXT_MESSAGE_END"),
    "TOOL_CALL_START": ("tool", "toolCallId", "TOOL_CALL_END"),
    "REASONING_START": ("reasoning", "messageId", "REASONING_END"),
    "REASONING_MESSAGE_START": ("thought", "messageId", "REASONING_MESSAGE_END"),
}
_ENDS = {end: (kind, field) for kind, field, end in _SPANS.values()}
_TEXT_START: Event = {"type": "TEXT_MESSAGE_START", "role": "assistant"}
_THOUGHT_START: Event = {"type": "REASONING_MESSAGE_START", "role": "reasoning"}
_CONTENTS: dict[str, tuple[str, str, Event | None]] = {
    "TEXT_MESSAGE_CONTENT": ("text", "messageId", _TEXT_START),
    "REASONING_MESSAGE_CONTENT": ("thought", "messageId", _THOUGHT_START),
    "TOOL_CALL_ARGS": ("tool", "toolCallId", None),
}
_CHUNKS = {
    "TEXT_MESSAGE_CHUNK": ("TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "messageId"),
    "REASONING_MESSAGE_CHUNK": ("REASONING_MESSAGE_START", "REASONING_MESSAGE_CONTENT", "messageId"),
    "TOOL_CALL_CHUNK": ("TOOL_CALL_START", "TOOL_CALL_ARGS", "toolCallId"),
}
TERMINAL = frozenset({"RUN_FINISHED", "RUN_ERROR"})


class StreamGuard:
    """One run's order. `feed` returns what may be sent; after `ended` it returns nothing."""

    def __init__(self, run_input: Event, now: Callable[[], float] = time.time) -> None:
        self._input = run_input
        self._now = now
        self._open: dict[tuple[str, str], Event] = {}
        self._arguments: dict[str, list[str]] = {}
        self._used: dict[tuple[str, str], int] = {}
        self._alias: dict[tuple[str, str], str] = {}
        self._chunk: tuple[str, str] | None = None
        self.ended = False

    def start(self) -> list[Event]:
        """RUN_STARTED, with the protocol's version and the input it answers."""
        version = {"protocolVersion": PROTOCOL_VERSION}
        return self._stamped([{"type": "RUN_STARTED", **self._ids(), **version, "input": self._input}])

    def feed(self, event: Event) -> list[Event]:
        """The event, made to fit; an event that cannot be made to fit is left out and logged."""
        if self.ended:
            return self._refused(event, "after the end of the run")
        kind = event["type"]
        if kind == "RUN_STARTED":
            return []
        if kind in TERMINAL:
            return self.end({**event, **(self._ids() if kind == "RUN_FINISHED" else {})})
        out = [] if kind in _CHUNKS else self._close_chunk()
        out += self._fit(self._attributed(event))
        return self._stamped(out)

    def finish(self, **fields: Any) -> list[Event]:
        """Closers and RUN_FINISHED."""
        return self.end({"type": "RUN_FINISHED", **self._ids(), **fields})

    def fail(self, *, code: str, message: str) -> list[Event]:
        """Closers and RUN_ERROR."""
        return self.end({"type": "RUN_ERROR", "message": message, "code": code})

    def end(self, terminal: Event) -> list[Event]:
        """Closers for all that is open, innermost first, then the run's last event."""
        if self.ended:
            return []
        out: list[Event] = []
        for key in reversed(list(self._open)):
            out += self._close(key, self._open[key])
        self.ended = True
        return self._stamped([*out, terminal])

    def _ids(self) -> Event:
        return {"threadId": self._input["threadId"], "runId": self._input["runId"]}

    def _stamped(self, events: list[Event]) -> list[Event]:
        stamp = int(self._now() * 1000)
        return [event if "timestamp" in event else {**event, "timestamp": stamp} for event in events]

    def _refused(self, event: Event, why: str) -> list[Event]:
        log.warning("left out a %s event: %s", event["type"], why)
        return []

    def _attributed(self, event: Event) -> Event:
        owner = event.get("subagentRunId")
        if owner is None or event["type"] == "SUBAGENT_STARTED":
            return event
        return event | {"subagentRunId": self._named("subagent", owner)}

    def _fit(self, event: Event) -> list[Event]:
        kind = event["type"]
        if kind in _SPANS:
            return self._start(event, *_SPANS[kind])
        if kind in _CONTENTS:
            return self._content(event, *_CONTENTS[kind])
        if kind in _ENDS:
            return self._end_span(event, *_ENDS[kind])
        if kind in _CHUNKS:
            return self._expand(event, *_CHUNKS[kind])
        if kind == "TOOL_CALL_RESULT":
            call = self._named("tool", event["toolCallId"])
            still_open = self._open.get(("tool", call))
            closers = self._close(("tool", call), still_open) if still_open else []
            return [*closers, {**event, "toolCallId": call}]
        if kind in ("STEP_STARTED", "STEP_FINISHED"):
            return self._step(event)
        if kind in ("SUBAGENT_STARTED", "SUBAGENT_FINISHED", "SUBAGENT_ERROR"):
            return self._subagent(event)
        return [event]

    def _named(self, kind: str, wanted: str) -> str:
        """The id that this run uses for an agent's id."""
        return self._alias.get((kind, wanted), wanted)

    def _fresh(self, kind: str, wanted: str) -> str:
        """An id that this run has not used for this kind; later events are mapped to it."""
        uses = self._used[kind, wanted] = self._used.get((kind, wanted), 0) + 1
        name = self._alias[kind, wanted] = wanted if uses == 1 else f"{wanted}~{uses}"
        return name

    def _start(self, event: Event, kind: str, field: str, end: str) -> list[Event]:
        if (kind, self._alias.get((kind, event[field]), "")) in self._open:
            return self._refused(event, "it is open already")
        name = self._fresh(kind, event[field])
        owner = {"subagentRunId": event["subagentRunId"]} if event.get("subagentRunId") is not None else {}
        self._open[kind, name] = {"type": end, field: name, **owner}
        if kind == "tool":
            self._arguments[name] = []
        return [{**event, field: name}]

    def _content(self, event: Event, kind: str, field: str, opener: Event | None) -> list[Event]:
        if not event["delta"]:
            return []
        name = self._named(kind, event[field])
        out: list[Event] = []
        if (kind, name) not in self._open:
            if opener is None:
                return self._refused(event, "its call is not open")
            owner = {key: value for key, value in event.items() if key == "subagentRunId"}
            out = self._fit({**owner, **opener, field: event[field]})
            name = out[0][field]
        if kind == "tool":
            self._arguments[name].append(event["delta"])
        return [*out, self._owned({**event, field: name}, self._open[kind, name])]

    def _end_span(self, event: Event, kind: str, field: str) -> list[Event]:
        name = self._named(kind, event[field])
        opened = self._open.pop((kind, name), None)
        if opened is None:
            return self._refused(event, "it is not open")
        if kind == "tool":  # a message may have the id of a call
            self._arguments.pop(name, None)
        return [self._owned({**event, field: name}, opened)]

    @staticmethod
    def _owned(event: Event, opened: Event) -> Event:
        """The event with the owner of what it continues."""
        rest = {key: value for key, value in event.items() if key != "subagentRunId"}
        return rest | {key: value for key, value in opened.items() if key == "subagentRunId"}

    def _expand(self, event: Event, start: str, content: str, field: str) -> list[Event]:
        kind, _, _ = _SPANS[start]
        wanted = event.get(field) or (self._chunk[1] if self._chunk and self._chunk[0] == kind else None)
        if wanted is None:
            return self._refused(event, "its first chunk names no id")
        out: list[Event] = []
        if self._chunk != (kind, wanted):
            out += self._close_chunk()
            if kind == "tool" and not event.get("toolCallName"):
                return out + self._refused(event, "its first chunk names no tool")
            role = {"text": event.get("role") or "assistant", "thought": "reasoning"}.get(kind)
            head = {key: value for key, value in event.items() if key not in ("delta", "role")}
            out += self._fit({**head, "type": start, field: wanted, **({"role": role} if role else {})})
            self._chunk = (kind, wanted)
        if event.get("delta"):
            out += self._fit({"type": content, field: wanted, "delta": event["delta"]})
        return out

    def _close_chunk(self) -> list[Event]:
        if self._chunk is None:
            return []
        kind, wanted = self._chunk
        self._chunk = None
        key = (kind, self._named(kind, wanted))
        opened = self._open.get(key)
        return self._close(key, opened) if opened else []

    def _step(self, event: Event) -> list[Event]:
        owner = {key: value for key, value in event.items() if key == "subagentRunId"}
        key = ("step", json.dumps([owner, event["stepName"]]))
        if event["type"] == "STEP_STARTED":
            if key in self._open:
                return self._refused(event, "it is open already")
            self._open[key] = {"type": "STEP_FINISHED", "stepName": event["stepName"], **owner}
        elif self._open.pop(key, None) is None:
            return self._refused(event, "it is not open")
        return [event]

    def _subagent(self, event: Event) -> list[Event]:
        wanted = event["subagentRunId"]
        if event["type"] == "SUBAGENT_STARTED":
            if ("subagent", self._alias.get(("subagent", wanted), "")) in self._open:
                return self._refused(event, "it is open already")
            name = self._fresh("subagent", wanted)
            self._open["subagent", name] = {
                "type": "SUBAGENT_ERROR",
                "subagentRunId": name,
                "message": "The run ended first.",
                "code": "RunEnded",
            }
            return [event | {"subagentRunId": name}]
        if ("subagent", wanted) not in self._open:
            return self._refused(event, "it is not open")
        out: list[Event] = []
        for key in reversed(list(self._open)):
            if key[0] != "subagent" and self._open[key].get("subagentRunId") == wanted:
                out += self._close(key, self._open[key])
        del self._open["subagent", wanted]
        if (event.get("outcome") or {}).get("type") == "suspended":
            # The same id may continue later.
            self._used.pop(("subagent", wanted), None)
        return [*out, event]

    def _close(self, key: tuple[str, str], closer: Event) -> list[Event]:
        """The closer of one open thing; arguments that were cut off become valid JSON first."""
        del self._open[key]
        arguments = "".join(self._arguments.pop(key[1], [])) if key[0] == "tool" else ""
        rest = json_rest(arguments) if arguments else ""
        if not rest:
            return [closer]
        missing = {**closer, "type": "TOOL_CALL_ARGS", "delta": rest}
        return [missing, closer]
