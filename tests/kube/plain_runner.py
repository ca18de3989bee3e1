"""A plain AG-UI agent like that of the operator's image: no nonce, no numbered events, a token of its own.

Runs in a pod of the fake node, so it needs the standard library only. Told `wait` it works until it is
interrupted, told `wait deaf` until nobody listens any more.
"""

import hmac
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = os.environ["AGUI_TOKEN"]
INTERRUPTED = threading.Event()


class Handler(BaseHTTPRequestHandler):
    """GET /health for everybody; POST / says back what it was told, to whoever has the token."""

    def do_GET(self) -> None:
        if self.path.split("?")[0] == "/health":
            self._answer(200, {"status": "healthy", "session_id": os.environ["SESSION_ID"]})
        elif self._authorised():
            if self.path == "/capabilities":
                self._answer(200, {"framework": "plain"})
            else:
                self._answer(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if not self._authorised():
            return
        if self.path == "/interrupt":
            INTERRUPTED.set()
            self._answer(200, {"message": "Interrupt signal sent"})
            return
        if self.path != "/":
            self._answer(404, {"detail": "Not Found"})
            return
        ids = {"threadId": body["threadId"], "runId": body["runId"]}
        heard = body["messages"][-1]["content"]
        text = f"plain runner heard: {heard}"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        INTERRUPTED.clear()
        self._send({"type": "RUN_STARTED", **ids})
        if heard.startswith("wait"):
            self._wait(deaf=heard == "wait deaf")
        for event in (
            {"type": "TEXT_MESSAGE_START", "messageId": "m-" + body["runId"], "role": "assistant"},
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m-" + body["runId"], "delta": text},
            {"type": "TEXT_MESSAGE_END", "messageId": "m-" + body["runId"]},
            {"type": "RUN_FINISHED", **ids},
        ):
            self._send(event)

    def _send(self, event: dict[str, str]) -> None:
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

    def _wait(self, deaf: bool) -> None:
        while deaf or not INTERRUPTED.is_set():
            self.wfile.write(b": works\n\n")  # fails when nobody listens
            time.sleep(0.1)

    def _authorised(self) -> bool:
        if hmac.compare_digest(self.headers.get("X-Ambient-Session-Token") or "", TOKEN):
            return True
        self._answer(401, {"detail": "Unauthorized"})
        return False

    def _answer(self, status: int, body: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    ThreadingHTTPServer((os.environ["POD_IP"], 8001), Handler).serve_forever()
