"""The talk between workers and the runner host: one JSON line there, one back."""

import json
import socket
from collections.abc import Mapping
from typing import Any

from reconciler.runnerhost.paths import HostPaths

LONGEST_LINE = 16 * 1024 * 1024
TIMEOUT_SECONDS = 10.0


class HostAway(Exception):
    """The runner host cannot be asked: it is not running, starting or stopping."""


class HostRefused(Exception):
    """The runner host answered with a named error."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.message = message


def encode(message: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def call(paths: HostPaths, operation: str, **arguments: Any) -> dict[str, Any]:
    """One question to the home's runner host; raises HostAway or HostRefused."""
    try:
        connection, secret = _connect(paths)
        with connection:
            request = {"op": operation, **arguments} | ({"secret": secret} if secret else {})
            connection.sendall(encode(request))
            with connection.makefile("rb") as file:
                line = file.readline(LONGEST_LINE)
    except (OSError, ValueError, KeyError) as exc:
        raise HostAway(str(exc) or type(exc).__name__) from exc
    if not line.endswith(b"\n"):
        raise HostAway("it closed the connection")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise HostRefused(answer["error"], answer.get("message", ""))
    return answer


def _connect(paths: HostPaths) -> tuple[socket.socket, str | None]:
    if not paths.uses_tcp:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect(str(paths.socket))
        except OSError:
            connection.close()
            raise
        return connection, None
    address = json.loads(paths.address.read_text())
    found = socket.create_connection(("127.0.0.1", int(address["port"])), timeout=TIMEOUT_SECONDS)
    return found, str(address["secret"])
