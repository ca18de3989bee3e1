"""The client towards one runner: plain AG-UI over HTTP, plus proof, re-attach and acknowledging."""

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from django.conf import settings
from django.utils.module_loading import import_string

from ambient.common import tracing
from sessions_app.runner_identity import agui_token, health_proof
from sessions_app.streams.sse import BadStream, SseParser
from sessions_app.streams.timing import Timing

CHUNK_BYTES = 256 * 1024


class Unreachable(Exception):
    """No connection, a lost one, or no answer in time."""


class OtherInstance(Exception):
    """Whoever answers there is not the runner that this run was started on."""


class Refused(Exception):
    """The runner answered with an error status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Target:
    """A runner that once proved itself to the reconciler."""

    session: str
    endpoint: str
    instance: str
    secret: str

    def __repr__(self) -> str:
        return f"Target({self.session}, {self.endpoint}, {self.instance})"


@dataclass(frozen=True)
class Incoming:
    """One event as received. `index` None: this runner does not number its events."""

    data: bytes
    index: int | None


async def session_token(target: Target) -> str:
    """What opens the runner's port. Raises Unreachable, OtherInstance.

    A plain AG-UI agent has a token of its own, which whoever knows its pod tells us.
    """
    if not settings.RUNNER_BINDING:
        return agui_token(target.secret)
    token = await asyncio.to_thread(import_string(settings.RUNNER_BINDING), target)
    return str(token)


async def prove(http: aiohttp.ClientSession, target: Target, seconds: float) -> str | None:
    """Check that the endpoint is this session's runner; returns the run that is active there.

    Raises Unreachable, OtherInstance. A plain agent cannot say which run is active.
    """
    if settings.RUNNER_BINDING:
        await session_token(target)
        await _answers(http, target, seconds)
        return None
    nonce = secrets.token_hex(16)
    try:
        async with http.get(
            f"{target.endpoint}/health",
            params={"nonce": nonce},
            timeout=aiohttp.ClientTimeout(total=seconds),
        ) as response:
            body = await response.json(content_type=None) if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exc:
        raise Unreachable(type(exc).__name__) from exc
    if not isinstance(body, dict):
        raise Unreachable("no health answer")
    instance, generation = body.get("instance"), body.get("generation")
    if instance != target.instance or body.get("session_id") != target.session:
        raise OtherInstance("another runner answers there")
    expected = health_proof(
        target.secret,
        session_id=target.session,
        generation=generation if isinstance(generation, int) else -1,
        instance=target.instance,
        nonce=nonce,
    )
    if not hmac.compare_digest(str(body.get("proof")).encode(), expected.encode()):
        raise OtherInstance("the runner could not prove itself")
    active = body.get("active_run")
    return active if isinstance(active, str) else None


async def _answers(http: aiohttp.ClientSession, target: Target, seconds: float) -> None:
    try:
        timeout = aiohttp.ClientTimeout(total=seconds)
        async with http.get(f"{target.endpoint}/health", timeout=timeout) as response:
            if response.status != 200:
                raise Unreachable(f"health says {response.status}")
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise Unreachable(type(exc).__name__) from exc


class RunnerClient:
    """Speaks to one runner under one lease epoch. Nothing secret is sent before `prove` succeeded."""

    def __init__(self, http: aiohttp.ClientSession, target: Target, epoch: int, timing: Timing) -> None:
        self._http = http
        self._target = target
        self._timing = timing
        self._epoch = str(epoch)
        self._short = aiohttp.ClientTimeout(total=timing.connect)

    async def prove(self) -> str | None:
        """Check that the endpoint is this session's runner; returns the run that is active there."""
        return await prove(self._http, self._target, self._timing.connect)

    @contextlib.asynccontextmanager
    async def run(self, run_input: dict[str, Any]) -> AsyncIterator[AsyncIterator[list[Incoming]]]:
        """POST a RunAgentInput; yields its events as they come."""
        async with self._stream(
            "POST",
            "/",
            data=orjson.dumps(run_input),
            headers={"Content-Type": "application/json"} | tracing.headers(),
        ) as events:
            yield events

    @contextlib.asynccontextmanager
    async def attach(self, run: str, after: int) -> AsyncIterator[AsyncIterator[list[Incoming]]]:
        """Go on reading a run after an index."""
        async with self._stream(
            "GET", f"/runs/{run}/events", headers={"Last-Event-ID": str(after)}, attached=True
        ) as events:
            yield events

    @contextlib.asynccontextmanager
    async def _stream(
        self, method: str, path: str, *, headers: dict[str, str], attached: bool = False, data: Any = None
    ) -> AsyncIterator[AsyncIterator[list[Incoming]]]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timing.connect)
        own = await self._headers()
        accept = {"Accept": "text/event-stream"}
        try:
            async with asyncio.timeout(self._timing.connect + self._timing.silence):
                response = await self._http.request(
                    method,
                    self._target.endpoint + path,
                    data=data,
                    headers=own | accept | headers,
                    timeout=timeout,
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise Unreachable(type(exc).__name__) from exc
        try:
            if response.status != 200:
                raise await _refusal(response)
            yield self._events(response, numbered=attached)
        finally:
            response.close()

    async def _events(
        self, response: aiohttp.ClientResponse, numbered: bool
    ) -> AsyncIterator[list[Incoming]]:
        """Lists of events in the order of the wire. Silence of a runner that numbers is a lost connection."""
        parser = SseParser()
        while True:
            try:
                async with asyncio.timeout(self._timing.silence if numbered else None):
                    chunk = await response.content.readany()
            except TimeoutError as exc:
                raise Unreachable("silence") from exc
            except (aiohttp.ClientError, OSError) as exc:
                raise Unreachable(type(exc).__name__) from exc
            if not chunk:
                return
            try:
                found = parser.feed(chunk)
            except BadStream as exc:
                raise Refused(502, str(exc)) from exc
            incoming = [Incoming(event.data, _index(event.id)) for event in found]
            numbered = numbered or any(event.index is not None for event in incoming)
            if incoming:
                yield incoming

    async def ack(self, run: str, index: int) -> None:
        """Tell up to where events are stored."""
        await self._post(f"/runs/{run}/ack", {"index": index})

    async def interrupt(self, run: str) -> None:
        """Ask the agent to end the run."""
        await self._post("/interrupt", {"run": run})

    async def exit(self, run: str) -> None:
        """Tell the runner that nothing more comes after this run."""
        await self._post("/exit", {"run": run})

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        try:
            headers = await self._headers()
            async with self._http.post(
                self._target.endpoint + path, json=body, headers=headers, timeout=self._short
            ) as response:
                if response.status >= 400:
                    raise await _refusal(response)
        except (aiohttp.ClientError, TimeoutError, OSError, OtherInstance) as exc:
            raise Unreachable(type(exc).__name__) from exc

    async def _headers(self) -> dict[str, str]:
        return {"X-Ambient-Session-Token": await session_token(self._target), "X-Ambient-Epoch": self._epoch}


def _index(raw: bytes | None) -> int | None:
    return int(raw) if raw is not None and raw.isdigit() and len(raw) <= 18 else None


async def _refusal(response: aiohttp.ClientResponse) -> Refused:
    """The runner's own word for it, where it has one."""
    try:
        body = orjson.loads(await response.content.read(64 * 1024))
        reason = str(body.get("reason") or response.reason)
    except (aiohttp.ClientError, ValueError, AttributeError):
        reason = str(response.reason)
    return Refused(response.status, reason)
