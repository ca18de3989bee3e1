"""The frozen values that a plan is made from: what is wanted, what is there, what was written down so far."""

import datetime
from dataclasses import dataclass, field

from sessions_app.choices import DesiredState, Phase, Reason


@dataclass(frozen=True)
class Desired:
    """What people want of one session."""

    state: DesiredState
    generation: int
    timeout: int | None = None
    inactivity_timeout: int | None = None
    stop_on_run_finished: bool = False


@dataclass(frozen=True)
class Exit:
    """How a runner ended: a code, or a signal, and a named reason where the platform under it gave one."""

    code: int | None = None
    signal: str | None = None
    reason: Reason | None = None

    def __str__(self) -> str:
        if self.signal is not None:
            return self.signal
        return f"exit code {self.code}" if self.code is not None else "no exit code"


@dataclass(frozen=True)
class Noted:
    """One condition as it is stored, without its time."""

    type: str
    status: str
    reason: str
    message: str = ""


@dataclass(frozen=True)
class Observed:
    """What there is of one session, the same for every runtime.

    An attempt without existing is what a runner has left behind. `older_attempt` is the newest of those
    before it that is still there; `look_again`: what is seen may change without anybody telling. `results`
    and `conditions` are what the platform under it found out by itself, to be written down as it is.
    """

    exists: bool = False
    generation: int = 0
    attempt: int = 0
    instance: str | None = None
    ready: bool = False
    endpoint: str | None = None
    exit: Exit | None = None
    reason: Reason | None = None
    message: str = ""
    node: str | None = None
    objects: tuple[str, ...] = ()
    older_attempt: int = 0
    look_again: float | None = None
    results: tuple[tuple[str, object], ...] = ()
    conditions: tuple[Noted, ...] = ()

    @property
    def left(self) -> bool:
        """Whether anything of an attempt is there."""
        return self.exists or self.attempt > 0


@dataclass(frozen=True)
class Status:
    """What was written down, and what the conversation is doing. Times are the database's."""

    phase: Phase | None = None
    phase_since: datetime.datetime | None = None
    reason: Reason | None = None
    reason_text: str | None = None
    observed_generation: int = 0
    attempt: int = 0
    restarts: int = 0
    placed: bool = False
    endpoint: str | None = None
    instance: str | None = None
    conditions: tuple[Noted, ...] = ()
    ready_since: datetime.datetime | None = None  # the last change of the condition RunnerReady
    results: tuple[tuple[str, object], ...] = ()
    run_active: bool = False
    newest_message_at: datetime.datetime | None = None
    last_run_ended_at: datetime.datetime | None = None
    last_run_succeeded: bool = False


@dataclass(frozen=True)
class Limits:
    """The settings that a plan depends on."""

    start_deadline_seconds: float = 120.0
    max_restarts: int = 3
    inactivity_seconds: int = 86400


@dataclass(frozen=True)
class TakePlace:
    """Ask for a place among the running sessions."""


@dataclass(frozen=True)
class Apply:
    """Have a runner of this attempt."""

    attempt: int


@dataclass(frozen=True)
class Delete:
    """Remove runners up to this attempt."""

    up_to_attempt: int


Step = TakePlace | Apply | Delete


@dataclass(frozen=True)
class Plan:
    """What to write down first, what to do then, and when to look again (None: when something happens)."""

    phase: Phase | None = None
    reason: Reason | None = None
    message: str | None = None
    conditions: tuple[Noted, ...] = ()
    fields: tuple[tuple[str, object], ...] = field(default=())
    steps: tuple[Step, ...] = ()
    requeue_after: float | None = None

    def changes(self, status: Status) -> bool:
        """Whether carrying it out writes anything new to the session's status."""
        known = {"attempt", "restarts", "observed_generation", "endpoint", "instance"}
        names = {"runner_endpoint": "endpoint", "runner_instance": "instance"}
        for name, value in self.fields:
            attribute = names.get(name, name)
            if attribute not in known or getattr(status, attribute) != value:
                return True
        if self.phase is not None and self.phase != status.phase:
            return True
        if self.reason is not None and (self.reason, self.message) != (status.reason, status.reason_text):
            return True
        return any(condition not in status.conditions for condition in self.conditions)
