"""A sign of life of processes without a port: a file that is touched as long as their loop turns.

A liveness probe looks at its age (deploy/charts/ambient). Waiting for a server that is away is life, too.
"""

from ambient import env

EVERY_SECONDS = 2.0


def touch() -> None:
    """Note that this process lives, where somebody wants to know."""
    if env.PULSE_FILE is not None:
        env.PULSE_FILE.touch()
