"""A bound on request bodies before Django reads them: it would keep the whole of any body first."""

from typing import Any

from django.conf import settings

from ambient.common.errors import API_PREFIX, error_body
from ambient.common.exceptions import TooLarge
from ambient.common.ksuid import ksuid
from ambient.common.renderers import dumps


def declared_size(scope: Any) -> int:
    """`Content-Length`; 0 where there is none."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:18])
    return 0


class BodyLimit:
    """Answers 413 to a body over `DATA_UPLOAD_MAX_MEMORY_SIZE`, at once where its size is declared."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        limit = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
        if declared_size(scope) > limit:
            await _refuse(scope, send, limit)
            return
        size = 0

        async def bounded() -> Any:
            nonlocal size
            message = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                if size > limit:  # Django lets go of what it has, as when a client leaves
                    return {"type": "http.disconnect"}
            return message

        await self.app(scope, bounded, send)
        if size > limit:
            await _refuse(scope, send, limit)


async def _refuse(scope: Any, send: Any, limit: int) -> None:
    error, operation = TooLarge(f"The body may be at most {limit} bytes"), ksuid()
    is_api = scope["path"].startswith(API_PREFIX)
    body = dumps(error_body(error, operation)) if is_api else f"{error.reason}\n".encode()
    headers = [
        (b"content-type", b"application/json" if is_api else b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-operation-id", operation.encode()),
        (b"connection", b"close"),  # the rest of the body is not read
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
