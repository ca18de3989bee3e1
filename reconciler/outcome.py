"""How a pass ended."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """`requeue_after` seconds, or None: nothing more to do until something happens."""

    requeue_after: float | None = None
