"""The client's connection below the ASGI server: how much it has not taken, and ending it."""

import fcntl
import os
import socket
import struct
import termios
from dataclasses import dataclass
from typing import Any

KEY = "ambient.transport"


def note_transport(scope: dict[str, Any], send: Any) -> None:
    """Remember the server's transport of this connection in the scope (uvicorn's `send` is its method)."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        scope[KEY] = transport


@dataclass(frozen=True)
class ClientConnection:
    """Only what the checks of stalled watchers need."""

    transport: Any

    @classmethod
    def of(cls, scope: Any) -> "ClientConnection | None":
        """The connection of a request or websocket, if the server shows it."""
        transport = scope.get(KEY)
        return None if transport is None else cls(transport)

    def backlog(self) -> int:
        """Bytes that the client has not taken: in our buffer and in the kernel's."""
        waiting = int(self.transport.get_write_buffer_size())
        found = self.transport.get_extra_info("socket")
        if found is not None and found.fileno() >= 0:
            raw = fcntl.ioctl(found.fileno(), termios.TIOCOUTQ, b"\0" * 4)
            waiting += struct.unpack("i", raw)[0]
        return waiting

    def abort(self) -> None:
        """Drop the connection and all that is still on its way, in our buffer and in the kernel's.

        A client that reads nothing cannot be said goodbye to, and would hold megabytes for minutes.
        """
        found = self.transport.get_extra_info("socket")
        if found is not None and found.fileno() >= 0:
            with socket.socket(fileno=os.dup(found.fileno())) as same:  # uvloop's own takes no options
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
