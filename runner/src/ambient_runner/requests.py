"""Reading requests: bounded bodies, and refusals that name what is wrong."""

import json
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from ambient_runner.runs import Refused

MAX_BODY = 32 * 1024 * 1024


def bad(reason: str, detail: str, status: int = 400) -> Refused:
    """A request that is wrong in itself."""
    return Refused(status, reason, detail)


def header_number(request: Request, name: str) -> int | None:
    """A header that must be a whole number when it is there."""
    text = request.headers.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise bad("BadHeader", f"{name} must be a whole number")
    return int(text)


async def body_of(request: Request) -> bytes:
    """The request's body, bounded."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY:
                raise bad("BodyTooLarge", f"the body is over {MAX_BODY} bytes", 413)
            parts.append(part)
    except ClientDisconnect as exc:
        raise bad("Disconnected", "the caller left before its body was complete") from exc
    return b"".join(parts)


async def object_of(request: Request) -> dict[str, Any]:
    """The request's body as a JSON object; empty is an empty object."""
    body = await body_of(request)
    try:
        data = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as exc:
        raise bad("BadJson", "the body is not JSON") from exc
    if not isinstance(data, dict):
        raise bad("BadJson", "the body must be a JSON object")
    return data


def text_of(data: dict[str, Any], name: str, *, required: bool = True) -> str | None:
    """A text field of a body."""
    value = data.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not value:
        raise bad("BadField", f"{name} must be a text")
    return value
