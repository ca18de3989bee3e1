"""The ordering guard: any events in, a valid run out."""

import itertools
import json

import pytest
from ag_ui.core import BaseEvent, EventType, RunAgentInput, TextMessageContentEvent
from ag_ui_validate.pytest_plugin import assert_valid_agui
from ambient_runner.emitter import StreamGuard, dump, encode, json_rest
from hypothesis import example, given
from hypothesis import strategies as st

INPUT = RunAgentInput(thread_id="t", run_id="r", messages=[]).model_dump(by_alias=True)


def guarded(events, *, terminal=None):
    guard = StreamGuard(INPUT, now=itertools.count(1000).__next__)
    out = guard.start()
    for event in events:
        out += guard.feed(event)
    return out + (guard.end(terminal) if terminal else guard.finish())


def types(events):
    return [event["type"] for event in events]


def text(kind, message="m", **fields):
    return {"type": f"TEXT_MESSAGE_{kind}", "messageId": message, **fields}


def tool(kind, call="c", **fields):
    return {"type": f"TOOL_CALL_{kind}", "toolCallId": call, **fields}


def sub(kind, name="s", **fields):
    return {"type": f"SUBAGENT_{kind}", "subagentRunId": name, **fields}


STREAMS = [
    pytest.param([], [], id="nothing-is-a-success"),
    pytest.param(
        [text("CONTENT", delta="x")], ["START", "CONTENT", "END"], id="content-without-start-gets-one"
    ),
    pytest.param([text("START", role="assistant")], ["START", "END"], id="open-text-is-closed"),
    pytest.param([text("END")], [], id="end-without-start-is-left-out"),
    pytest.param(
        [text("START", role="assistant"), text("CONTENT", delta="")],
        ["START", "END"],
        id="empty-delta-is-left-out",
    ),
    pytest.param(
        [text("CHUNK", delta="a"), text("CHUNK", delta="b"), text("CHUNK", "n", delta="c")],
        ["START", "CONTENT", "CONTENT", "END", "START", "CONTENT", "END"],
        id="chunks-become-spans",
    ),
    pytest.param(
        [
            tool("START", toolCallName="Bash"),
            tool("ARGS", delta='{"command": "ls'),
            tool("ARGS", delta=" -l"),
        ],
        ["START", "ARGS", "ARGS", "ARGS", "END"],
        id="cut-arguments-become-json",
    ),
    pytest.param([tool("ARGS", delta="{}")], [], id="arguments-of-no-call-are-left-out"),
    pytest.param(
        [tool("START", toolCallName="Bash"), tool("RESULT", messageId="x", content="1", role="tool")],
        ["START", "END", "RESULT"],
        id="result-closes-its-call",
    ),
    pytest.param([{"type": "STEP_FINISHED", "stepName": "a"}], [], id="unknown-step-is-left-out"),
    pytest.param(
        [{"type": "STEP_STARTED", "stepName": "a"}, {"type": "STEP_STARTED", "stepName": "a"}],
        ["STEP_STARTED", "STEP_FINISHED"],
        id="open-step-is-closed-once",
    ),
    pytest.param(
        [sub("STARTED", name="s1") | {"name": "helper"}, text("START", role="assistant", subagentRunId="s1")],
        ["SUBAGENT_STARTED", "START", "END", "SUBAGENT_ERROR"],
        id="subagent-is-closed-after-its-text",
    ),
    pytest.param(
        [
            {"type": "REASONING_START", "messageId": "a"},
            {"type": "REASONING_MESSAGE_CONTENT", "messageId": "b", "delta": "x"},
        ],
        [
            "REASONING_START",
            "REASONING_MESSAGE_START",
            "REASONING_MESSAGE_CONTENT",
            "REASONING_MESSAGE_END",
            "REASONING_END",
        ],
        id="reasoning-is-closed-inside-out",
    ),
]


