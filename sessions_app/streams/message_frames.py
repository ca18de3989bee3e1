"""A stored message as it is sent: one JSON, the same in lists and streams."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from sessions_app.streams import sse

OPTIONAL = ("created_by", "client_id", "run_id", "delivery", "reason")


def message_wire(row: tuple[Any, ...]) -> dict[str, Any]:
    """The wire form of (seq, id, session, event_type, payload, created_at, then the optional columns)."""
    seq, pk, session, event_type, payload, created_at, *optional = row
    body = {
        "id": pk,
        "session_id": session,
        "seq": seq,
        "event_type": event_type,
        "payload": payload,
        "created_at": created_at.isoformat().replace("+00:00", "Z"),
    }
    return body | {name: value for name, value in zip(OPTIONAL, optional, strict=True) if value is not None}


@dataclass(frozen=True)
class MessageFrame:
    """One message in the stream of messages."""

    seq: int
    data: bytes

    @cached_property
    def sse(self) -> bytes:
        """As server-sent event."""
        return sse.frame(self.data, self.seq)

    @property
    def size(self) -> int:
        return len(self.data) + 32


def message_frame(row: tuple[Any, ...]) -> MessageFrame:
    """The frame of a row as read by the store."""
    return MessageFrame(row[0], orjson.dumps(message_wire(row)))
