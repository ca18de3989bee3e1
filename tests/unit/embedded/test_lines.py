"""Lines out of bytes, and their prefixes."""

import io

import pytest

from ambient.embedded.lines import MAX_LINE, LineSplitter, TerminalOutput


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        pytest.param([b"one\ntwo\n"], ["one", "two"], id="whole-lines"),
        pytest.param([b"on", b"e\nt", b"wo"], ["one", "two"], id="lines-across-reads-and-an-unfinished-one"),
        pytest.param([b"a\r\n\n"], ["a", ""], id="carriage-return-goes-empty-line-stays"),
        pytest.param([b"\xff\n"], ["\ufffd"], id="bytes-that-are-no-text-are-replaced"),
        pytest.param([b"x" * (MAX_LINE + 1)], ["x" * MAX_LINE, "x"], id="endless-line-comes-in-pieces"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_splitter(parts, lines):
    splitter = LineSplitter()
    assert [line for part in parts for line in splitter.feed(part)] + list(splitter.end()) == lines


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        pytest.param(io.StringIO(), "api    | hi\nworker | ho\n", id="plain-and-aligned-in-a-file"),
        pytest.param(
            Terminal(),
            "\x1b[36mapi    |\x1b[0m hi\n\x1b[33mworker |\x1b[0m ho\n",
            id="coloured-on-a-terminal",
        ),
    ],
)
def test_terminal_output(stream, text):
    output = TerminalOutput(["api", "worker"], stream)
    output("api", "hi")
    output("worker", "ho")
    assert stream.getvalue() == text
