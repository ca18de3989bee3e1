"""What a status says of a runner's log: one plain sentence, never JSON, never a secret."""

import json

import pytest

from reconciler.runnerhost.last_words import LONGEST, last_words

SECRET = "hunter2-hunter2"
TWO_LINES = "first half\nsecond half"
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    f()\nValueError: boom\n'


def hide(text: str) -> str:
    return text.replace(SECRET, "[hidden]").replace(TWO_LINES, "[hidden]")


def entry(message: str, level: str = "info", **more: str) -> str:
    return json.dumps({"time": "t", "level": level, "logger": "a", "message": message, **more}) + "\n"


@pytest.mark.parametrize(
    ("log", "words"),
    [
        pytest.param("", "", id="an-empty-log-says-nothing"),
        pytest.param("\n  \n\0\n", "", id="blank-lines-say-nothing"),
        pytest.param("starting\nno space left\n", "no space left.", id="the-last-plain-line"),
        pytest.param("It is over!\n", "It is over!", id="a-sentence-stays"),
        pytest.param("half a line", "half a line.", id="a-line-without-its-end"),
        pytest.param("\x1b[31mred\x1b[0m\ttab\r\n", "red tab.", id="no-colours-and-control-characters"),
        pytest.param(entry("listening") + entry("run ended"), "run ended.", id="message-of-a-json-line"),
        pytest.param('{"event": "bye", "level": "info"}\n', "bye.", id="event-of-a-json-line"),
        pytest.param(
            entry("disk full", "error") + entry("shutting down"),
            "disk full.",
            id="an-error-before-the-last-line",
        ),
        pytest.param(
            entry("disk full", "error") + entry("work") * 30, "work.", id="an-error-long-ago-is-not-the-end"
        ),
        pytest.param(
            entry("run failed", "error", exception=TRACE),
            "run failed: ValueError: boom.",
            id="json-with-exception",
        ),
        pytest.param(TRACE, "ValueError: boom.", id="traceback"),
        pytest.param(
            TRACE + entry("shutting down"), "ValueError: boom.", id="traceback-before-the-last-line"
        ),
        pytest.param(
            TRACE
            + "\nDuring handling of the above exception, another exception occurred:\n\n"
            + TRACE[:-5]
            + "bang\n",
            "ValueError: bang.",
            id="chained-traceback",
        ),
        pytest.param(
            '{"time": "t", "message": "cannot \\"go\\" on, bec',
            'cannot "go" on, bec.',
            id="json-cut-in-its-message",
        ),
        pytest.param('{"message": "caf\\u00', "caf\\u00.", id="json-cut-in-an-escape"),
        pytest.param("{oops} it broke\n", "{oops} it broke.", id="a-brace-is-not-yet-json"),
        pytest.param('{"time": "t", "mess', "", id="json-cut-before-its-message"),
        pytest.param('ready\n{"cpu": 3}\n', "ready.", id="json-without-a-message-is-passed-over"),
        pytest.param('{"message": ["a"]}\n', "", id="json-whose-message-is-no-text"),
        pytest.param("[" * 10**5, "[" * (LONGEST - 1) + "…", id="deep-brackets"),
        pytest.param('{"a":' * 10**5, "", id="deep-json"),
        pytest.param("word " * 10**5, ("word " * LONGEST)[: LONGEST - 1].rstrip() + "…", id="huge-line"),
        pytest.param(f"key {SECRET} refused\n", "key [hidden] refused.", id="secret-in-a-plain-line"),
        pytest.param(entry(f"key {SECRET} refused"), "key [hidden] refused.", id="secret-in-a-json-line"),
        pytest.param(
            entry("failed", "error", exception=f"{TRACE}KeyError: {TWO_LINES}"),
            "failed: KeyError: [hidden].",
            id="secret-over-two-lines-of-an-exception",
        ),
        pytest.param(
            "x" * (LONGEST - 4) + SECRET,
            "x" * (LONGEST - 4) + "[hi…",
            id="secret-at-the-cut-leaves-no-part",
        ),
    ],
)
def test_last_words(log, words):
    assert last_words(log.encode(), hide) == words


def test_broken_utf_8_is_left_out():
    assert last_words(b"caf\xc3\xa9 \xff\xfe closed\n", hide) == "café closed."
