"""Pages of the store, and the newest events of one session in memory, where live watchers read from. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Sized(Protocol):
    """What the tail keeps: numbered and weighed."""

    @property
    def seq(self) -> int:
        """Place in the session, dense from 1."""

    @property
    def size(self) -> int:
        """Bytes that it weighs."""


@dataclass(frozen=True)
class Restated:
    """A finished run that the store keeps in fewer events: all of it, numbered within its old range."""

    first_seq: int
    last_seq: int
    frames: Sequence[Sized]


@dataclass(frozen=True)
class Page:
    """What the store has after a cursor. `head` was read first: nothing up to it can still appear."""

    head: int
    frames: Sequence[Sized]
    restated: Restated | None = None


class Tail:
    """Frames `floor + 1 .. end`, without a hole. A reader whose cursor is not in that range asks the store.

    An item (prev_seq, frames) is taken only if prev_seq is the end, dropped if it ends not beyond it, and
    otherwise replaces everything: who needs what lies between reads it from the store.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: list[Sized] = []
        self._bytes = 0
        self.floor: int | None = None
        self.end: int | None = None

    def start(self, seq: int) -> None:
        """Nothing is stored beyond `seq` right now; only used while nothing is known."""
        if self.end is None:
            self.floor = self.end = seq

    def add(self, prev_seq: int, frames: Iterable[Sized]) -> bool:
        """Take an item; True when it brought something new."""
        new = list(frames)
        last = new[-1].seq if new else prev_seq
        if self.end is not None and last <= self.end:
            return False
        if self.end is None or prev_seq > self.end:
            self._frames.clear()
            self._bytes = 0
            self.floor = prev_seq
        elif prev_seq < self.end:
            new = [frame for frame in new if frame.seq > self.end]
        self._frames.extend(new)
        self._bytes += sum(frame.size for frame in new)
        self.end = last
        self._trim()
        return True

    def _trim(self) -> None:
        if self._bytes <= self._limit * 5 // 4:  # seldom and many at once: a list is cheap to index
            return
        count = 0
        while self._bytes > self._limit and count < len(self._frames) - 1:
            self._bytes -= self._frames[count].size
            count += 1
        self.floor = self._frames[count].seq - 1
        del self._frames[:count]

    def after(self, cursor: int, limit: int) -> Sequence[Sized] | None:
        """Frames after the cursor, up to about `limit` bytes; None when the tail does not reach it."""
        if self.floor is None or self.end is None or not self.floor <= cursor <= self.end:
            return None
        start = stop = cursor - self.floor
        size = 0
        while stop < len(self._frames) and size < limit:
            size += self._frames[stop].size
            stop += 1
        return self._frames[start:stop]
