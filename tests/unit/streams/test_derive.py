"""What follows from events, and what is stored of them."""

import decimal
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.choices import Delivery, InterruptKind, RunState
from sessions_app.streams.derive import Effects, RunView, run_end
from sessions_app.streams.frames import (
    MAX_EVENT_BYTES,
    BadEvent,
    Frame,
    decode_event,
    encode_event,
)
from sessions_app.streams.runs import QueuedRun, build_input


def effects_of(*events: dict[str, Any]) -> Effects:
    view, effects = RunView(), Effects()
    for event in events:
        view.feed(event, effects)
    return effects


def test_messages_come_at_their_end_from_all_parts() -> None:
    found = effects_of(
        {"type": "TEXT_MESSAGE_START", "messageId": "a"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": "x"},
        {"type": "TOOL_CALL_START", "toolCallId": "t", "toolCallName": "bash"},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "t", "delta": '{"a":'},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": "y"},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "t", "delta": "1}"},
        {"type": "TEXT_MESSAGE_END", "messageId": "a"},
        {"type": "TOOL_CALL_END", "toolCallId": "t"},
        {"type": "TOOL_CALL_RESULT", "toolCallId": "t", "messageId": "r", "content": "z" * 3000},
    ).messages
    assert [message.event_type for message in found] == ["assistant", "tool_use", "tool_result"]
    assert found[0].payload == "xy"
    assert json.loads(found[1].payload) == {
        "tool": "bash",
        "tool_call_name": "bash",
        "tool_call_id": "t",
        "input": '{"a":1}',
    }
    result = json.loads(found[2].payload)
    assert result["tool_call_id"] == "t"
    assert result["result"].startswith("z" * 2000)
    assert result["result"].endswith("[cut]")


def test_chunks_become_messages_when_something_else_comes() -> None:
    found = effects_of(
        {"type": "TEXT_MESSAGE_CHUNK", "messageId": "a", "delta": "x"},
        {"type": "TEXT_MESSAGE_CHUNK", "delta": "y"},
        {"type": "TEXT_MESSAGE_CHUNK", "messageId": "b", "delta": "z"},
        {"type": "RUN_FINISHED"},
    ).messages
    assert [message.payload for message in found] == ["xy", "z"]


@pytest.mark.parametrize(
    ("event", "state", "delivery"),
    [
        pytest.param({"type": "RUN_FINISHED"}, RunState.FINISHED, Delivery.DONE, id="success"),
        pytest.param(
            {"type": "RUN_FINISHED", "outcome": {"type": "cancelled"}},
            RunState.CANCELLED,
            Delivery.CANCELLED,
            id="cancelled",
        ),
        pytest.param(
            {"type": "RUN_FINISHED", "outcome": {"type": "interrupt", "interrupts": [{"id": "i"}]}},
            RunState.INTERRUPTED,
            Delivery.DONE,
            id="interrupted",
        ),
        pytest.param(
            {"type": "RUN_FINISHED", "outcome": {"type": "interrupt", "interrupts": []}},
            RunState.FINISHED,
            Delivery.DONE,
            id="interrupted-by-nothing",
        ),
        pytest.param({"type": "RUN_ERROR", "message": "m"}, RunState.FAILED, Delivery.FAILED, id="error"),
    ],
)
def test_ends(event: dict[str, Any], state: RunState, delivery: Delivery) -> None:
    end = run_end(event)
    assert (end.state, end.delivery) == (state, delivery)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (None, "RunError"),
        ("ToolFailed", "RunError"),
        ("StreamLost", "StreamLost"),
        ("RunnerStopped", "RunnerRestarted"),
    ],
)
def test_reason_of_an_error(code: str | None, reason: str) -> None:
    assert run_end({"type": "RUN_ERROR", "message": "m", "code": code}).reason == reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "interrupts", "id", "model", "expiresAt"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
FIELDS = [
    "messageId",
    "toolCallId",
    "delta",
    "role",
    "content",
    "usage",
    "outcome",
    "result",
    "code",
    "message",
]
TYPES = ["RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "TOOL_CALL_START"]
TYPES += [
    "TOOL_CALL_ARGS",
    "TOOL_CALL_END",
    "TOOL_CALL_RESULT",
    "MESSAGES_SNAPSHOT",
    "RUN_FINISHED",
    "RUN_ERROR",
]


@given(
    st.lists(
        st.builds(
            lambda kind, fields: fields | {"type": kind},
            st.sampled_from(TYPES),
            st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
        ),
        max_size=6,
    )
)
def test_whatever_a_runner_sends_the_view_takes_it(events: list[dict[str, Any]]) -> None:
    view, effects = RunView(), Effects()
    for event in events:
        view.feed(event, effects)


@pytest.mark.parametrize("expires", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "soon", 5])
def test_a_time_that_cannot_be_kept_is_none(expires: Any) -> None:
    view, effects = RunView(), Effects()
    entry = {"id": "i", "reason": "input_required", "expiresAt": expires}
    view.feed({"type": "RUN_FINISHED", "outcome": {"type": "interrupt", "interrupts": [entry]}}, effects)
    assert [found.expires_at for found in effects.interrupts] == [None]


