"""The pool of requests finds out by itself that its connections have ended."""

import asyncio
import select
from typing import Any

import psycopg
import structlog
from django.db import connections

log = structlog.get_logger(__name__)

CHECK_SECONDS = 1.0


class PooledConnection(psycopg.Connection[Any]):
    """The pool asks each connection with an empty query whether it works, before a request gets it.

    A round trip for that would slow every request down. A server that went away has closed the socket,
    which can be seen without one; so only a socket on which something has arrived is really asked. (Django
    names the pool's check itself and takes no other, so it is made cheap here.)
    """

    def execute(self, query: Any, *args: Any, **options: Any) -> psycopg.Cursor[Any]:
        if query == "" and self._is_quiet():
            return self.cursor()
        return super().execute(query, *args, **options)

    def _is_quiet(self) -> bool:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return not poll.poll(0)


async def keep_checked() -> None:
    """Throw out what the server has ended, all at once: a request would meet one after the other.

    Django opens the pool for the first request. One that is checked before believes for ever that it grows.
    """
    pool = connections["default"].pool  # type: ignore[attr-defined]
    if pool is None:
        return
    pool.open()
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            await asyncio.to_thread(pool.check)
        except Exception:  # in the next second again: nobody else would see that the checks have ended
            log.exception("the pool of connections could not be checked")
