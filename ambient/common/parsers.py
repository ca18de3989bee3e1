"""JSON in, whatever the request's Content-Type header says."""

import io
from typing import Any

import orjson
from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from ambient.common.exceptions import MalformedRequest, TooLarge
from ambient.common.json_text import DEEPEST, depth

NUL = "\0"


def _holds_nul(value: Any) -> bool:
    """PostgreSQL cannot store U+0000 in text, so it is refused wherever it stands."""
    if isinstance(value, str):
        return NUL in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(entry) for key, entry in value.items())
    if isinstance(value, list):
        return any(_holds_nul(entry) for entry in value)
    return False


def decode(raw: bytes) -> Any:
    """One JSON value; MalformedRequest for anything else, TooLarge over the limit of the settings."""
    if len(raw) > settings.MAX_REQUEST_BYTES:
        raise TooLarge(f"The body may be at most {settings.MAX_REQUEST_BYTES} bytes")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise MalformedRequest("Invalid request format: the body is not valid JSON") from exc
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and depth(value) > DEEPEST:
        raise MalformedRequest(f"Invalid request format: the body has more than {DEEPEST} levels")
    if b"\\u0000" in raw and _holds_nul(value):
        raise MalformedRequest("Invalid request format: text may not hold the NUL character")
    return value


def decode_object(raw: bytes, *, optional: bool = False) -> dict[str, Any]:
    """A JSON object. `optional`: no body and `null` count as an empty one (actions that need no body)."""
    if optional and not raw.strip():
        return {}
    if not raw.strip():
        raise MalformedRequest("Invalid request format: the body is empty")
    value = decode(raw)
    if optional and value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedRequest("Invalid request format: the body must be a JSON object")
    return value


class AnyTypeJSONParser(BaseParser):
    """`request.data` is the decoded body, of any declared type."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return decode(stream.read())


class WireRequest(Request):
    """Reads the body as a whole: chunked bodies have no length, form types must not be taken apart."""

    @property
    def body_bytes(self) -> bytes:
        raw: bytes = self._request.body
        return raw

    def body_object(self, *, optional: bool = False) -> dict[str, Any]:
        """The body as a JSON object (see `decode_object`)."""
        return decode_object(self.body_bytes, optional=optional)

    def _load_stream(self) -> None:
        body = self.body_bytes
        self._stream = io.BytesIO(body) if body else None  # type: ignore[assignment]
