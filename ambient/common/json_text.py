"""JSON inside texts, as clients send it: kept byte for byte, so it may be anything, and is read with care."""

import json
import re
from typing import Any

import orjson

DEEPEST = 100
"""Levels of what is written again, and of a request's body; writing deeper ones can fail."""


def parsed(text: str | None, default: Any = None) -> Any:
    """The value of a JSON text; the default for what is empty, no JSON, or nested too deeply to read."""
    try:
        return json.loads(text) if text else default
    except (ValueError, RecursionError):
        return default


_SPACE = re.compile(r"[ \t\n\r]*")


def members(text: str) -> dict[str, str] | None:
    """Each key of a JSON object with its value as it is written (`1e5` stays so); None for anything else."""
    if not isinstance(parsed(text), dict):
        return None
    decoder, found = json.JSONDecoder(), {}

    def skip(at: int) -> int:
        return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too

    at = skip(text.index("{") + 1)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        start = skip(skip(at) + 1)  # behind the colon
        _, end = decoder.raw_decode(text, start)
        found[key] = text[start:end]
        at = skip(end)
        if text[at] == ",":
            at = skip(at + 1)
    return found


def strict_object(text: str | None) -> dict[str, Any] | None:
    """The object of a JSON text, if JSONB can store it and an answer can hold it.

    Not with a NUL, a lone surrogate, NaN, an endless number or hundreds of levels.
    """
    if not text or "\\u0000" in text:
        return None
    try:
        value = orjson.loads(text)  # stricter than the standard library, as JSONB is
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None
    return value if isinstance(value, dict) and depth(value) <= DEEPEST else None


def depth(value: Any) -> int:
    """Levels of arrays and objects, counted without recursion."""
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        entry, level = waiting.pop()
        if isinstance(entry, dict | list):
            deepest = max(deepest, level)
            inner = entry.values() if isinstance(entry, dict) else entry
            waiting += [(child, level + 1) for child in inner]
    return deepest
