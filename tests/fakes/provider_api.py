"""A fake of the HTTP APIs of providers, at the outside door: GitHub, GitLab, Jira, Google, OAuth, Kubernetes.

It knows one good secret each, checks signatures, and can be told to misbehave for all of its paths.
"""

import base64
import datetime
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PAT = "fake-personal-token"
EMAIL = "bot@example.org"
REFRESH = "refresh-0"


class FakeProviders:
    """Serves on 127.0.0.1.

    `fault`: a status, or one of timeout, drip the head, drip the body, garbage, redirect, huge, array.
    """

    def __init__(self) -> None:
        self.fault: Any = None
        self.life_seconds = 3600
        self.slow_seconds = 0.0
        self.asked: list[str] = []
        self.authorization: list[str] = []
        self.refresh_token = REFRESH
        self.rotates = False
        self.made: list[str] = []
        self.faults_left: int | None = None
        self.headers: dict[str, str] = {}
        self.held = threading.Event()  # set: whoever hangs is let go
        self.hung_up = threading.Event()  # somebody left while bytes still came
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                with fake._lock:
                    fake.asked.append(f"{self.command} {self.path}")
                    fake.authorization.append(self.headers.get("Authorization", ""))
                    fault = fake.fault
                    if fault is not None and fake.faults_left is not None:
                        fake.faults_left -= 1
                        if fake.faults_left < 0:
                            fault = None
                if fault == "timeout":
                    fake.held.wait(60)
                    self.close_connection = True
                    return
                if fault in ("drip the head", "drip the body"):
                    self.drip(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if fault == "drip the body" else b"X-Long: "))
                    return
                if fake.slow_seconds:
                    time.sleep(fake.slow_seconds)
                self.send(*fake.respond(fault, self.command, self.path, dict(self.headers), body))

            def drip(self, head: bytes) -> None:
                """Byte after byte, without an end, until the client has had enough."""
                self.close_connection = True
                try:
                    self.wfile.write(head)
                    while not fake.held.wait(0.02):
                        self.wfile.write(b"1")
                except OSError:
                    fake.hung_up.set()

            def send(self, status: int, body: Any, headers: dict[str, str]) -> None:
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(raw)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(raw)
                except OSError:  # a client that has had enough of a huge body
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.held.set()
        self.server.shutdown()
        self.server.server_close()

    def respond(self, fault: Any, method: str, path: str, headers: dict[str, str], body: str) -> Any:
        match fault:
            case int():
                return fault, {"message": "secret-of-the-provider"}, self.headers
            case "garbage":
                return 200, b"<html>not json", {}
            case "array":
                return 200, [], {}
            case "huge":
                return 200, b'"' + b"x" * (3 * 1024 * 1024) + b'"', {}
            case "redirect":
                return 302, {}, {"Location": f"{self.url}/elsewhere"}
        return self.route(method, path.partition("?")[0], headers, body)

    def route(self, method: str, path: str, headers: dict[str, str], body: str) -> Any:
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        good = token == PAT or token in self.made
        user = (200, {"login": "bot"}, self.headers) if good else (401, {"message": "Bad credentials"}, {})
        match (method, path):
            case ("GET", "/api/v3/user" | "/api/v4/user" | "/version"):
                return user
            case ("GET", "/api/v3/installation/repositories"):
                return user
            case ("GET", "/rest/api/3/myself"):
                basic = "Basic " + base64.b64encode(f"{EMAIL}:{PAT}".encode()).decode()
                return user if good or headers.get("Authorization") != basic else (200, {}, {})
            case ("POST", "/api/v3/app/installations/77/access_tokens"):
                return self.installation_token(token)
            case ("POST", "/token"):
                return self.grant({name: values[0] for name, values in parse_qs(body).items()})
        return 404, {}, {}

    def fresh(self) -> str:
        with self._lock:
            self.made.append(f"short-lived-{len(self.made) + 1}")
            return self.made[-1]

    def installation_token(self, assertion: str) -> Any:
        try:
            claims = jwt.decode(assertion, KEY.public_key(), algorithms=["RS256"])
        except jwt.PyJWTError:
            return 401, {"message": "A JSON web token could not be decoded"}, {}
        if claims["iss"] != "1234" or claims["exp"] - claims["iat"] > 600:
            return 401, {}, {}
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.life_seconds)
        body = {"token": self.fresh(), "expires_at": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return 201, body, {}

    def grant(self, form: dict[str, str]) -> Any:
        if form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") != self.refresh_token or form.get("client_secret") != "c-secret":
                return 400, {"error": "invalid_grant"}, {}
            body: dict[str, Any] = {"access_token": self.fresh(), "expires_in": self.life_seconds}
            if self.rotates:
                self.refresh_token = body["refresh_token"] = f"refresh-{len(self.made)}"
            return 200, body, {}
        try:
            audience = f"{self.url}/token"
            jwt.decode(form.get("assertion", ""), KEY.public_key(), algorithms=["RS256"], audience=audience)
        except jwt.PyJWTError:
            return 400, {"error": "invalid_grant"}, {}
        return 200, {"access_token": self.fresh(), "expires_in": self.life_seconds}, {}

    # Secrets that it knows

    def github_app(self, **changes: Any) -> str:
        return _json("github_app", changes, app_id=1234, installation_id=77, private_key=PEM)

    def google(self, **changes: Any) -> str:
        return _json("google_service_account", changes, **self.key_file())

    def key_file(self) -> dict[str, Any]:
        """As Google gives it out."""
        return {
            "type": "service_account",
            "client_email": EMAIL,
            "private_key_id": "k1",
            "private_key": PEM,
            "token_uri": f"{self.url}/token",
        }

    def oauth(self, **changes: Any) -> str:
        known = {"client_id": "c", "client_secret": "c-secret", "refresh_token": REFRESH}
        return _json("oauth_refresh", changes, token_url=f"{self.url}/token", **known)

    def kubeconfig(self, token: str | None = PAT, **cluster: Any) -> str:
        return json.dumps(
            {
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": self.url, **cluster}}],
                "users": [{"name": "u", "user": {"token": token} if token else {"exec": {"command": "id"}}}],
            }
        )


def _json(kind: str, changes: dict[str, Any], **members: Any) -> str:
    """A secret; a change to None takes the member away."""
    document = {"ambient_type": kind, **members, **changes}
    return json.dumps({name: value for name, value in document.items() if value is not None})
