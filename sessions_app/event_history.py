"""Stored events of one session as a list: raw ones and those of compacted runs, by their sequence numbers."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from sessions_app.models import RunLog, SessionEvent
from sessions_app.streams.compaction import restated_frames

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
MOST_SCANNED = 20_000
MOST_BYTES = 8 * 1024 * 1024
_SLICE = 50


@dataclass(frozen=True)
class Wanted:
    """Which events: after a sequence number, perhaps of one type, perhaps of a time."""

    after_seq: int = 0
    event_type: str | None = None
    start_time: datetime.datetime | None = None
    end_time: datetime.datetime | None = None
    limit: int = DEFAULT_LIMIT

    def takes(self, entry: "StoredEvent") -> bool:
        """Whether the filters let an event through."""
        return (
            (self.event_type is None or entry.type == self.event_type)
            and (self.start_time is None or entry.created_at >= self.start_time)
            and (self.end_time is None or entry.created_at < self.end_time)
        )


@dataclass(frozen=True)
class StoredEvent:
    """One event and its place. `created_at` is the event's own time where it has one."""

    seq: int
    run: str
    type: str
    created_at: datetime.datetime
    data: bytes

    def body(self) -> dict[str, Any]:
        """As the wire has it."""
        return {
            "seq": self.seq,
            "run_id": self.run,
            "type": self.type,
            "created_at": self.created_at,
            "event": orjson.Fragment(self.data),
        }


@dataclass(frozen=True)
class Found:
    """A page; `next_after_seq` is None when nothing is left."""

    events: list[StoredEvent]
    next_after_seq: int | None


def _time_of(data: bytes, stored: datetime.datetime) -> datetime.datetime:
    """When it happened: a compacted run's row is younger than its events."""
    stamp = orjson.loads(data).get("timestamp")
    if isinstance(stamp, int | float) and not isinstance(stamp, bool) and 0 < stamp < 32_503_680_000_000:
        return datetime.datetime.fromtimestamp(stamp / 1000, datetime.UTC)
    return stored


def _stored_after(session_id: str, after: int) -> Iterator[StoredEvent]:
    """Every stored event after a number, in order, read in small slices."""
    while True:
        rows = SessionEvent.objects.filter(session_id=session_id, seq__gt=after).order_by("seq")
        raw = list(rows[:_SLICE])
        # After the raw rows: compaction deletes those in the transaction that makes the log.
        logs = RunLog.objects.filter(session_id=session_id, last_seq__gt=after).order_by("last_seq")
        log = logs.first()
        if log is not None and (not raw or log.first_seq <= raw[0].seq):
            for frame in restated_frames(log.run, log.first_seq, log.last_seq, log.events):
                if frame.seq > after:
                    time = _time_of(frame.data, log.created_at)
                    yield StoredEvent(frame.seq, frame.run, frame.type, time, frame.data)
            after = log.last_seq
            continue
        if not raw:
            return
        for row in raw:
            if log is not None and row.seq >= log.first_seq:
                break
            data = row.event.encode()
            yield StoredEvent(row.seq, row.run, row.type, _time_of(data, row.created_at), data)
            after = row.seq


def stored_events(session_id: str, wanted: Wanted) -> Found:
    """One page. It ends early where much was looked at; `next_after_seq` says where to go on."""
    found: list[StoredEvent] = []
    scanned = size = 0
    last = wanted.after_seq
    for entry in _stored_after(session_id, wanted.after_seq):
        if len(found) >= wanted.limit or scanned >= MOST_SCANNED or size >= MOST_BYTES:
            return Found(found, last)
        scanned += 1
        last = entry.seq
        if wanted.takes(entry):
            found.append(entry)
            size += len(entry.data)
    return Found(found, None)
