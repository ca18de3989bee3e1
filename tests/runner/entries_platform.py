"""The platform as a runner with entries needs it: tokens, status, and the session store in memory."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NOW = "2026-01-02T03:04:05Z"
SESSION = {"id": "session-1", "kind": "Session", "href": "/s", "created_at": NOW, "updated_at": NOW}
PAGE = 50


class EntriesPlatform(ThreadingHTTPServer):
    """`failures` holds status codes that answer the next calls of the store; a dropped append was stored."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.entries: dict[str, list[str]] = {}
        self.statuses: list[dict[str, Any]] = []
        self.failures: list[int | str] = []
        self.lock = threading.Lock()

    def append(self, body: dict[str, Any]) -> int | None:
        """The head after it; None for a conflict."""
        with self.lock:
            known = self.entries.setdefault(body["key"], [])
            begin, given = body["position"] - 1, body["entries"]
            overlap = known[begin : begin + len(given)]
            if begin > len(known) or overlap != given[: len(overlap)]:
                return None
            known += given[len(overlap) :]
            return len(known)


class _Calls(BaseHTTPRequestHandler):
    server: EntriesPlatform

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if self._fails():
            return
        if url.path.endswith("/sdk_keys"):
            keys = [{"key": key, "head": len(items)} for key, items in self.server.entries.items()]
            self._answer(200, {"items": keys})
            return
        query = parse_qs(url.query)
        after = int(query.get("after", ["0"])[0])
        known = self.server.entries.get(query["key"][0], [])
        page = [
            {"position": position, "entry": entry}
            for position, entry in enumerate(known[after : after + PAGE], after + 1)
        ]
        more = after + PAGE < len(known)
        self._answer(200, {"key": query["key"][0], "items": page, "more": more})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/token"):
            end = datetime.now(UTC) + timedelta(hours=1)
            self._answer(200, {"token": "session-token-0001", "expires_at": end.isoformat()})
            return
        if self._fails():
            return
        head = self.server.append(body)
        if self.server.failures[:1] == ["drop"]:
            self.server.failures.pop(0)
            self.close_connection = True
            return
        error = {"code": "6", "reason": "other entries are stored"}
        self._answer(409 if head is None else 200, error if head is None else {"head": head})

    def do_PATCH(self) -> None:
        self.server.statuses.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(200, SESSION)

    def _fails(self) -> bool:
        if not self.server.failures or self.server.failures[0] == "drop":
            return False
        self._answer(int(self.server.failures.pop(0)), {})
        return True

    def _answer(self, status: int, data: dict[str, Any]) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""
