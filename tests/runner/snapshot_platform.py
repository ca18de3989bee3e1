"""The platform and its bucket as a runner that saves its files needs them: tokens, addresses, objects."""

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOW = "2026-01-02T03:04:05Z"
SESSION = {"id": "session-1", "kind": "Session", "href": "/s", "created_at": NOW, "updated_at": NOW}


@dataclass
class Saved:
    """One snapshot; it counts when it is complete."""

    size: int
    sha256: str
    data: bytes | None = None
    complete: bool = False


class SnapshotPlatform(ThreadingHTTPServer):
    """`bucket_failures` are statuses for the next calls of the bucket. Not `wanted`: no token any more but
    one to save with, and the one that there is does for snapshots only. Not `reachable`: reports wait.
    `tokens_ended`: of so many snapshots to come the token is good no more, until it is renewed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.snapshots: dict[str, Saved] = {}
        self.failed: list[str] = []
        self.statuses: list[dict[str, Any]] = []
        self.bucket_failures: list[int] = []
        self.token_seconds = 3600.0
        self.tokens_refused = self.reports_refused = 0
        self.wanted = True
        self.reachable = True
        self.bucket_seconds = 0.0
        self.tokens_ended = 0
        self.lock = threading.Lock()

    @property
    def complete(self) -> list[Saved]:
        return [saved for saved in self.snapshots.values() if saved.complete]

    def keep(self, data: bytes, **changes: Any) -> Saved:
        """Have this as the newest snapshot."""
        fields = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "data": data} | changes
        saved = Saved(**fields, complete=True)
        self.snapshots[str(len(self.snapshots) + 1)] = saved
        return saved

    def conditions(self) -> list[dict[str, str]]:
        """All that were reported."""
        texts = [status["conditions"] for status in self.statuses if "conditions" in status]
        return [condition for text in texts for condition in json.loads(text)]


class _Calls(BaseHTTPRequestHandler):
    server: SnapshotPlatform

    def do_GET(self) -> None:
        if self.path.startswith("/bucket/"):
            self._object()
            return
        newest = [(name, saved) for name, saved in self.server.snapshots.items() if saved.complete][-1:]
        for name, saved in newest:
            self._answer(200, {"snapshot": self._address(name) | self._of(saved) | {"saved_at": NOW}})
            return
        self._answer(200, {"snapshot": None})

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.bucket_seconds)
        if self._fails():
            return
        self.server.snapshots[self.path.rpartition("/")[2]].data = data
        self._answer(200, {})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        if self.path.endswith("/token"):
            self._token(body)
        elif self.path.endswith("/failed"):
            self.server.failed.append(body["message"])
            self._answer(204, None)
        elif self.path.endswith("/complete"):
            name = self.path.split("/")[-2]
            saved = self.server.snapshots[name]
            saved.complete = saved.data is not None and len(saved.data) == saved.size
            self._answer(200, {"id": name, "saved_at": NOW})
        elif self.server.tokens_ended:
            self.server.tokens_ended -= 1
            self._answer(401, {"code": "15", "reason": "the session token has expired"})
        else:
            with self.server.lock:
                name = str(len(self.server.snapshots) + 1)
                self.server.snapshots[name] = Saved(body["size"], body["sha256"])
            self._answer(200, self._address(name) | {"headers": {"Content-Length": str(body["size"])}})

    def do_PATCH(self) -> None:
        status = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.wanted:
            self.server.reports_refused += 1
            self._answer(401, {"code": "15", "reason": "the session is stopped"})
        elif not self.server.reachable:
            self._answer(503, {})
        else:
            self.server.statuses.append(status)
            self._answer(200, SESSION)

    def _token(self, body: dict[str, Any]) -> None:
        if not self.server.wanted and body.get("purpose") != "save":
            self.server.tokens_refused += 1
            self._answer(403, {"code": "4", "reason": "the session is stopped"})
            return
        end = datetime.now(UTC) + timedelta(seconds=self.server.token_seconds)
        self._answer(200, {"token": "session-token-0001", "expires_at": end.isoformat()})

    def _object(self) -> None:
        if self._fails():
            return
        saved = self.server.snapshots.get(self.path.rpartition("/")[2])
        if saved is None or saved.data is None:
            self._answer(404, {})
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(saved.data)))
        self.end_headers()
        self.wfile.write(saved.data)

    def _fails(self) -> bool:
        if not self.server.bucket_failures:
            return False
        self._answer(self.server.bucket_failures.pop(0), {})
        return True

    def _address(self, name: str) -> dict[str, str]:
        return {"id": name, "url": f"{self.server.url}/bucket/{name}", "expires_at": NOW}

    @staticmethod
    def _of(saved: Saved) -> dict[str, Any]:
        return {"size": saved.size, "sha256": saved.sha256}

    def _answer(self, status: int, body: Any) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *arguments: Any) -> None:
        """Not here."""
