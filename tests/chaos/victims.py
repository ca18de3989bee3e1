"""Who is killed, and when: drawn from a seed before anything starts, so that a run can be had again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

RUNNER = "runner"
WEIGHTS = {
    RUNNER: 10,
    "control-plane": 4,
    "worker": 3,
    "api": 2,
    "runner-host": 1,
    "watcher": 1,
    "beat": 1,
    "valkey": 1,
    "postgres": 1,
}
SHORTEST_PAUSE, LONGEST_PAUSE = 0.3, 1.7


@dataclass(frozen=True)
class Kill:
    """One victim after a pause. `session` is the number of the session whose runner it is."""

    victim: str
    pause: float
    session: int | None = None

    def __str__(self) -> str:
        return self.victim if self.session is None else f"{self.victim} of session {self.session}"


def draw(seed: int, count: int, sessions: int, processes: Sequence[str]) -> list[Kill]:
    """The victims of a run; a further process of a kind (`worker-2`) is as likely as the first."""
    chance = random.Random(seed)
    names = [RUNNER, *processes]
    weights = [WEIGHTS[kind_of(name)] for name in names]
    kills = []
    for name in chance.choices(names, weights, k=count):
        pause = round(chance.uniform(SHORTEST_PAUSE, LONGEST_PAUSE), 2)
        kills.append(Kill(name, pause, chance.randrange(sessions) if name == RUNNER else None))
    return kills


def kind_of(name: str) -> str:
    """`worker` of `worker-2`."""
    return name if name in WEIGHTS else name.rpartition("-")[0]
