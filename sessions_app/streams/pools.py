"""Small asynchronous connection pools: appends and reads never wait for each other or for requests."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from django.conf import settings
from psycopg_pool import AsyncConnectionPool

from ambient.common.process_metrics import show_pool

APPEND_CONNECTIONS = 8
READ_CONNECTIONS = 4
TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError)
"""What a lost or refused connection raises (a pool's time-out is one of them)."""


def conninfo() -> str:
    """The server that Django uses, as libpq text (in tests this is the test database)."""
    database = settings.DATABASES["default"]
    options = {key: value for key, value in database["OPTIONS"].items() if key != "pool"}
    return psycopg.conninfo.make_conninfo(
        dbname=database["NAME"],
        user=database["USER"] or None,
        password=database["PASSWORD"] or None,
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        **{**options, "application_name": f"ambient-streams-{settings.PROCESS}"},
    )


async def connect() -> psycopg.AsyncConnection[Any]:
    """A connection of one's own, in autocommit mode."""
    return await psycopg.AsyncConnection.connect(conninfo(), autocommit=True)


class Pools:
    """The process's stream connections; in autocommit mode, so that one statement is one round trip."""

    def __init__(self, *, append: int = APPEND_CONNECTIONS, read: int = READ_CONNECTIONS) -> None:
        self._append = self._pool("append", append)
        self._read = self._pool("read", read)

    @staticmethod
    def _pool(name: str, size: int) -> AsyncConnectionPool:
        return AsyncConnectionPool(
            conninfo(),
            kwargs={"autocommit": True},
            min_size=1,
            max_size=size,
            timeout=5,
            max_idle=60,
            reconnect_timeout=5,
            name=f"streams-{name}",
            open=False,
        )

    async def open(self) -> None:
        """Start the pools; the servers may come later."""
        await self._append.open()
        await self._read.open()
        show_pool("appends", self._append.get_stats)
        show_pool("replays", self._read.get_stats)

    async def close(self) -> None:
        """Close every connection."""
        await self._append.close(timeout=1)
        await self._read.close(timeout=1)

    @contextlib.asynccontextmanager
    async def append(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection for appends and the work of a holder."""
        async with self._append.connection() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection for replays; few, so that they are admitted a few at a time."""
        async with self._read.connection() as connection:
            yield connection
