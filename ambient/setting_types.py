"""What a setting's text may be: pure parsers. A ValueError says what is wrong and never quotes a secret."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

LEAST_KEY_LENGTH = 32
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")


class OneOf:
    """A closed set of values."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed

    def __call__(self, raw: str) -> str:
        if raw not in self.allowed:
            raise ValueError(f"{raw!r} is not one of: {', '.join(self.allowed)}")
        return raw


def names(raw: str) -> list[str]:
    """Comma separated."""
    return [name.strip() for name in raw.split(",") if name.strip()]


def path(raw: str) -> Path:
    """An absolute path; `~` is the user's home."""
    return Path(raw).expanduser().resolve()


def whole(least: int) -> Callable[[str], int]:
    """A whole number that is not too small."""

    def parse(raw: str) -> int:
        if not raw.strip().isdecimal() or int(raw) < least:
            raise ValueError(f"{raw!r} is not a whole number from {least} up")
        return int(raw)

    return parse


def seconds(raw: str) -> float:
    """A time above zero."""
    try:
        number = float(raw)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{raw!r} is not a number of seconds above 0")
    return number


def key(raw: str) -> str:
    """A secret that cannot be guessed."""
    if len(raw) < LEAST_KEY_LENGTH:
        raise ValueError(f"the key has fewer than {LEAST_KEY_LENGTH} characters")
    return raw


def keys(raw: str) -> list[str]:
    """Several of them, newest first."""
    found = [key(name) for name in names(raw)]
    if not found:
        raise ValueError("there is no key in it")
    return found


def database_url(raw: str) -> str:
    """Where PostgreSQL is."""
    form = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    if not _is_url(raw, "postgresql", "postgres") or not urlsplit(raw).path.strip("/"):
        raise ValueError(f"not of the form {form}, with special characters percent-encoded")
    return raw


def redis_url(raw: str) -> str:
    """Where the Redis protocol server is."""
    number = urlsplit(raw).path.strip("/") if _is_url(raw, "redis", "rediss") else "none"
    if number and not number.isdecimal():
        form = "redis://:PASSWORD@HOST:6379/0"
        raise ValueError(f"not of the form {form}, with special characters percent-encoded")
    return raw


def _is_url(raw: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(raw)
        port = parts.port  # raises for one that is no number, and would quote it
    except ValueError:
        return False
    if _BAD_PERCENT.search(raw):  # drivers would quote the part that it is in
        return False
    host = parts.hostname or parse_qs(parts.query).get("host")
    return parts.scheme in schemes and bool(host) and port != 0
