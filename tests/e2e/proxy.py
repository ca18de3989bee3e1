"""A TCP proxy before PostgreSQL that cuts one commit's reply: done there, never heard of here."""

import socket
import threading
from urllib.parse import parse_qs, urlsplit, urlunsplit

IDLE = b"Z\x00\x00\x00\x05I"  # ReadyForQuery outside a transaction: whatever was sent is committed
READ_BYTES = 65536


class ReplyCutter:
    """Passes everything on, but after the first request with the needle drops the commit's reply and cuts."""

    def __init__(self, url: str, needle: bytes) -> None:
        parts = urlsplit(url)
        folder = parse_qs(parts.query).get("host", [""])[0]
        self._upstream = f"{folder}/.s.PGSQL.5432" if folder else (parts.hostname, parts.port)
        self._needle = needle
        self._lock = threading.Lock()
        self._armed = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        login = f"{parts.username}:{parts.password}@" if parts.password else ""
        address = f"{login}127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit((parts.scheme, address, parts.path, "sslmode=disable", ""))
        self.cuts = 0

    def __enter__(self) -> "ReplyCutter":
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        _cut(self._listener)
        self._listener.close()

    def _connect(self) -> socket.socket:
        kind = socket.AF_UNIX if isinstance(self._upstream, str) else socket.AF_INET
        upstream = socket.socket(kind)
        try:
            upstream.connect(self._upstream)
        except OSError:
            upstream.close()
            raise
        return upstream

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                pair = (client, self._connect())
            except OSError:  # the server is away
                client.close()
                continue
            threading.Thread(target=self._serve, args=pair, name="proxy connection", daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        marked = threading.Event()
        with client, server:
            requests = threading.Thread(target=self._requests, args=(client, server, marked), daemon=True)
            requests.start()
            self._replies(client, server, marked)
            requests.join()

    def _requests(self, client: socket.socket, server: socket.socket, marked: threading.Event) -> None:
        while data := _read(client):
            with self._lock:
                if self._armed and self._needle in data:
                    self._armed = False
                    marked.set()
            if not _write(server, data):
                break
        _cut(client, server)

    def _replies(self, client: socket.socket, server: socket.socket, marked: threading.Event) -> None:
        while data := _read(server):
            if marked.is_set() and data.endswith(IDLE):
                self.cuts += 1
                break
            if not _write(client, data):
                break
        _cut(client, server)


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(READ_BYTES)
    except OSError:
        return b""


def _write(connection: socket.socket, data: bytes) -> bool:
    try:
        connection.sendall(data)
    except OSError:
        return False
    return True


def _cut(*connections: socket.socket) -> None:
    for connection in connections:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:  # cut from the other side
            continue
