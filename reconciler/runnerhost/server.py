"""The runner host's door: a unix socket, or a loopback port with a secret where the path is too long."""

import asyncio
import hmac
import json
import os
import secrets
from typing import Any

import structlog

from reconciler.runnerhost.host import RunnerHost
from reconciler.runnerhost.paths import HostPaths
from reconciler.runnerhost.protocol import LONGEST_LINE, HostRefused, encode

REQUEST_SECONDS = 30.0

log = structlog.get_logger(__name__)


class Door:
    """Answers one request a connection."""

    def __init__(self, paths: HostPaths, host: RunnerHost) -> None:
        self._paths = paths
        self._host = host
        self._secret = secrets.token_urlsafe(32) if paths.uses_tcp else None
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to answer."""
        self._paths.socket.unlink(missing_ok=True)
        self._paths.address.unlink(missing_ok=True)
        if self._secret is None:
            before = os.umask(0o177)
            try:
                self._server = await asyncio.start_unix_server(
                    self._serve, str(self._paths.socket), limit=LONGEST_LINE
                )
            finally:
                os.umask(before)
            return
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LONGEST_LINE)
        port = self._server.sockets[0].getsockname()[1]
        fresh = self._paths.address.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"port": port, "secret": self._secret}, file)
        fresh.rename(self._paths.address)

    def close(self) -> None:
        """No new requests; those who ask now find nobody."""
        if self._server is not None:
            self._server.close()
        self._paths.socket.unlink(missing_ok=True)
        self._paths.address.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                line = await reader.readline()
                if line:
                    writer.write(encode(await self._answer(line)))
                    await writer.drain()
        except (OSError, TimeoutError, ValueError) as exc:
            log.info("a request was dropped", error=type(exc).__name__)
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise HostRefused("BadRequest", "A request is one JSON object.")
            if self._secret is not None and not hmac.compare_digest(
                self._secret.encode(), str(request.get("secret", "")).encode()
            ):
                raise HostRefused("Unauthenticated", "The secret is missing or wrong.")
            return await self._host.answer(request)
        except HostRefused as exc:
            return {"error": exc.error, "message": exc.message}
        except ValueError:
            return {"error": "BadRequest", "message": "The request is not JSON."}
