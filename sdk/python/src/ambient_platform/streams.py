"""Reading a session's stored AG-UI events: server-sent events with a sequence number (WHATWG HTML, 9.2)."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx

from ambient_platform.errors import APIError, ConnectionFailed

IDLE_SECONDS = 45  # the server sends a comment every 15 s; longer silence is a dead connection


@dataclass(frozen=True)
class StreamEvent:
    """One AG-UI event as stored: its number in the session, its type, its JSON object."""

    seq: int
    type: str
    data: dict[str, Any]


class EventStream:
    """Events after a cursor, then live ones; ends when the server closes or the caller leaves the block."""

    def __init__(self, http: httpx.Client, url: str, after: int) -> None:
        timeout = httpx.Timeout(10, read=IDLE_SECONDS)
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        self._opening: AbstractContextManager[httpx.Response] = http.stream(
            "GET", url, headers=headers, timeout=timeout
        )
        self._response: httpx.Response | None = None

    def __enter__(self) -> "EventStream":
        try:
            self._response = self._opening.__enter__()
            if self._response.status_code != 200:
                self._response.read()
                error = APIError.of(self._response)
                self._response.close()
                raise error
        except httpx.TransportError as exc:
            raise ConnectionFailed(str(exc) or type(exc).__name__) from exc
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opening.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[StreamEvent]:
        if self._response is None:
            raise RuntimeError(
                "enter the stream before reading it: `with client.sessions.stream(...) as events`"
            )
        seq, name, lines = 0, "", []
        try:
            for line in self._response.iter_lines():
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if not line:
                    if lines and name in ("", "message"):
                        data = json.loads("\n".join(lines))
                        yield StreamEvent(seq, data["type"], data)
                    name, lines = "", []
                elif field == "id" and value.isdigit():
                    seq = int(value)
                elif field == "event":
                    name = value
                elif field == "data":
                    lines.append(value)
        except httpx.TransportError as exc:
            raise ConnectionFailed(str(exc) or type(exc).__name__) from exc
