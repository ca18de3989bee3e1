"""Clients of event streams in the background: each keeps its cursor and comes back after a cut."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import websockets
from websockets.asyncio.client import connect

from tests.e2e.readers import Counter, Deaf, Slow
from tests.e2e.system import START_SECONDS, V1, eventually

Events = AsyncIterator[tuple[int, dict[str, Any]]]
AGAIN_SECONDS = 0.2
LARGEST_FRAME = 16 * 1024 * 1024


async def sse(url: str, token: str, after: int | None, **options: Any) -> Events:
    """Server-sent events of one connection: (id, event); ends with the connection."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    timeout = httpx.Timeout(10, read=60)
    async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
        async with client.stream(options.pop("method", "GET"), url, headers=headers, **options) as response:
            if response.status_code != 200:
                text = (await response.aread()).decode(errors="replace")
                raise Refused(response.status_code, text)
            number, data = 0, ""
            buffer = b""
            async for part in response.aiter_bytes():
                *lines, buffer = (buffer + part).split(b"\n")
                for line in lines:
                    name, _, value = line.decode().partition(": ")
                    if name == "id":
                        number = int(value)
                    elif name == "data":
                        assert not data, "one line of data an event"
                        data = value
                    elif not name and data:
                        yield number, json.loads(data)
                        data = ""


async def websocket(url: str, token: str, after: int | None) -> Events:
    """Frames of one websocket: (seq, event); the token goes as a subprotocol."""
    address = f"{url.replace('http', 'ws', 1)}?after_seq={after or 0}"
    protocols: Any = ["ambient", f"bearer.{token}"]
    async with connect(address, subprotocols=protocols, max_size=LARGEST_FRAME, proxy=None) as socket:
        async for text in socket:
            frame = json.loads(text)
            if "seq" in frame:
                yield frame["seq"], frame["event"]


class Refused(Exception):
    """The server did not open the stream."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass
class Watcher:
    """What one client has seen, in the order it came."""

    name: str
    base: str = ""  # of the server
    seen: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    connections: int = 0
    ended: bool = False
    problem: BaseException | None = None

    @property
    def seqs(self) -> list[int]:
        return [seq for seq, _ in self.seen]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for _, event in self.seen]

    def count(self, *types: str) -> int:
        """How many events of these types have come."""
        return sum(event["type"] in types for event in self.events)

    def text(self) -> str:
        """Everything that was said."""
        return "".join(e["delta"] for e in self.events if e["type"] == "TEXT_MESSAGE_CONTENT")

    def wait(self, condition: Callable[[], Any], what: str, seconds: float = START_SECONDS) -> Any:
        """Until it is true of what was seen; a client that failed says why."""

        def check() -> Any:
            if self.problem is not None:
                raise AssertionError(f"{self.name} failed: {self.problem!r}") from self.problem
            return condition()

        return eventually(check, f"{self.name}: {what} (has {len(self.seen)} events)", seconds)

    def wait_runs(self, number: int = 1, seconds: float = START_SECONDS) -> None:
        """Until so many runs have ended."""
        self.wait(lambda: self.count("RUN_FINISHED", "RUN_ERROR") >= number, f"{number} ended runs", seconds)

    def check_dense(self) -> None:
        """Every sequence number from 1 exactly once and in order."""
        assert self.seqs == list(range(1, len(self.seqs) + 1)), f"{self.name} lost, doubled or mixed events"


class Watchers:
    """Runs clients in an event loop of its own."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._raw: list[Deaf] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="watchers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all clients."""
        for raw in self._raw:
            raw.close()

        async def end() -> None:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._loop.shutdown_asyncgens()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def events(
        self, base: str, session: str, *, kind: str = "sse", after: int = 0, token: str | None = None
    ) -> Watcher:
        """Follow a session for ever, by server-sent events or websocket, coming back after every cut."""
        suffix, client = {"sse": ("agui/events", sse), "websocket": ("agui/ws", websocket)}[kind]
        url = f"{base}{V1}/sessions/{session}/{suffix}"
        watcher = Watcher(f"{kind} {urlsplit(base).port}", base)
        self._begin(self._follow(watcher, lambda last: client(url, token or self._token, last), after))
        return watcher

    def once(self, url: str, *, after: int | None = None, **options: Any) -> Watcher:
        """Read one connection of server-sent events to its end."""
        watcher = Watcher(url.rsplit("/", 1)[-1])
        self._begin(self._read(watcher, sse(url, self._token, after, **options)))
        return watcher

    def counter(self, base: str, session: str) -> Counter:
        """One of many: it only counts."""
        counter = Counter()
        self._begin(counter.read(base, session, self._token))
        return counter

    def deaf(self, base: str, session: str) -> Deaf:
        """One that never reads."""
        self._raw.append(Deaf(base, session, self._token))
        return self._raw[-1]

    def slow(self, base: str, session: str) -> Slow:
        """One that hardly reads."""
        slow = Slow(base, session, self._token)
        self._raw.append(slow)
        return slow

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        async def begin() -> None:
            self._tasks.append(asyncio.get_running_loop().create_task(work))

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result()

    async def _follow(self, watcher: Watcher, open_one: Callable[[int], Events], after: int) -> None:
        while True:
            last = watcher.seen[-1][0] if watcher.seen else after
            try:
                await self._read_one(watcher, open_one(last))
            except (httpx.TransportError, OSError, websockets.ConnectionClosed, websockets.InvalidMessage):
                pass  # cut: come back with the cursor
            except Refused as exc:
                if exc.status < 500:
                    watcher.problem = exc
                    return
            except websockets.InvalidStatus as exc:
                if exc.response.status_code < 500:
                    watcher.problem = exc
                    return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _read(self, watcher: Watcher, events: Events) -> None:
        try:
            await self._read_one(watcher, events)
        except (httpx.TransportError, OSError, Refused) as exc:
            watcher.problem = exc
        watcher.ended = True

    async def _read_one(self, watcher: Watcher, events: Events) -> None:
        watcher.connections += 1
        async for seen in events:
            watcher.seen.append(seen)
