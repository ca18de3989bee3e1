"""What every runtime can do. Each call may be repeated, come late, or fail in the middle."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.state import Observed

EVERY_ATTEMPT = 2**31 - 1


@dataclass(frozen=True)
class SessionRef:
    """Which session a call is about, as it was written down. `purge`: nothing of it is wanted any more.

    `instance` is the runner that has proved itself for this attempt.
    """

    id: str
    project_id: str
    generation: int = 0
    attempt: int = 0
    host: str | None = None
    purge: bool = False
    instance: str | None = None


@dataclass(frozen=True)
class Existing:
    """Something of ours that exists, whether or not a row asks for it."""

    session_id: str
    generation: int
    attempt: int
    objects: tuple[str, ...] = ()


class Survey(Protocol):
    """What one sweep looks at."""

    def observe_many(self, sessions: Sequence[SessionRef]) -> Mapping[str, Observed]:
        """The state of many sessions in one call."""

    def existing(self) -> Iterable[Existing]:
        """Everything of ours that exists: resync starts from here as well as from the rows."""


class Runtime(ABC):
    """What sessions run on. Raises TemporaryError and PermanentError only."""

    look_after_apply_seconds: float = 0.0
    """When to look what has come of an apply, where it is told before: a look at once would see nothing."""

    @abstractmethod
    def observe_many(self, sessions: Sequence[SessionRef]) -> Mapping[str, Observed]:
        """The state of many sessions in one call."""

    @abstractmethod
    def observe(self, session: SessionRef) -> Observed:
        """The state of one session."""

    @abstractmethod
    def apply(self, session: SessionRef, spec: Mapping[str, Any], attempt: int) -> None:
        """Have a runner of this attempt; refused when this or a newer one was applied or deleted before."""

    @abstractmethod
    def delete(self, session: SessionRef, up_to_attempt: int) -> None:
        """Remove the runners up to this attempt; returns early, `observe` says when they are gone."""

    @abstractmethod
    def logs(self, session: SessionRef, lines: int = 200) -> str:
        """The last lines of the newest runner's log."""

    @abstractmethod
    def existing(self) -> Iterable[Existing]:
        """Everything of ours that exists: resync starts from here as well as from the rows."""

    def survey(self) -> Survey:
        """For one sweep, which only wakes: what it sees may be as old as its first look."""
        return self

    def namespace(self, project_id: str) -> str | None:
        """Where the project's sessions are, for runtimes that have such a place."""
        return None

    def end_project(self, project_id: str) -> str | None:
        """Remove what was made for a deleted project; None when that is gone, else what it waits for."""
        return None

    def proves(self, session: SessionRef, attempt: int, token: str) -> bool:
        """Whether what runs this attempt of this generation gave its runner this token. Raises
        TemporaryError."""
        return False

    @property
    def host(self) -> str | None:
        """Which runner host this is, where only one can reach its sessions."""
        return None
