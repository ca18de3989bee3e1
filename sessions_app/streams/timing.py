"""Every waiting time of the streams in one frozen value, so that tests can shorten them."""

from dataclasses import dataclass
from typing import Self

from ambient import env


@dataclass(frozen=True)
class Timing:
    """Seconds. The lease's own times follow from its life; the rest are constants of the design."""

    lease: float = 10.0
    drain: float = 3.0
    stall: float = 60.0
    poll: float = 2.0
    heartbeat: float = 15.0
    access: float = 60.0
    silence: float = 15.0
    reconnect: float = 3.0
    connect: float = 5.0
    interrupt: float = 10.0
    interrupt_restart: float = 20.0
    ack: float = 1.0

    @property
    def renew(self) -> float:
        """How often the heartbeat row is renewed."""
        return self.lease * 0.3

    @property
    def own(self) -> float:
        """How long a process trusts its own renewal, counted from before it was sent."""
        return self.lease * 0.8

    @property
    def guard(self) -> float:
        """After the database's start nobody takes a stream from another owner for so long."""
        return self.lease * 1.2

    @classmethod
    def from_env(cls) -> Self:
        """As the process was configured."""
        return cls(lease=env.LEASE_SECONDS, drain=env.DRAIN_SECONDS, stall=env.WATCHER_STALL_SECONDS)
