"""What the streams ask of Django's blocking side."""

from ambient.common.threads import in_thread
from sessions_app.services.interrupts import interrupts_expire
from sessions_app.services.runs import runner_restart


async def restart_runner(session: str) -> None:
    """Ask for a new runner in place of one that does not end its run."""
    await in_thread(runner_restart, session_id=session)


async def expire_interrupts() -> int:
    """Close interrupts whose time is over; returns how many."""
    return await in_thread(interrupts_expire)
