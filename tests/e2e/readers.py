"""Readers that behave badly or are many: one that hardly reads, one that never does, some that only count."""

import asyncio
import contextlib
import json
import re
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.system import START_SECONDS, V1, eventually

SMALL_WINDOW = 4096
WIDE_WINDOW = 4 * 1024 * 1024
READ_BYTES = 256 * 1024
SLOW_SECONDS = 0.5
ID = re.compile(rb"^id: (\d+)$", re.M)
DATA = re.compile(rb"^data: (\{.*\})$", re.M)


def request_bytes(base: str, session: str, token: str) -> bytes:
    """The request of all events of a session."""
    host = urlsplit(base).netloc
    path = f"{V1}/sessions/{session}/agui/events"
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    return head.encode()


class Deaf:
    """Asks for the events on a small window and never reads any."""

    def __init__(self, base: str, session: str, token: str) -> None:
        parts = urlsplit(base)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
        self._socket.connect((parts.hostname, parts.port))
        self._socket.sendall(request_bytes(base, session, token))

    def rest(self) -> bytes:
        """Everything that the server still lets it have, once the connection has ended."""
        parts = []
        self._socket.settimeout(START_SECONDS)
        with contextlib.suppress(ConnectionResetError):
            while part := self._socket.recv(READ_BYTES):
                parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Leave."""
        self._socket.close()


class Slow(Deaf):
    """Takes one byte now and then, until it is told to hurry."""

    def __init__(self, base: str, session: str, token: str) -> None:
        super().__init__(base, session, token)
        self._hurry = threading.Event()
        self._body = bytearray()
        self._thread = threading.Thread(target=self._read, name="slow reader", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while part := self._socket.recv(READ_BYTES if self._hurry.is_set() else 1):
                self._body += part
                self._hurry.wait(SLOW_SECONDS)

    def hurry(self) -> None:
        """Read as fast as it comes.

        With the small window the kernel goes on by its persist timer, 2 kB in 200 ms: no server helps that.
        """
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WIDE_WINDOW)
        self._hurry.set()

    @property
    def seen(self) -> list[tuple[int, dict[str, Any]]]:
        """(id, event) of what was read, without the marks of the chunked transfer."""
        text = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", bytes(self._body))
        ids, events = ID.findall(text), DATA.findall(text)
        return [(int(number), json.loads(event)) for number, event in zip(ids, events, strict=False)]

    def wait_end(self, event: str, seconds: float) -> list[tuple[int, dict[str, Any]]]:
        """Everything, once an event of this type was read."""
        eventually(lambda: event.encode() in self._body[-4096:], f"{event} in the slow reader", seconds)
        time.sleep(SLOW_SECONDS)  # the rest of its line
        return self.seen


class Counter:
    """Only counts events and looks whether their numbers are 1, 2, 3, ..."""

    def __init__(self) -> None:
        self.last = 0
        self.events = 0
        self.in_order = True
        self.problem = ""

    async def read(self, base: str, session: str, token: str) -> None:
        """Read until cancelled."""
        parts = urlsplit(base)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(request_bytes(base, session, token))
            rest = b""
            while part := await reader.read(READ_BYTES):
                lines, newline, rest = (rest + part).rpartition(b"\n")
                self._count(lines + newline)
            self.problem = f"the stream ended after {self.last}"
        finally:
            writer.close()

    def _count(self, text: bytes) -> None:
        for number in ID.findall(text):
            self.in_order = self.in_order and int(number) == self.last + 1
            self.last = int(number)
            self.events += 1
