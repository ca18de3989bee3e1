"""Many watchers, slow ones, limits, lost hints."""

import asyncio
import contextlib
import json
import socket as sockets
import threading
from dataclasses import replace
from typing import Any

import aiohttp
import psycopg
import pytest

from projects_app.models import User
from projects_app.services.api_keys import api_key_create
from sessions_app.streams.node import Limits
from sessions_app.streams.pools import APPEND_CONNECTIONS, READ_CONNECTIONS, conninfo
from tests.fakes.runner import FakeRun
from tests.integration.streams.conftest import SHORT, Lab, eventually, in_database
from tests.integration.streams.server import SseClient, serving
from tests.integration.streams.test_edges import Web


@contextlib.asynccontextmanager
async def client(lab: Lab, ann: User, **node: Any) -> Any:
    """A server with a node as asked, and a signed-in client of it."""
    key, token = await in_database(api_key_create, user=ann)
    started = await lab.node(**node)
    headers = {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        serving(started) as url,
        aiohttp.ClientSession(headers=headers, connector=connector) as http,
    ):
        yield Web(lab, http, url, key, token)


async def backends() -> int:
    """Connections to the test database, but this one."""
    async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as connection:
        cursor = await connection.execute(
            "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend'"
        )
        row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def test_idle_watchers_hold_neither_connections_nor_threads(lab: Lab, ann: User) -> None:
    async with client(lab, ann) as web, contextlib.AsyncExitStack() as stack:
        await lab.send("hello")
        stored = await lab.ended()
        before = threading.active_count()
        watchers: list[SseClient] = []
        for _ in range(4):
            opened = [stack.enter_async_context(web.sse("agui/events")) for _ in range(50)]
            watchers += await asyncio.gather(*opened)
        for watcher in watchers:
            assert len(await watcher.until("RUN_FINISHED")) == len(stored)
        assert lab.nodes[0].hub.count == 200

        async def few() -> Any:
            threads = threading.active_count() - before
            return threads < 40 and await backends() <= APPEND_CONNECTIONS + READ_CONNECTIONS + 3

        await eventually(few, "threads and connections are given back")
        await lab.send("again")
        for watcher in watchers:
            assert (await watcher.until("RUN_FINISHED"))[-1][0] == 2 * len(stored)

    async def gone() -> Any:
        return lab.nodes[0].hub.count == 0

    await eventually(gone, "every place is free again")


@pytest.mark.parametrize(
    "limits", [Limits(per_user=2), Limits(per_process=2)], ids=["per-user", "per-process"]
)
async def test_too_many_watchers_are_told_when_to_come_back(lab: Lab, ann: User, limits: Limits) -> None:
    async with client(lab, ann, limits=limits) as web:
        async with web.sse("agui/events"), web.sse("messages"):
            async with web.http.get(web.path("agui/events")) as response:
                assert response.status == 429
                assert int(response.headers["Retry-After"]) > 0
            async with web.http.ws_connect(web.path("agui/ws")) as ws:
                assert (await ws.receive_json(timeout=20))["error"]["retry_after"] > 0
                await ws.receive(timeout=20)
                assert ws.close_code == 4429

        async def place() -> Any:
            return lab.nodes[0].hub.count == 0

        await eventually(place, "the places are free again")
        async with web.sse("agui/events"):
            pass


async def flood(lab: Lab, count: int, size: int) -> None:
    async def script(run: FakeRun) -> None:
        run.start()
        run.emit("TEXT_MESSAGE_START", messageId="m", role="assistant")
        for number in range(count):
            run.emit("TEXT_MESSAGE_CONTENT", messageId="m", delta=f"{number:06d}" + "x" * size)
            if number % 50 == 0:
                await asyncio.sleep(0)
        run.emit("TEXT_MESSAGE_END", messageId="m")
        run.finish()

    lab.runner.script = script
    await lab.send("flood")


