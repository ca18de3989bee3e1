"""Ending tasks that do not let go at once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ambient.common.tasks import end


async def waits() -> None:
    await asyncio.Event().wait()


async def swallows_one() -> None:
    """What `asyncio.wait_for` of Python 3.11 makes of a cancellation that meets its end."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


async def fails_when_cancelled() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise RuntimeError("in the way out") from None


async def has_ended() -> None:
    return None


@pytest.mark.parametrize("work", [waits, swallows_one, fails_when_cancelled, has_ended])
async def test_a_task_has_ended(work: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(task, None)
    assert task.done()


async def test_nothing_to_end() -> None:
    await end()
