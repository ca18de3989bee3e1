"""A scripted AG-UI runner that follows the runner's contract: an aiohttp server under the test's control."""

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sessions_app.runner_identity import agui_token, health_proof

Event = dict[str, Any]


class FakeRun:
    """One run: what a script writes into it is kept until it is acknowledged."""

    def __init__(self, run_input: dict[str, Any]) -> None:
        self.id: str = run_input["runId"]
        self.thread: str = run_input["threadId"]
        self.input = run_input
        self.events: list[bytes] = []
        self.ended = False
        self.forgotten = 0
        self.reader = 0
        self.changed = asyncio.Event()
        self.interrupted = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @property
    def text(self) -> str:
        """What the user said last."""
        messages = self.input["messages"]
        return str(messages[-1]["content"]) if messages else ""

    def emit(self, type_: str, **fields: Any) -> None:
        """Write one event."""
        event = {"type": type_, "timestamp": time.time_ns() // 1_000_000, **fields}
        self.emit_raw(json.dumps(event).encode())
        if type_ in ("RUN_FINISHED", "RUN_ERROR"):
            self.ended = True

    def emit_raw(self, data: bytes) -> None:
        """Write whatever this is."""
        self.events.append(data)
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def start(self) -> None:
        """RUN_STARTED."""
        self.emit("RUN_STARTED", threadId=self.thread, runId=self.id, protocolVersion="1.0")

    def say(self, text: str, message_id: str = "m1", parts: int = 1) -> None:
        """A whole text message in so many parts."""
        self.emit("TEXT_MESSAGE_START", messageId=message_id, role="assistant")
        size = max(1, len(text) // parts)
        for at in range(0, len(text), size):
            self.emit("TEXT_MESSAGE_CONTENT", messageId=message_id, delta=text[at : at + size])
        self.emit("TEXT_MESSAGE_END", messageId=message_id)

    def finish(self, **fields: Any) -> None:
        """RUN_FINISHED."""
        self.emit("RUN_FINISHED", threadId=self.thread, runId=self.id, **fields)


Script = Callable[[FakeRun], Awaitable[None]]


async def echo(run: FakeRun) -> None:
    """Says back what it was told."""
    run.start()
    run.say(f"You said: {run.text}", parts=3)
    run.finish()


class FakeRunner:
    """Serves one session on 127.0.0.1. `numbered=False` is a plain AG-UI agent without re-attach."""

    def __init__(self, session_id: str, secret: str, *, script: Script = echo, numbered: bool = True) -> None:
        self.session_id = session_id
        self.secret = secret
        self.script = script
        self.numbered = numbered
        self.instance = "instance-1"
        self.generation = 1
        self.epoch = 0
        self.runs: dict[str, FakeRun] = {}
        self.active: FakeRun | None = None
        self.posts: list[dict[str, Any]] = []
        self.acks: list[tuple[str, int]] = []
        self.interrupts: list[str] = []
        self.exits: list[str] = []
        self.attached: list[tuple[str, int]] = []
        self.ignore_interrupts = False
        self.refuse_post: tuple[int, str] | None = None
        self.answers: dict[str, web.StreamResponse | Callable[[web.Request], Any]] = {}
        self.calls: list[tuple[str, str, dict[str, str], Any]] = []
        self._open: set[web.StreamResponse] = set()
        self._runner: web.AppRunner | None = None
        self.endpoint = ""

    async def start(self, port: int = 0) -> str:
        """Listen; returns the endpoint."""
        app = web.Application(middlewares=[self._guard], client_max_size=64 * 1024 * 1024)
        app.router.add_get("/health", self._health)
        app.router.add_post("/", self._post)
        app.router.add_get("/runs/{run}/events", self._events)
        app.router.add_post("/runs/{run}/ack", self._ack)
        app.router.add_post("/interrupt", self._interrupt)
        app.router.add_post("/exit", self._exit)
        app.router.add_route("*", "/{path:.*}", self._other)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.endpoint = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
        return self.endpoint

    async def stop(self) -> None:
        """Die: every connection breaks, nothing answers."""
        self.drop_connections()
        for run in self.runs.values():
            if run.task is not None:
                run.task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def drop_connections(self) -> None:
        """Break the readers' connections in the middle."""
        for response in list(self._open):
            transport = response._payload_writer.transport if response._payload_writer else None  # type: ignore[union-attr]
            if transport is not None:
                transport.abort()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path != "/health":
            token = request.headers.get("X-Ambient-Session-Token", "")
            if not hmac.compare_digest(token, agui_token(self.secret)):
                return web.json_response({"reason": "Unauthorized"}, status=401)
            epoch = int(request.headers.get("X-Ambient-Epoch", self.epoch))
            if epoch < self.epoch:
                return web.json_response({"reason": "StaleEpoch"}, status=409)
            self.epoch = epoch
        response: web.StreamResponse = await handler(request)
        return response

    async def _health(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = {
            "session_id": self.session_id,
            "generation": self.generation,
            "attempt": 1,
            "instance": self.instance,
            "active_run": self.active.id if self.active else None,
        }
        if "nonce" in request.query:
            body["proof"] = health_proof(
                self.secret,
                session_id=self.session_id,
                generation=self.generation,
                instance=self.instance,
                nonce=request.query["nonce"],
            )
        return web.json_response(body)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        run_input = await request.json()
        if self.refuse_post is not None:
            return web.json_response({"reason": self.refuse_post[1]}, status=self.refuse_post[0])
        if run_input["runId"] in self.runs:
            return web.json_response({"reason": "RunKnown"}, status=409)
        if self.active is not None:
            return web.json_response({"reason": "RunActive"}, status=409)
        self.posts.append(run_input)
        run = FakeRun(run_input)
        self.runs[run.id] = self.active = run
        run.task = asyncio.create_task(self._drive(run))
        return await self._stream(request, run, 0)

    async def _drive(self, run: FakeRun) -> None:
        try:
            await self.script(run)
        finally:
            if self.active is run:
                self.active = None

    async def _events(self, request: web.Request) -> web.StreamResponse:
        run = self.runs.get(request.match_info["run"])
        if run is None or not self.numbered:
            return web.json_response({"reason": "RunUnknown" if self.numbered else "NotFound"}, status=404)
        after = int(request.headers.get("Last-Event-ID", "0"))
        if after < run.forgotten:
            return web.json_response({"reason": "EventsForgotten"}, status=410)
        self.attached.append((run.id, after))
        return await self._stream(request, run, after)

    async def _stream(self, request: web.Request, run: FakeRun, cursor: int) -> web.StreamResponse:
        run.reader += 1
        me = run.reader
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self._open.add(response)
        try:
            while run.reader == me:
                changed = run.changed
                while cursor < len(run.events):
                    cursor += 1
                    number = f"id: {cursor}\n".encode() if self.numbered else b""
                    await response.write(number + b"data: " + run.events[cursor - 1] + b"\n\n")
                if run.ended:
                    break
                try:
                    async with asyncio.timeout(0.5):
                        await changed.wait()
                except TimeoutError:
                    await response.write(b": hb\n\n")
        finally:
            self._open.discard(response)
        return response

    async def _ack(self, request: web.Request) -> web.Response:
        run, index = request.match_info["run"], (await request.json())["index"]
        self.acks.append((run, index))
        self.runs[run].forgotten = max(self.runs[run].forgotten, index)
        return web.json_response({"forgotten": index})

    async def _interrupt(self, request: web.Request) -> web.Response:
        run_id = (await request.json())["run"]
        self.interrupts.append(run_id)
        run = self.active
        if run is None or run.id != run_id or self.ignore_interrupts:
            return web.json_response({"interrupted": False})
        run.interrupted.set()
        return web.json_response({"interrupted": True})

    async def _other(self, request: web.Request) -> web.StreamResponse:
        """Any other route: what the test has put into `answers`, by path."""
        body = await request.json() if request.can_read_body else None
        self.calls.append((request.method, request.path, dict(request.query), body))
        answer = self.answers.get(request.path)
        if answer is None:
            return web.json_response({"detail": "Not Found"}, status=404)
        answer = await answer(request) if callable(answer) else answer
        return answer  # type: ignore[no-any-return]

    async def _exit(self, request: web.Request) -> web.Response:
        self.exits.append((await request.json())["run"])
        return web.json_response({"exiting": True})
