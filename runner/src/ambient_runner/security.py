"""Who may talk to this process, and how it proves who it is."""

import hashlib
import hmac

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

TOKEN_HEADER = b"x-ambient-session-token"
OPEN_PATH = "/health"
MAX_NONCE = 128


def _hmac_hex(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def session_token(secret: str) -> str:
    """The header value that callers of this runner must send."""
    return _hmac_hex(secret, "agui")


def health_proof(secret: str, *, session_id: str, generation: int, instance: str, nonce: str) -> str:
    """Proof that this process holds the session's runner secret, bound to the caller's nonce."""
    return _hmac_hex(secret, f"{session_id}:{generation}:{instance}:{nonce}")


class RequireToken:
    """Refuses every request without the session's token, except the health check."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == OPEN_PATH:
            await self.app(scope, receive, send)
            return
        sent = [value for name, value in scope["headers"] if name == TOKEN_HEADER]
        if len(sent) == 1 and hmac.compare_digest(sent[0], self.token):
            await self.app(scope, receive, send)
            return
        refusal = JSONResponse({"detail": "Unauthorized", "reason": "Unauthorized"}, status_code=401)
        await refusal(scope, receive, send)
