"""How a pass ended."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """`requeue_after` seconds, or None: nothing more to do until something happens.

    `settled`: what people asked for is there, so that what follows belongs to no request any more.
    """

    requeue_after: float | None = None
    settled: bool = False
