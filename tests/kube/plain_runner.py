"""A plain AG-UI agent like that of the operator's image: no nonce, no numbered events, a token of its own.

Runs in a pod of the fake node, so it needs the standard library only.
"""

import hmac
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = os.environ["AGUI_TOKEN"]


class Handler(BaseHTTPRequestHandler):
    """GET /health for everybody; POST / says back what it was told, to whoever has the token."""

    def do_GET(self) -> None:
        if self.path.split("?")[0] == "/health":
            return self._answer(200, {"status": "healthy", "session_id": os.environ["SESSION_ID"]})
        return self._authorised() and self._answer(200, {"framework": "plain"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if not self._authorised():
            return
        if self.path != "/":
            self._answer(404, {"detail": "Not Found"})
            return
        ids = {"threadId": body["threadId"], "runId": body["runId"]}
        text = f"plain runner heard: {body['messages'][-1]['content']}"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for event in (
            {"type": "RUN_STARTED", **ids},
            {"type": "TEXT_MESSAGE_START", "messageId": "m-" + body["runId"], "role": "assistant"},
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m-" + body["runId"], "delta": text},
            {"type": "TEXT_MESSAGE_END", "messageId": "m-" + body["runId"]},
            {"type": "RUN_FINISHED", **ids},
        ):
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

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
