"""What the streams ask of Django's blocking side: each call on a thread of its own for a moment."""

from collections.abc import Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

from sessions_app.services.interrupts import interrupts_expire
from sessions_app.services.runs import runner_restart

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call blocking code; its database connection goes back to the pool before the thread does."""

    def call() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    return await sync_to_async(call, thread_sensitive=False)()


async def restart_runner(session: str) -> None:
    """Ask for a new runner in place of one that does not end its run."""
    await in_thread(runner_restart, session_id=session)


async def expire_interrupts() -> int:
    """Close interrupts whose time is over; returns how many."""
    return await in_thread(interrupts_expire)
