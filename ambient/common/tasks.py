"""Ending asyncio tasks for certain."""

import asyncio
from typing import Any

AGAIN_SECONDS = 0.5


async def end(*tasks: "asyncio.Task[Any] | None") -> None:
    """Cancel these and wait until they have ended; what they raised is not our concern.

    A task is cancelled again while it goes on: before Python 3.12 `asyncio.wait_for` swallows a cancellation
    that meets its end (python/cpython#86296), and libraries that we await use it (redis-py in every send).
    """
    left = {task for task in tasks if task is not None}
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
        for task in done:
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio does not complain