def slow_socket(web: Web) -> sockets.socket:
    """An open SSE request on a socket with a small window; nothing is read from it yet."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    host, port = web.url.removeprefix("http://").split("/")[0].split(":")
    raw.connect((host, int(port)))
    path = web.path("agui/events").removeprefix(f"http://{host}:{port}")
    raw.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {web.token}\r\n\r\n".encode()
    )
    raw.setblocking(False)
    return raw


async def test_one_that_never_reads_is_cut_and_others_get_everything(lab: Lab, ann: User) -> None:
    async with client(lab, ann, timing=replace(SHORT, stall=1.0)) as web:
        dead = slow_socket(web)
        async with web.sse("agui/events") as good:

            async def both() -> Any:
                return lab.nodes[0].hub.count == 2

            await eventually(both, "both watch")
            await flood(lab, 3000, 3000)
            got = await good.until("RUN_FINISHED")
            assert [seq for seq, _ in got] == list(range(1, 3005))

            async def cut() -> Any:
                return lab.nodes[0].hub.count == 1

            await eventually(cut, "the dead one is cut")
        dead.close()


async def test_a_slow_reader_is_late_but_complete(lab: Lab, ann: User) -> None:
    async with client(lab, ann, timing=replace(SHORT, stall=60.0)) as web:
        slow = slow_socket(web)

        async def watching() -> Any:
            return lab.nodes[0].hub.count == 1

        await eventually(watching, "the slow one watches")
        await flood(lab, 2000, 3000)
        stored = await lab.ended()
        loop, raw = asyncio.get_running_loop(), b""
        while b"RUN_FINISHED" not in raw:
            part = await loop.sock_recv(slow, 64 * 1024)
            assert part, "the slow reader was cut"
            raw += part
            await asyncio.sleep(0.001)
        slow.close()
    ids = [int(line[4:]) for line in raw.split(b"\n") if line.startswith(b"id: ")]
    assert ids == list(range(1, len(stored) + 1))


async def test_without_hints_other_processes_are_late_but_complete(
    lab: Lab, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await lab.node()
    monkeypatch.setattr(holder.link, "say", lambda *args: None)
    async with client(lab, ann, holds=False) as web, web.sse("agui/events") as events:
        await lab.send("hello")
        got = await events.until("RUN_FINISHED")
    assert [event for _, event in got] == await lab.events()


async def test_a_redis_that_is_away_delays_but_loses_nothing(lab: Lab, ann: User, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    async with client(lab, ann) as web, web.sse("agui/events") as events:
        await lab.send("hello")
        got = await events.until("RUN_FINISHED")
    assert [event for _, event in got] == await lab.events()


async def test_replays_share_their_reads(lab: Lab, ann: User) -> None:
    await lab.node()
    await flood(lab, 2000, 100)
    stored = await lab.ended()
    async with client(lab, ann, holds=False) as web, contextlib.AsyncExitStack() as stack:
        pages = 0
        store = lab.nodes[-1].store
        page = store.page

        async def counted(session: str, after: int) -> Any:
            nonlocal pages
            pages += 1
            return await page(session, after)

        lab.nodes[-1].hub.events._read_page = counted
        opened = [stack.enter_async_context(web.sse("agui/events")) for _ in range(100)]
        for watcher in await asyncio.gather(*opened):
            got = await watcher.until("RUN_FINISHED")
            assert [seq for seq, _ in got] == list(range(1, len(stored) + 1))
        assert pages < 100


async def test_a_long_conversation_is_listed_whole(lab: Lab, ann: User) -> None:
    from sessions_app.models import MessageCounter, SessionMessage

    def fill() -> None:
        rows = (
            SessionMessage(session=lab.session, seq=seq, event_type="assistant", payload=f"m{seq}")
            for seq in range(1, 1501)
        )
        SessionMessage.objects.bulk_create(rows)
        MessageCounter.objects.filter(pk=lab.session.pk).update(message_seq=1500)

    await in_database(fill)
    async with client(lab, ann) as web, web.http.get(web.path("messages")) as response:
        rows = json.loads(await response.read())
    assert [row["seq"] for row in rows] == list(range(1, 1501))
