"""The events of one run that a reader may still ask for, by their index from 1."""

import asyncio
from dataclasses import dataclass, field

LIMIT_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 256 * 1024


@dataclass
class EventBuffer:
    """Keeps frames until they are acknowledged; tells waiters about every change."""

    limit: int = LIMIT_BYTES
    last: int = 0
    forgotten: int = 0
    size: int = 0
    closed: bool = False
    _frames: dict[int, bytes] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def append(self, data: str) -> None:
        """Add one event's JSON as the next frame. Never refuses: the agent is paused by `has_room`."""
        self.last += 1
        frame = f"id: {self.last}\ndata: {data}\n\n".encode()
        self._frames[self.last] = frame
        self.size += len(frame)
        self.notify()

    def close(self) -> None:
        """No event will follow."""
        self.closed = True
        self.notify()

    def forget(self, up_to: int) -> None:
        """Drop what the platform has stored."""
        for index in range(self.forgotten + 1, min(up_to, self.last) + 1):
            self.size -= len(self._frames.pop(index))
        self.forgotten = max(self.forgotten, min(up_to, self.last))
        self.notify()

    def after(self, cursor: int) -> tuple[bytes, int]:
        """Frames after the cursor, joined up to a bound, and the cursor behind them."""
        parts: list[bytes] = []
        size = 0
        while cursor < self.last and size < CHUNK_BYTES and cursor + 1 in self._frames:
            cursor += 1
            parts.append(self._frames[cursor])
            size += len(parts[-1])
        return b"".join(parts), cursor

    def notify(self) -> None:
        """Wake everybody who waits for a change."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next change; take it before looking at the state."""
        return self._changed

    async def has_room(self) -> None:
        """Return when less than the limit is unacknowledged."""
        while self.size >= self.limit:
            await self.changed.wait()
