"""When a crashed process is started again, and when no more: pure, the caller brings the clock."""

from collections import deque
from dataclasses import dataclass, field

FIRST_SECONDS = 0.5
MAX_SECONDS = 8.0
MAX_CRASHES = 5
WINDOW_SECONDS = 60.0


@dataclass
class Backoff:
    """Half a second doubling to eight; five crashes in a minute end it; a calm minute clears the record."""

    crashes: deque[float] = field(default_factory=deque)
    streak: int = 0

    def crashed(self, now: float) -> float | None:
        """Seconds to wait before the next start, or None to give up."""
        if self.crashes and now - self.crashes[-1] > WINDOW_SECONDS:
            self.streak = 0
        while self.crashes and now - self.crashes[0] > WINDOW_SECONDS:
            self.crashes.popleft()
        self.crashes.append(now)
        self.streak += 1
        if len(self.crashes) >= MAX_CRASHES:
            return None
        return min(FIRST_SECONDS * 2.0 ** (self.streak - 1), MAX_SECONDS)
