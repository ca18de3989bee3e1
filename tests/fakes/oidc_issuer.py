"""An OpenID Connect issuer under the test's control: its documents over HTTP, and any token."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "ambient"


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class FakeIssuer:
    """Serves discovery and JWKS on 127.0.0.1. `away`: every request breaks."""

    def __init__(self) -> None:
        self.keys = {"first": rsa_key()}
        self.extra_keys: list[dict[str, Any]] = []
        self.away = False
        self.documents: dict[str, Any] = {}
        self.asked: list[str] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                if issuer.away:
                    self.send_error(503)
                    return
                document = issuer.document(self.path)
                body = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(200 if document is not None else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                issuer.asked.append(self.path)
                text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                if issuer.away:
                    self.send_error(503)
                    return
                status, answer = issuer.answer(self.path, dict(parse_qsl(text)), self.headers)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def document(self, path: str) -> Any:
        if path in self.documents:
            return self.documents[path]
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        if path == "/jwks":
            return {"keys": [self.jwk(kid) for kid in self.keys] + self.extra_keys}
        return None

    def answer(self, path: str, form: dict[str, str], headers: Any) -> tuple[int, Any]:
        """Status and body for a POST; an issuer that is no whole provider has nothing to post to."""
        return 404, {}

    def jwk(self, kid: str) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.keys[kid].public_key(), as_dict=True)
        return {**public, "kid": kid, "use": "sig", "alg": "RS256"}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims of alice; a change to None takes the claim away."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "subject-1",
            "azp": "cli",
            "iat": now,
            "exp": now + 300,
            "preferred_username": "alice",
            "name": "Alice Example",
            "email": "alice@example.org",
        } | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        *,
        kid: str | None = "first",
        key: Any = None,
        alg: str = "RS256",
        header: Any = None,
        **changes: Any,
    ) -> str:
        """A token signed as asked."""
        headers = ({} if kid is None else {"kid": kid}) | (header or {})
        signing = key if key is not None else self.keys[kid or "first"]
        payload = json.dumps(self.claims(**changes)).encode()  # below jwt.encode, which makes no wrong claims
        return jwt.PyJWS().encode(payload, signing, algorithm=alg, headers=headers)