@pytest.mark.parametrize(
    ("result", "cost"),
    [
        pytest.param({"total_cost_usd": 0.25}, decimal.Decimal("0.25"), id="number"),
        pytest.param({"total_cost_usd": "x"}, None, id="no-number"),
        pytest.param({"total_cost_usd": 1e300}, None, id="absurd"),
        pytest.param({"total_cost_usd": True}, None, id="flag"),
        pytest.param(None, None, id="none"),
    ],
)
def test_cost(result: Any, cost: decimal.Decimal | None) -> None:
    assert run_end({"type": "RUN_FINISHED", "result": result}).cost_usd == cost


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("tool_call", InterruptKind.APPROVAL),
        ("confirmation", InterruptKind.APPROVAL),
        ("input_required", InterruptKind.QUESTION),
    ],
)
def test_interrupts(reason: str, kind: InterruptKind) -> None:
    interrupt = {"id": "i", "reason": reason, "expiresAt": "2030-01-01T00:00:00Z"}
    found = effects_of({"type": "RUN_FINISHED", "outcome": {"type": "interrupt", "interrupts": [interrupt]}})
    assert found.interrupts[0].kind == kind
    assert found.interrupts[0].expires_at is not None
    assert [message.event_type for message in found.messages] == ["system"]


@pytest.mark.parametrize(
    ("raw", "event"),
    [
        pytest.param(b'{"type":"X","a":"b\\u0000c"}', {"type": "X", "a": "b\ufffdc"}, id="nul"),
        pytest.param(b'{"type":"X","a":"\\ud800"}', {"type": "X", "a": "\ufffd"}, id="lone-surrogate"),
        pytest.param(b'{"type":"X","a":"\\ud83d\\ude00"}', {"type": "X", "a": "\U0001f600"}, id="pair"),
        pytest.param(b'{"type":"X","a":' + b"9" * 30 + b"}", {"type": "X", "a": 1e30}, id="big-number"),
    ],
)
def test_decoding(raw: bytes, event: dict[str, Any]) -> None:
    assert decode_event(raw) == event
    encode_event(event).decode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"type":1}',
        b'{"type":""}',
        b'{"type":"X","a":' + b"[" * 1010 + b'"\\u0000"' + b"]" * 1010 + b"}",
        b"[" * 100_000,
    ],
    ids=["empty", "no-json", "array", "no-type", "type-no-text", "type-empty", "deep", "deeper"],
)
def test_no_events(raw: bytes) -> None:
    with pytest.raises(BadEvent):
        decode_event(raw)


@pytest.mark.parametrize(
    "value", ["x" * 2_000_000, {"a": "x" * 2_000_000}, ["x" * 100] * 30_000], ids=["text", "object", "array"]
)
def test_a_huge_event_is_cut_with_a_mark(value: Any) -> None:
    data = encode_event({"type": "CUSTOM", "name": "n", "value": value})
    assert len(data) < MAX_EVENT_BYTES
    assert json.loads(data)["metadata"]["ambient:cut"] is True


def test_both_encodings_carry_the_same_event() -> None:
    frame = Frame(7, "r", "X", b'{"type":"X"}')
    assert frame.sse == b'id: 7\ndata: {"type":"X"}\n\n'
    assert json.loads(frame.text) == {"seq": 7, "event": {"type": "X"}}


def test_the_history_is_bounded_and_the_new_message_last() -> None:
    run = QueuedRun("r", "m", None, {"state": {"a": 1}})
    history = [(f"h{n}", "assistant", "x" * 100_000) for n in range(10)]
    body = build_input("s", run, history, ("new", "client-id"), [])
    assert [message["id"] for message in body["messages"]] == ["h4", "h3", "h2", "h1", "h0", "client-id"]
    assert body["state"] == {"a": 1}


def test_a_resumed_run_carries_every_answer() -> None:
    run = QueuedRun("r2", None, "r1", {})
    answers = [("a", '{"status": "resolved", "payload": {"approved": true}}'), ("b", None)]
    body = build_input("s", run, [], None, answers)
    assert body["resume"] == [
        {"interruptId": "a", "status": "resolved", "payload": {"approved": True}},
        {"interruptId": "b", "status": "cancelled"},
    ]
    assert body["parentRunId"] == "r1"
