"""Events as lines for a terminal."""

import pytest

from ambient.common.transcript import Transcript


def lines(*events):
    said = []
    transcript = Transcript(said.append)
    for seq, event in enumerate(events, 1):
        transcript.add(seq, event)
    return [line.strip() for line in said]


def text(delta, message="m"):
    return {"type": "TEXT_MESSAGE_CONTENT", "messageId": message, "delta": delta}


def tool(kind, **fields):
    return {"type": f"TOOL_CALL_{kind}", "toolCallId": "t", **fields}


@pytest.mark.parametrize(
    ("events", "said"),
    [
        pytest.param(
            [text("one\n"), text("two"), {"type": "TEXT_MESSAGE_END", "messageId": "m"}],
            ["agent      one", "agent      two"],
            id="text-is-joined-until-its-end",
        ),
        pytest.param(
            [text("a", "1"), text("b", "2"), {"type": "TEXT_MESSAGE_END", "messageId": "2"}],
            ["agent      b"],
            id="messages-do-not-mix",
        ),
        pytest.param(
            [
                tool("START", toolCallName="Bash"),
                tool("ARGS", delta='{"a":'),
                tool("ARGS", delta="1}"),
                tool("END"),
            ],
            ['tool       Bash {"a":1}'],
            id="a-tool-call-is-one-line",
        ),
        pytest.param([tool("ARGS", delta="x"), tool("END")], [], id="a-call-that-began-before-is-left-out"),
        pytest.param(
            [tool("RESULT", content="first\nsecond\nthird")],
            ["result     first (+2 lines)"],
            id="a-long-result",
        ),
        pytest.param([tool("RESULT", content="")], ["result"], id="an-empty-result"),
        pytest.param(
            [{"type": "RUN_FINISHED", "outcome": {"type": "success"}}],
            ["event 1    RUN_FINISHED success"],
            id="end",
        ),
        pytest.param(
            [{"type": "RUN_ERROR", "message": "it broke"}], ["event 1    RUN_ERROR it broke"], id="error"
        ),
        pytest.param([{"type": "CUSTOM", "name": "x"}], [], id="what-nobody-reads-is-left-out"),
    ],
)
def test_lines(events, said):
    assert lines(*events) == said
