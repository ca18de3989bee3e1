"""How times, ages and short texts are shown to operators."""

import datetime

from django.utils import timezone

STEPS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def duration(seconds: float) -> str:
    """Two units at most: `3d 4h`, `12m 5s`, `0s`."""
    left = int(max(seconds, 0))
    parts = []
    for size, unit in STEPS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "0s"


def age(at: datetime.datetime | None, now: datetime.datetime | None = None) -> str:
    """Time since then; empty for never."""
    return duration(((now or timezone.now()) - at).total_seconds()) if at else ""


def shortened(text: str | None, length: int = 120) -> str:
    """One line of a text."""
    line = " ".join((text or "").split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
