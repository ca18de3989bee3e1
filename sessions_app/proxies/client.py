"""Sending a call: to the runner itself on the control plane, to the control plane anywhere else."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
from django.conf import settings

from ambient import env
from ambient.common import tracing
from ambient.common.exceptions import NoRunner, Unavailable
from sessions_app.choices import Phase
from sessions_app.proxies.calls import RunnerCall
from sessions_app.proxies.tickets import issue_ticket
from sessions_app.streams.node import Node, current
from sessions_app.streams.runner import CHUNK_BYTES, OtherInstance, Unreachable, prove, session_token

STATUS_HEADER = "X-Ambient-Runner-Status"
"""On the control plane's answers: the status that the runner answered with."""
REASON_HEADER = "X-Ambient-Runner-Reason"
"""On its refusals: the name of the error of ours."""
JSON = {"Content-Type": "application/json"}
JSON_BYTES = 16 * 1024 * 1024
SECONDS = 60.0
RETRY_SECONDS = 2
NO_CONTROL_PLANE = "The control plane is not available"
SILENT = "The session's runner does not answer"


class RunnerAway(Unavailable):
    """The session has no runner now: it is not running."""

    def __init__(self) -> None:
        super().__init__("The session's runner is not available", retry_after=RETRY_SECONDS)


class RunnerAnswer:
    """A runner's answer; its body is read once, or thrown away by `close`."""

    def __init__(self, response: aiohttp.ClientResponse, status: int) -> None:
        self.status = status
        self.size = response.content_length
        self._response = response
        self._loop = asyncio.get_running_loop()

    async def json(self) -> Any:
        """The body as JSON; None when it is empty. Raises NoRunner for anything else and for too much."""
        try:
            async with asyncio.timeout(SECONDS):
                raw = await _bounded(self._response)
            return orjson.loads(raw) if raw else None
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise NoRunner(SILENT) from exc
        except ValueError as exc:
            raise NoRunner("The session's runner gave an answer that is no JSON") from exc
        finally:
            self._response.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body as it comes. A connection that breaks ends it early: the client sees a cut answer."""
        try:
            async for part in self._response.content.iter_chunked(CHUNK_BYTES):
                yield part
        finally:
            self._response.close()

    def close(self) -> None:
        """Leave the body; from any thread (Django closes answers on one of its own)."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._response.close)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    parts = bytearray()
    async for part in response.content.iter_chunked(CHUNK_BYTES):
        parts += part
        if len(parts) > JSON_BYTES:
            raise NoRunner("The session's runner gave an answer that is too large")
    return bytes(parts)


async def call_runner(session_id: str, call: RunnerCall) -> RunnerAnswer:
    """Ask the session's runner, from any process.

    Raises RunnerAway when the session has none, NoRunner when it does not answer, Unavailable without a
    control plane.
    """
    if settings.PROCESS == "control-plane":
        return await ask_runner(session_id, call)
    return await _through_control_plane(current(), session_id, call)


async def ask_runner(session_id: str, call: RunnerCall) -> RunnerAnswer:
    """Ask it directly, on the control plane. Nothing is sent before it has proved itself."""
    node = current()
    now = await node.runs.session(session_id)
    if now.target is None or now.phase != Phase.RUNNING:
        raise RunnerAway
    target = now.target
    try:
        await prove(node.http, target, node.timing.connect)
        token = await session_token(target)
        response = await node.http.request(
            call.method,
            target.endpoint + call.path,
            params=dict(call.query),
            data=None if call.body is None else io.BytesIO(orjson.dumps(call.body)),
            headers={"X-Ambient-Session-Token": token} | JSON | tracing.headers(),
            timeout=_timeout(node),
            allow_redirects=False,
        )
    except (Unreachable, OtherInstance, aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise NoRunner(SILENT) from exc
    return RunnerAnswer(response, response.status)


async def _through_control_plane(node: Node, session_id: str, call: RunnerCall) -> RunnerAnswer:
    body = call.encoded()
    headers = {"Authorization": f"Bearer {issue_ticket(session_id, body)}", "Connection": "close"}
    try:
        response = await node.http.post(
            f"{env.CONTROL_PLANE_URL}/runners/{session_id}",
            data=io.BytesIO(body),
            headers=headers | JSON | tracing.headers(),
            timeout=_timeout(node),
            allow_redirects=False,
        )
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise Unavailable(NO_CONTROL_PLANE, retry_after=RETRY_SECONDS) from exc
    status = response.headers.get(STATUS_HEADER, "")
    if response.status == 200 and status.isdecimal():
        return RunnerAnswer(response, int(status))
    response.close()
    match response.headers.get(REASON_HEADER):
        case "RunnerAway":
            raise RunnerAway
        case "NoRunner":
            raise NoRunner(SILENT)
        case _:
            raise Unavailable(NO_CONTROL_PLANE, retry_after=RETRY_SECONDS)


def _timeout(node: Node) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=node.timing.connect, sock_read=SECONDS)
