"""A Git server over HTTP with basic authentication: `git http-backend` behind a small CGI server."""

import base64
import contextlib
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

TOKEN = "hush-the-git-token-0123456789"


class FakeGitServer:
    """Serves the bare repositories of a folder to who shows the token; `users` are the names it came with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = TOKEN
        self.users: list[str] = []
        self.refused = 0
        self.seen_outside: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                user, _, password = self.shown().partition(":")
                if password != fake.token:
                    fake.refused += 1
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.end_headers()
                    return
                fake.users.append(user)
                fake.seen_outside += shown_by_processes(fake.token)
                self.answer()

            do_POST = do_GET

            def shown(self) -> str:
                kind, _, coded = self.headers.get("Authorization", "").partition(" ")
                return base64.b64decode(coded).decode() if kind == "Basic" else ""

            def answer(self) -> None:
                address = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                done = subprocess.run(
                    ["git", "http-backend"],
                    input=body,
                    capture_output=True,
                    check=False,
                    env={
                        "PATH": os.environ["PATH"],
                        "GIT_PROJECT_ROOT": str(fake.folder),
                        "GIT_HTTP_EXPORT_ALL": "1",
                        "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                        "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                        "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                        "CONTENT_LENGTH": str(len(body)),
                        "PATH_INFO": address.path,
                        "QUERY_STRING": address.query,
                        "REQUEST_METHOD": self.command,
                        "REMOTE_USER": "somebody",  # who may push
                        "REMOTE_ADDR": "127.0.0.1",
                    },
                )
                head, _, content = done.stdout.partition(b"\r\n\r\n")
                headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
                self.send_response(int(headers.pop("Status", "200").split()[0]))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def make(self, name: str) -> str:
        """A repository with one commit; returns its address."""
        bare, work = self.folder / name, self.folder / f"{name}.work"
        own = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        for command in (
            ["init", "-q", "--bare", "-b", "main", str(bare)],
            ["init", "-q", "-b", "main", str(work)],
            ["-C", str(work), *own, "commit", "-q", "--allow-empty", "-m", "The private one"],
            ["-C", str(work), "push", "-q", str(bare), "main"],
        ):
            subprocess.run(["git", *command], check=True, capture_output=True)
        return f"{self.url}/{name}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def shown_by_processes(text: str) -> list[str]:
    """Command lines and environments on this machine that hold a text; for anybody to read in /proc."""
    found = []
    for name in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{name}"):
            with contextlib.suppress(OSError):
                if text.encode() in path.read_bytes():
                    found.append(str(path))
    return found
