"""The reader of server-sent events takes any split of the bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.streams.sse import BadStream, SseEvent, SseParser, frame

LINES = st.lists(
    st.one_of(
        st.sampled_from(["", "", ": hb", "data", "data:", "event: x", "id: 7", "id", "retry: 5", "strange"]),
        st.builds("data: {}".format, st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))),
        st.builds("id: {}".format, st.integers(0, 10**9)),
    ),
    max_size=30,
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def whole(raw: bytes) -> list[SseEvent]:
    return SseParser().feed(raw)


@given(st.lists(st.tuples(LINES, ENDS), max_size=3), st.data())
def test_any_split_gives_the_same_events(blocks: list[tuple[list[str], str]], data: st.DataObject) -> None:
    raw = "".join(line + end for lines, end in blocks for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    parser = SseParser()
    got: list[SseEvent] = []
    for start, stop in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        got += parser.feed(raw[start:stop])
    assert got == whole(raw)


@given(st.binary().filter(lambda b: b"\n" not in b and b"\r" not in b), st.integers(0, 2**60))
def test_what_is_written_is_read_back(data: bytes, seq: int) -> None:
    assert whole(frame(data, seq)) == [SseEvent(data, str(seq).encode())]


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        pytest.param(b"data: a\ndata: b\n\n", [SseEvent(b"a\nb")], id="two-data-lines-are-joined"),
        pytest.param(b"data:a\n\n", [SseEvent(b"a")], id="no-blank-after-the-colon"),
        pytest.param(b"data:  a\n\n", [SseEvent(b" a")], id="one-blank-is-dropped"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [SseEvent(b"a")], id="byte-order-mark"),
        pytest.param(b"id: 3\n\n", [], id="no-data-no-event"),
        pytest.param(b"data: a\n", [], id="no-blank-line-no-event"),
        pytest.param(
            b"id: 3\ndata: a\n\ndata: b\n\n", [SseEvent(b"a", b"3"), SseEvent(b"b")], id="id-of-its-own-event"
        ),
        pytest.param(b"event: x\ndata: a\n\n", [SseEvent(b"a", None, b"x")], id="event-name"),
        pytest.param(b"data: a\r\rdata: b\r\n\r\n", [SseEvent(b"a"), SseEvent(b"b")], id="cr-and-crlf"),
    ],
)
def test_rules(raw: bytes, events: list[SseEvent]) -> None:
    assert whole(raw) == events


def test_an_endless_event_is_refused() -> None:
    parser = SseParser(limit=1000)
    for _ in range(9):
        parser.feed(b"data: " + b"x" * 100 + b"\n")
    with pytest.raises(BadStream):
        parser.feed(b"data: " + b"x" * 101)
