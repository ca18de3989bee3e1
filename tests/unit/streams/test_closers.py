"""A run that breaks off anywhere is a valid run with the closers behind it."""

import json
from typing import Any

import pytest
from ag_ui_validate import Validator
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.streams.closers import OpenItems, json_rest

Event = dict[str, Any]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def text(key: str, body: str) -> list[Event]:
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": key, "role": "assistant"},
        *({"type": "TEXT_MESSAGE_CONTENT", "messageId": key, "delta": c} for c in body),
        {"type": "TEXT_MESSAGE_END", "messageId": key},
    ]


def tool(key: str, arguments: str) -> list[Event]:
    return [
        {"type": "TOOL_CALL_START", "toolCallId": key, "toolCallName": "bash"},
        *({"type": "TOOL_CALL_ARGS", "toolCallId": key, "delta": c} for c in arguments),
        {"type": "TOOL_CALL_END", "toolCallId": key},
        {"type": "TOOL_CALL_RESULT", "messageId": f"{key}-r", "toolCallId": key, "content": "ok"},
    ]


def reasoning(key: str, body: str) -> list[Event]:
    return [
        {"type": "REASONING_START", "messageId": key},
        {"type": "REASONING_MESSAGE_START", "messageId": f"{key}-m", "role": "reasoning"},
        *({"type": "REASONING_MESSAGE_CONTENT", "messageId": f"{key}-m", "delta": c} for c in body),
        {"type": "REASONING_MESSAGE_END", "messageId": f"{key}-m"},
        {"type": "REASONING_END", "messageId": key},
    ]


def step(key: str, inner: list[Event]) -> list[Event]:
    return [{"type": "STEP_STARTED", "stepName": key}, *inner, {"type": "STEP_FINISHED", "stepName": key}]


def subagent(key: str, inner: list[Event]) -> list[Event]:
    owned = [{**event, "subagentRunId": key} for event in inner]
    return [
        {"type": "SUBAGENT_STARTED", "subagentRunId": key, "name": "helper"},
        *owned,
        {"type": "SUBAGENT_FINISHED", "subagentRunId": key},
    ]


@st.composite
def bodies(draw: st.DrawFn) -> list[Event]:
    """Some valid things in a run, two of them interleaved."""
    events: list[Event] = []
    for number in range(draw(st.integers(0, 3))):
        key = f"k{number}"
        part = draw(
            st.sampled_from(
                [
                    text(key, "abc"),
                    tool(key, json.dumps(draw(JSON_VALUES))),
                    reasoning(key, "hm"),
                    step(key, text(f"{key}-t", "x")),
                    subagent(key, text(f"{key}-s", "y")),
                    subagent(key, tool(f"{key}-st", '{"a": [1, true]}')),
                ]
            )
        )
        other = draw(st.sampled_from([[], text(f"o{number}", "zz")]))
        merged = part + other if draw(st.booleans()) else _zip(part, other)
        events += merged
    return events


def _zip(left: list[Event], right: list[Event]) -> list[Event]:
    merged: list[Event] = []
    for at in range(max(len(left), len(right))):
        merged += left[at : at + 1] + right[at : at + 1]
    return merged


def errors(events: list[Event]) -> list[str]:
    validator = Validator()
    found = [d for event in events for d in validator.feed({"timestamp": 1, **event})] + validator.finalize()
    return [f"{d.rule} {d.message}" for d in found if d.severity in ("error", "warning")]


@given(bodies(), st.data())
@pytest.mark.parametrize("end", ["RUN_FINISHED", "RUN_ERROR"])
def test_any_prefix_with_closers_is_valid(end: str, body: list[Event], data: st.DataObject) -> None:
    start: Event = {"type": "RUN_STARTED", "threadId": "t", "runId": "r"}
    prefix = [start, *body[: data.draw(st.integers(0, len(body)))]]
    items = OpenItems()
    for event in prefix:
        items.feed(event)
    last: Event = (
        {"type": end, "threadId": "t", "runId": "r"}
        if end == "RUN_FINISHED"
        else {"type": end, "message": "gone"}
    )
    assert errors([*prefix, *items.closers(), last]) == []


@given(JSON_VALUES, st.booleans(), st.data())
def test_any_beginning_of_json_is_made_whole(value: Any, ascii_only: bool, data: st.DataObject) -> None:
    whole = json.dumps(value, ensure_ascii=ascii_only)
    cut = whole[: data.draw(st.integers(1, len(whole)))]
    json.loads(cut + json_rest(cut))


@pytest.mark.parametrize(
    "given_text", ["", "  ", "{not json", "]"], ids=["empty", "blank", "no-json", "closed"]
)
def test_what_is_no_beginning_is_left_alone(given_text: str) -> None:
    assert json_rest(given_text) == ""


def test_nothing_is_open_after_the_closers() -> None:
    items = OpenItems()
    for event in [*text("a", "x")[:-1], *tool("b", "{}")[:2], *reasoning("c", "y")[:3]]:
        items.feed(event)
    for event in items.closers():
        items.feed(event)
    assert items.closers() == []
