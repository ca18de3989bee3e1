"""The pool of a server that no request has come to yet, and one whose connections the server has ended."""

import asyncio
from contextlib import ExitStack
from types import SimpleNamespace

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from ambient.common import pooling
from ambient.common.tasks import end

pytestmark = pytest.mark.django_db

OPTIONS = {"min_size": 2, "max_size": 6, "timeout": 20, "reconnect_timeout": 1}


@pytest.fixture
def pool():
    """As Django makes it: not open yet."""
    parameters = connection.get_connection_params() | {"autocommit": True}
    for name in ("cursor_factory", "context"):
        parameters.pop(name, None)
    pool = ConnectionPool(
        kwargs=parameters,
        connection_class=pooling.PooledConnection,
        check=ConnectionPool.check_connection,
        open=False,
        **OPTIONS,
    )
    yield pool
    pool.close()


@pytest.fixture
async def checked(pool, monkeypatch):
    monkeypatch.setattr(pooling, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(pooling, "connections", {"default": SimpleNamespace(pool=pool)})
    checking = asyncio.create_task(pooling.keep_checked())
    await asyncio.sleep(0.2)
    yield checking
    await end(checking)


def backends(pool, count):
    """The servers of so many connections that are taken at the same time."""
    with ExitStack() as taken:
        return {taken.enter_context(pool.connection()).info.backend_pid for _ in range(count)}


async def test_a_pool_that_nobody_has_used_yet_still_grows(pool, checked):
    assert not checked.done()
    assert len(await asyncio.to_thread(backends, pool, OPTIONS["max_size"])) == OPTIONS["max_size"]


async def test_connections_that_the_server_has_ended_are_replaced_before_a_request_meets_them(pool, checked):
    before = await asyncio.to_thread(backends, pool, OPTIONS["max_size"])
    with psycopg.connect(**pool.kwargs) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [list(before)])
    async with asyncio.timeout(20):
        while pool.get_stats().get("connections_lost", 0) < len(before):
            await asyncio.sleep(0.01)
    assert (await asyncio.to_thread(backends, pool, OPTIONS["max_size"])).isdisjoint(before)
    assert not checked.done()


async def test_without_a_pool_there_is_nothing_to_check(monkeypatch):
    monkeypatch.setattr(pooling, "connections", {"default": SimpleNamespace(pool=None)})
    await pooling.keep_checked()
