"""The part of a kubelet's own API that serves logs: what `kubectl logs` reads through the API server."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.kube.pki import Authority

FOLLOW_SECONDS = 0.1
Find = Callable[[str, str, str, bool], Path]  # namespace, pod, container, previous -> file


class LogServer:
    """Serves `/containerLogs/NAMESPACE/POD/CONTAINER` to those whom the cluster's authority has signed."""

    def __init__(self, address: str, authority: Authority, user: str, find: Find) -> None:
        class Handler(_Handler):
            find_log = staticmethod(find)

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority.certificate)
        authority.issue(user, addresses=[address]).load_into(context)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    find_log: Find

    def do_GET(self) -> None:
        """Answer with the text of one log, and with what comes after it if the caller stays."""
        parts = urlsplit(self.path)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            _, kind, namespace, pod, container = parts.path.split("/")
            path = self.find_log(namespace, pod, container, options.get("previous") == "true")
            data = tail(path.read_bytes(), options)
        except (ValueError, LookupError, StopIteration, FileNotFoundError):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(data)
        if options.get("follow") == "true":
            for more in _following(path):
                self.wfile.write(more)

    def log_message(self, format: str, *arguments: object) -> None:
        """Who asks is not interesting."""


def tail(data: bytes, options: dict[str, str]) -> bytes:
    """The part of a log that is asked for."""
    if "tailLines" in options:
        lines = data.splitlines(keepends=True)
        data = b"".join(lines[len(lines) - min(int(options["tailLines"]), len(lines)) :])
    return data[: int(options["limitBytes"])] if "limitBytes" in options else data


def _following(path: Path) -> Iterator[bytes]:
    """What is written after now, until the pod and its log are gone."""
    with path.open("rb") as file:
        file.seek(0, 2)
        while path.exists():
            if data := file.read():
                yield data
            else:
                time.sleep(FOLLOW_SECONDS)