@pytest.mark.parametrize(("events", "expected"), STREAMS)
@pytest.mark.parametrize(
    "terminal",
    [
        pytest.param(None, id="finished"),
        pytest.param({"type": "RUN_ERROR", "message": "m", "code": "C"}, id="failed"),
    ],
)
def test_guard_makes_the_stream_valid(events, expected, terminal):
    out = guarded(events, terminal=terminal)
    assert_valid_agui(out, max_warnings=0)
    short = [name.removeprefix("TEXT_MESSAGE_").removeprefix("TOOL_CALL_") for name in types(out)]
    assert short == ["RUN_STARTED", *expected, "RUN_ERROR" if terminal else "RUN_FINISHED"]


def test_start_carries_version_and_input():
    first = guarded([])[0]
    assert (first["protocolVersion"], first["input"]) == ("1.0", INPUT)


def test_reused_ids_get_a_new_name_and_lose_no_text():
    events = [text("CONTENT", delta="a"), text("END"), text("CONTENT", delta="b"), text("END")]
    out = guarded(events)
    assert_valid_agui(out, max_warnings=0)
    contents = [(event["messageId"], event["delta"]) for event in out if "delta" in event]
    assert contents == [("m", "a"), ("m~2", "b")]


def test_nothing_follows_the_end():
    guard = StreamGuard(INPUT)
    guard.start()
    guard.finish()
    assert [guard.feed(text("START")), guard.finish(), guard.fail(code="C", message="m")] == [[], [], []]


ANY_EVENT = st.one_of(
    st.builds(
        lambda kind, name: text(kind, name, role="assistant", delta="d"),
        st.sampled_from(["START", "CONTENT", "END", "CHUNK"]),
        st.sampled_from("ab"),
    ),
    st.builds(
        lambda kind, name: tool(kind, name, toolCallName="T", delta='{"a": 1', messageId="x", content="r"),
        st.sampled_from(["START", "ARGS", "RESULT", "CHUNK"]),
        st.sampled_from("ab"),
    ),
    st.builds(
        lambda kind, name: {
            "type": f"REASONING_{kind}",
            "messageId": name,
            "role": "reasoning",
            "delta": "d",
        },
        st.sampled_from(["START", "END", "MESSAGE_START", "MESSAGE_CONTENT", "MESSAGE_END", "MESSAGE_CHUNK"]),
        st.sampled_from("ab"),
    ),
    st.builds(
        lambda kind, name: {"type": f"STEP_{kind}", "stepName": name},
        st.sampled_from(["STARTED", "FINISHED"]),
        st.sampled_from("ab"),
    ),
    st.builds(
        lambda kind, name: sub(kind, name) | {"name": "n", "message": "m"},
        st.sampled_from(["STARTED", "FINISHED", "ERROR"]),
        st.sampled_from("ab"),
    ),
)


@example(  # a message and a call of one id
    [
        text("START", "a", role="assistant"),
        tool("START", "a", toolCallName="T"),
        text("END", "a"),
        tool("ARGS", "a", delta="{}"),
    ]
)
@given(st.lists(ANY_EVENT, max_size=40))
def test_any_order_becomes_a_valid_order(events):
    # Arguments are the agent's own words, and a result may answer a call of an earlier run.
    assert_valid_agui(
        guarded(events), max_warnings=0, severity_overrides={"AGUI204": "off", "AGUI207": "off"}
    )


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param('{"command": "echo \\"hi\\" \\\\ \\u00e9", "n": -1.5e3, "ok": true}', id="object"),
        pytest.param('[[], {}, [{"a": [null, false, "x"]}], "]}"]', id="nested-arrays"),
    ],
)
def test_cut_json_is_completed_at_every_place(whole):
    for end in range(1, len(whole) + 1):
        json.loads(whole[:end] + json_rest(whole[:end]))


def test_encoding_keeps_what_utf8_cannot():
    event = dump(TextMessageContentEvent(message_id="m", delta="a\ud800\0\n"))
    assert json.loads(encode(event).encode("ascii"))["delta"] == "a\ud800\0\n"


def test_type_is_plain_text():
    assert type(dump(BaseEvent(type=EventType.RAW))["type"]) is str
