"""Compaction: fewer events that say the same."""

from collections import defaultdict
from typing import Any

import pytest
from ag_ui_validate import Validator
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.streams.compaction import JOINED_CHARACTERS, compact, encoded, restated_frames
from sessions_app.streams.frames import Event

RUN = {"threadId": "t", "runId": "r"}
STARTED: Event = {"type": "RUN_STARTED", **RUN, "protocolVersion": "1.0"}
FINISHED: Event = {"type": "RUN_FINISHED", **RUN}


def text(message: str, *deltas: str) -> list[Event]:
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": message, "role": "assistant"},
        *({"type": "TEXT_MESSAGE_CONTENT", "messageId": message, "delta": delta} for delta in deltas),
        {"type": "TEXT_MESSAGE_END", "messageId": message},
    ]


def call(name: str, *deltas: str) -> list[Event]:
    return [
        {"type": "TOOL_CALL_START", "toolCallId": name, "toolCallName": "Bash"},
        *({"type": "TOOL_CALL_ARGS", "toolCallId": name, "delta": delta} for delta in deltas),
        {"type": "TOOL_CALL_END", "toolCallId": name},
    ]


def snapshot(n: int) -> Event:
    return {"type": "STATE_SNAPSHOT", "snapshot": {"n": n}}


def patch(n: int) -> Event:
    return {"type": "STATE_DELTA", "delta": [{"op": "replace", "path": "/n", "value": n}]}


A, B = text("a", "Hel", "lo"), text("b", "x", "y")


@pytest.mark.parametrize(
    ("events", "result"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([STARTED, *A, FINISHED], [STARTED, *text("a", "Hello"), FINISHED], id="text"),
        pytest.param(call("c", '{"a":', "1}"), call("c", '{"a":1}'), id="arguments"),
        pytest.param([*A, *A], [*text("a", "Hello"), *text("a", "Hello")], id="same-id-again"),
        pytest.param(
            [A[0], B[0], A[1], B[1], A[2], B[2], B[3], A[3]],
            [A[0], B[0], A[1] | {"delta": "Hello"}, B[1] | {"delta": "xy"}, B[3], A[3]],
            id="interleaved",
        ),
        pytest.param(
            [snapshot(1), patch(2), *A, snapshot(3), patch(4), patch(5)],
            [
                *text("a", "Hello"),
                snapshot(3),
                {"type": "STATE_DELTA", "delta": patch(4)["delta"] + patch(5)["delta"]},
            ],
            id="state",
        ),
        pytest.param([patch(1), *A[:1], patch(2)], [patch(1), *A[:1], patch(2)], id="patches-apart"),
    ],
)
def test_compact(events: list[Event], result: list[Event]) -> None:
    assert compact(events) == result


def test_what_was_given_is_not_changed() -> None:
    events = [STARTED, *text("a", "x", "y"), FINISHED]
    compact(events)
    assert events == [STARTED, *text("a", "x", "y"), FINISHED]


def test_long_texts_stay_in_pieces_that_can_be_sent() -> None:
    part = "x" * (JOINED_CHARACTERS // 2)
    result = compact(text("a", *[part] * 5))
    assert [len(event["delta"]) for event in result[1:-1]] == [2 * len(part), 2 * len(part), len(part)]


def test_a_cut_event_is_not_joined() -> None:
    events = text("a", "x", "y")
    events[2]["metadata"] = {"ambient:cut": True}
    assert compact(events) == events


def test_numbers_grow_and_end_with_the_last() -> None:
    events = compact([STARTED, *text("a", "x", "y", "z"), FINISHED])
    frames = restated_frames("r", 11, 17, encoded(events))
    assert [frame.seq for frame in frames] == [11, 12, 13, 14, 17]
    assert [frame.type for frame in frames][-1] == "RUN_FINISHED"


def texts_of(events: list[Event]) -> dict[str, str]:
    found: dict[str, str] = defaultdict(str)
    for event in events:
        if event["type"] in ("TEXT_MESSAGE_CONTENT", "TOOL_CALL_ARGS"):
            found[event.get("messageId") or event["toolCallId"]] += event["delta"]
    return dict(found)


def state_of(events: list[Event]) -> Any:
    state: Any = None
    for event in events:
        if event["type"] == "STATE_SNAPSHOT":
            state = dict(event["snapshot"])
        elif event["type"] == "STATE_DELTA":
            for operation in event["delta"]:
                state["n"] = operation["value"]
    return state


@st.composite
def runs(draw: st.DrawFn) -> list[Event]:
    """Whole runs: messages and calls interleaved, with state in between."""
    delta = st.text(alphabet="ab\u20ac", min_size=1, max_size=3)
    lanes = [
        draw(
            st.lists(delta, min_size=1, max_size=4).map(
                lambda d, n=n: text(str(n), *d) if n % 2 else call(str(n), '"', *d, '"')
            )
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    lanes.append(
        [
            snapshot(0),
            *draw(st.lists(st.builds(snapshot, st.integers()) | st.builds(patch, st.integers()), max_size=5)),
        ]
    )
    events: list[Event] = [STARTED]
    while lanes:
        lane = draw(st.sampled_from(lanes))
        events.append(lane.pop(0))
        lanes = [lane for lane in lanes if lane]
    return [*events, FINISHED]


@given(runs())
def test_a_run_says_the_same_in_no_more_events_and_stays_valid(events: list[Event]) -> None:
    result = compact(events)
    assert len(result) <= len(events)
    assert texts_of(result) == texts_of(events)
    assert state_of(result) == state_of(events)
    validator = Validator()
    found = [diagnostic for event in result for diagnostic in validator.feed(event)] + validator.finalize()
    assert [d.message for d in found if d.severity == "error"] == []
    assert compact(result) == result
