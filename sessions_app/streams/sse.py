"""Server-sent events: reading them from any split of bytes, writing them as bytes (WHATWG HTML, 9.2)."""

from dataclasses import dataclass

MAX_EVENT_BYTES = 64 * 1024 * 1024


class BadStream(Exception):
    """The peer sends something that is no usable event stream."""


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One dispatched event; `id` is the id line of this very event, if it had one."""

    data: bytes
    id: bytes | None = None
    event: bytes = b"message"


class SseParser:
    """Feed it bytes as they come; it returns the events that are complete.

    Lines end with LF, CRLF or CR. A byte order mark at the start is skipped. Comments count as life signs
    for the caller, who sees bytes, and are otherwise dropped.
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = b""
        self._skip_lf = False
        self._first = True
        self._size = 0
        self._data: list[bytes] = []
        self._id: bytes | None = None
        self._event = b""

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Events completed by this chunk, in order."""
        text = self._rest + chunk
        if self._skip_lf and text:
            text = text.removeprefix(b"\n")
            self._skip_lf = False
        events: list[SseEvent] = []
        start = 0
        while True:
            end = _line_end(text, start)
            if end < 0:
                break
            self._line(text[start:end], events)
            start = end + 1
            if text[end : end + 1] == b"\r":
                if start == len(text):
                    self._skip_lf = True
                elif text[start : start + 1] == b"\n":
                    start += 1
        self._rest = text[start:]
        if len(self._rest) + self._size > self._limit:
            raise BadStream(f"an event is over {self._limit} bytes")
        return events

    def _line(self, line: bytes, events: list[SseEvent]) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            if self._data:
                events.append(SseEvent(b"\n".join(self._data), self._id, self._event or b"message"))
            self._data, self._id, self._event, self._size = [], None, b"", 0
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value)
        elif name == b"id" and b"\0" not in value:
            self._id = value
        elif name == b"event":
            self._event = value


def _line_end(text: bytes, start: int) -> int:
    """Index of the next CR or LF, -1 when there is none."""
    lf = text.find(b"\n", start)
    cr = text.find(b"\r", start, lf if lf >= 0 else len(text))
    return cr if cr >= 0 else lf


HEARTBEAT = b": hb\n\n"
OPENING = b": ok\n\n"


def frame(data: bytes, seq: int | None = None, event: str | None = None) -> bytes:
    """One event as bytes; `data` is one line of JSON."""
    head = b"" if seq is None else b"id: %d\n" % seq
    if event is not None:
        head += b"event: %s\n" % event.encode()
    return head + b"data: " + data + b"\n\n"
