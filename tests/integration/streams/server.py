"""The real ASGI server on a free port, in the test's own event loop."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import uvicorn
from django.db import connections

from reconciler.http_protocol import JsonErrors
from sessions_app.streams.node import Node, set_current
from sessions_app.streams.sse import SseEvent, SseParser


class Quiet(uvicorn.Server):
    """Leaves the test's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@contextlib.asynccontextmanager
async def serving(node: Node) -> AsyncIterator[str]:
    """Serve the application with this node; yields `http://127.0.0.1:PORT/api/ambient/v1`."""
    from ambient.asgi import application

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        http=JsonErrors,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
    )
    server = Quiet(config)
    # As in the servers' own settings: a request's thread keeps no connection.
    database = connections["default"].settings_dict
    before, database["CONN_MAX_AGE"] = database["CONN_MAX_AGE"], 0
    set_current(node)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/ambient/v1"
    finally:
        node.hub.close()
        server.should_exit = True
        await task
        set_current(None)
        database["CONN_MAX_AGE"] = before
        listener.close()


class SseClient:
    """Reads server-sent events of one answer one by one."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self._parser = SseParser()
        self._waiting: list[SseEvent] = []

    async def next(self, timeout: float = 20.0) -> tuple[int | None, dict[str, Any]] | None:
        """(id, data) of the next event; None at the end of the stream."""
        async with asyncio.timeout(timeout):
            while not self._waiting:
                chunk = await self.response.content.readany()
                if not chunk:
                    return None
                self._waiting = self._parser.feed(chunk)
        event = self._waiting.pop(0)
        return (int(event.id) if event.id else None), json.loads(event.data)

    async def until(self, type_: str) -> list[tuple[int | None, dict[str, Any]]]:
        """Events up to and with one of this type."""
        found = []
        while True:
            item = await self.next()
            assert item is not None, f"the stream ended before {type_}: {found}"
            found.append(item)
            if item[1].get("type") == type_:
                return found

    async def rest(self) -> list[tuple[int | None, dict[str, Any]]]:
        """Everything to the end of the stream."""
        found = []
        while (item := await self.next()) is not None:
            found.append(item)
        return found
