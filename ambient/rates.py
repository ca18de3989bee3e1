"""How often something may happen. Pure."""

import re
from dataclasses import dataclass

SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_RATE = re.compile(rf"([1-9][0-9]{{0,6}})/({'|'.join(SECONDS)})", re.ASCII)


@dataclass(frozen=True)
class Rate:
    """`count` at once, and refilled evenly: `count` within every `seconds`. 0: no limit."""

    count: int
    seconds: int

    def __str__(self) -> str:
        unit = next((name for name, seconds in SECONDS.items() if seconds == self.seconds), "")
        return f"{self.count}/{unit}" if self.count else "0"


NO_LIMIT = Rate(0, 1)


def rate(raw: str) -> Rate:
    """`COUNT/second`, `COUNT/minute` or `COUNT/hour`; `0`: no limit."""
    if raw.strip() == "0":
        return NO_LIMIT
    match = _RATE.fullmatch(raw.strip())
    if match is None:
        raise ValueError(f"{raw[:40]!r} is not of the form COUNT/second, COUNT/minute or COUNT/hour, or 0")
    return Rate(int(match.group(1)), SECONDS[match.group(2)])
