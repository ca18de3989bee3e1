"""An event as it is stored and sent: cleaned, bounded and encoded once."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from sessions_app.streams import sse

Event = dict[str, Any]
MAX_EVENT_BYTES = 1024 * 1024
CUT_MARK = " [cut: the event was over 1 MiB]"
KEPT_CHARACTERS = 2000
REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Frame:
    """One stored event: its place in the session, its run, and its JSON as UTF-8."""

    seq: int
    run: str
    type: str
    data: bytes

    @cached_property
    def sse(self) -> bytes:
        """As server-sent event; the same bytes for every watcher."""
        return sse.frame(self.data, self.seq)

    @cached_property
    def text(self) -> str:
        """As websocket text frame."""
        return f'{{"seq":{self.seq},"event":{self.data.decode()}}}'

    @property
    def size(self) -> int:
        return len(self.data) + 32


class BadEvent(Exception):
    """What the runner sent is no AG-UI event."""


def clean_text(text: str) -> str:
    """Text that PostgreSQL and UTF-8 can hold: NUL and lone surrogates are replaced."""
    if "\0" in text:
        text = text.replace("\0", REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clean(value: Any) -> Any:
    """The same JSON value with clean texts."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value


def decode_event(data: bytes) -> Event:
    """A runner's event as a dictionary; raises BadEvent."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _decode_leniently(data)
    if not isinstance(value, dict) or not isinstance(value.get("type"), str) or not value["type"]:
        raise BadEvent("an event must be a JSON object with a type")
    if b"\\u0000" in data or b"\\ud" in data.lower():
        try:
            value = clean(value)
        except RecursionError as exc:
            raise BadEvent("an event is nested too deeply") from exc
    return dict(value)


def _decode_leniently(data: bytes) -> Any:
    """Python's own reader takes lone surrogates and numbers beyond 64 bits, which others may send."""
    import json

    try:
        return clean(json.loads(data.decode("utf-8", "replace")))
    except (ValueError, RecursionError) as exc:
        raise BadEvent("an event is not JSON") from exc


def encode_event(event: Event) -> bytes:
    """The event's JSON; longer than 1 MiB it is cut with a mark."""
    try:
        data = orjson.dumps(event)
    except TypeError:  # numbers beyond 64 bits
        import json

        data = json.dumps(event, separators=(",", ":")).encode()
    if len(data) > MAX_EVENT_BYTES:
        cut = {key: _cut(value) for key, value in event.items()}
        data = orjson.dumps(
            {**cut, "metadata": {"ambient:cut": True, "ambient:bytes": len(data)}}, default=str
        )
    return data


def _cut(value: Any) -> Any:
    """A value small enough for a cut event: short ones stay as they are."""
    if isinstance(value, str):
        return value if len(value) <= KEPT_CHARACTERS else value[:KEPT_CHARACTERS] + CUT_MARK
    if isinstance(value, dict | list):
        try:
            size = len(orjson.dumps(value))
        except TypeError:
            size = MAX_EVENT_BYTES
        if size > MAX_EVENT_BYTES // 16:
            return {"ambient:cut": True} if isinstance(value, dict) else []
    return value


def frames_of(first_seq: int, run: str, encoded: Iterable[tuple[str, bytes]]) -> list[Frame]:
    """Frames with dense numbers from `first_seq`."""
    return [Frame(first_seq + offset, run, type_, data) for offset, (type_, data) in enumerate(encoded)]
