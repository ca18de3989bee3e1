"""What is left of a session after a run of chaos, as frozen values: written down, seen, said, counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """One stored event, as far as the audit reads it."""

    seq: int
    run: str
    type: str
    delta: str = ""


@dataclass(frozen=True)
class Run:
    """One run's row."""

    id: str
    number: int
    state: str
    message: str | None
    resumes: str | None = None


@dataclass(frozen=True)
class Message:
    """One message's row."""

    id: str
    seq: int
    kind: str
    client_id: str | None = None
    text: str = ""
    delivery: str | None = None
    reason: str | None = None
    run: str | None = None


@dataclass(frozen=True)
class Seen:
    """What one watcher has received, and why it ended if it did."""

    name: str
    events: Sequence[tuple[int, str]]  # number and type
    problem: str = ""


@dataclass(frozen=True)
class Record:
    """Everything about one session."""

    session: str
    head: int
    message_head: int
    active_run: str | None
    phase: str
    placed: bool
    sent: Sequence[str]  # the client ids that the platform has acknowledged
    events: Sequence[Event] = ()
    runs: Sequence[Run] = ()
    messages: Sequence[Message] = ()
    seen: Sequence[Seen] = field(default=())
    alive: bool = True  # the last message of all was answered
