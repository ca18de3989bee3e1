"""A finished run in fewer events that say the same. Pure.

The rules are those of AG-UI's serialization page: deltas of one message or call become one, superseded state
goes. Nothing changes its place, so a valid run stays valid.
"""

import json
from collections.abc import Iterable, Sequence

from sessions_app.streams.frames import Event, Frame, encode_event

# type -> names of its id field and of the text that grows
_DELTAS = {
    "TEXT_MESSAGE_CONTENT": ("messageId", "delta"),
    "REASONING_MESSAGE_CONTENT": ("messageId", "delta"),
    "TOOL_CALL_ARGS": ("toolCallId", "delta"),
}
_ENDS = {
    "TEXT_MESSAGE_END": "messageId",
    "REASONING_MESSAGE_END": "messageId",
    "TOOL_CALL_END": "toolCallId",
}
_STATE = frozenset({"STATE_SNAPSHOT", "STATE_DELTA"})
JOINED_CHARACTERS = 128 * 1024
"""A joined text is cut here, so that an event stays below 1 MiB however its characters are escaped."""


def compact(events: Iterable[Event]) -> list[Event]:
    """The same run: joined texts and arguments, the last state snapshot and what changed after it."""
    return _without_old_state(_joined(events))


def _joined(events: Iterable[Event]) -> list[Event]:
    """Every delta is added to the first one of its message or call."""
    result: list[Event] = []
    growing: dict[tuple[str, str], tuple[Event, list[str], int]] = {}
    for event in events:
        kind = event["type"]
        if kind in _DELTAS and isinstance(event.get(_DELTAS[kind][1]), str) and not event.get("metadata"):
            id_field, text = _DELTAS[kind]
            key = (id_field, str(event.get(id_field)))
            found = growing.get(key)
            if found is not None and found[2] + len(event[text]) <= JOINED_CHARACTERS:
                found[1].append(event[text])
                growing[key] = (found[0], found[1], found[2] + len(event[text]))
                continue
            _settle(growing.pop(key, None))
            event = dict(event)
            growing[key] = (event, [event[text]], len(event[text]))
        elif kind in _ENDS:
            _settle(growing.pop((_ENDS[kind], str(event.get(_ENDS[kind]))), None))
        result.append(event)
    for open_one in growing.values():
        _settle(open_one)
    return result


def _settle(found: tuple[Event, list[str], int] | None) -> None:
    if found is not None:
        event, parts, _ = found
        event[_DELTAS[event["type"]][1]] = "".join(parts)


def _without_old_state(events: Sequence[Event]) -> list[Event]:
    """State before the last snapshot is superseded; patches that follow each other directly are one."""
    last = max((n for n, event in enumerate(events) if event["type"] == "STATE_SNAPSHOT"), default=0)
    result: list[Event] = []
    for number, event in enumerate(events):
        if number < last and event["type"] in _STATE:
            continue
        before = result[-1] if result else None
        if before is not None and _are_patches(before, event):
            result[-1] = {**before, "delta": [*before["delta"], *event["delta"]]}
        else:
            result.append(event)
    return result


def _are_patches(before: Event, event: Event) -> bool:
    return (
        before["type"] == event["type"] == "STATE_DELTA"
        and isinstance(before.get("delta"), list)
        and isinstance(event.get("delta"), list)
        and len(before["delta"]) < 1000
    )


def encoded(events: Sequence[Event]) -> str:
    """As `RunLog.events` keeps them: a JSON array."""
    return "[" + ",".join(encode_event(event).decode() for event in events) + "]"


def restated_frames(run: str, first_seq: int, last_seq: int, events: str) -> list[Frame]:
    """Frames of a compacted run: numbers grow from its first and end with its last, for cursors."""
    values: list[Event] = json.loads(events)  # not orjson: integers may be beyond 64 bits
    frames = [
        Frame(first_seq + offset, run, str(event["type"])[:64], encode_event(event))
        for offset, event in enumerate(values)
    ]
    if frames:
        end = frames[-1]
        frames[-1] = Frame(last_seq, run, end.type, end.data)
    return frames
