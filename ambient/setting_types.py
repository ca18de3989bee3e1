"""What a setting's text may be: pure parsers. A ValueError says what is wrong and never quotes a secret."""

import base64
import ipaddress
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

LEAST_KEY_LENGTH = 32
KEY_BYTES = 32  # AES-256
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
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


def origins(raw: str) -> list[str]:
    """Scheme, host and perhaps port (RFC 6454), comma separated; no `*`."""
    return [origin(name) for name in names(raw)]


def origin(raw: str) -> str:
    """One of them."""
    if not _ORIGIN.fullmatch(raw):
        raise ValueError(f"{raw!r} is not of the form https://HOST or https://HOST:PORT")
    return raw


def networks(raw: str) -> list[str]:
    """Addresses or networks (CIDR), comma separated."""
    found = names(raw)
    for name in found:
        try:
            ipaddress.ip_network(name)
        except ValueError as exc:
            raise ValueError(f"{name[:60]!r} is no address and no network like 10.0.0.0/8") from exc
    return found


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


def switch(raw: str) -> bool:
    """`on` or `off`."""
    return OneOf("on", "off")(raw) == "on"


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


class Secret(str):
    """A text that is not shown when something that holds it is; what needs it uses it as any text."""

    def __repr__(self) -> str:
        return "<secret>"


class KeyBytes(bytes):
    """A key that is not shown when something that holds it is."""

    def __repr__(self) -> str:
        return "<key>"

    __str__ = __repr__


def keyring(raw: str) -> dict[int, KeyBytes]:
    """Keys by version: `{"1": "BASE64 OF 32 BYTES", ...}`."""
    form = '{"1": "<base64 of 32 bytes>", ...}'
    try:
        pairs = json.loads(raw, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):  # not chained: the exception holds the whole text
        pairs = None
    if not isinstance(pairs, _Pairs) or not pairs:
        raise ValueError(f"not JSON of the form {form}")
    ring: dict[int, KeyBytes] = {}
    for name, text in pairs:
        if not _VERSION.fullmatch(name):
            raise ValueError("a version in it is not a whole number from 1 up (without zeros in front)")
        if int(name) in ring:
            raise ValueError(f"version {name} is in it twice")
        found = _key_bytes(text)
        if found is None:
            raise ValueError(f"version {name} is not the base64 of {KEY_BYTES} bytes")
        if found in ring.values():
            raise ValueError(f"version {name} has the key of another version")
        ring[int(name)] = found
    return ring


def key_version(raw: str) -> int:
    """Which of them seals."""
    if not _VERSION.fullmatch(raw.strip()):  # not quoted: it may be a key in the wrong place
        raise ValueError("not a whole number from 1 up")
    return int(raw)


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it was written, names that come twice included."""


def _key_bytes(text: object) -> KeyBytes | None:
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return None
    return KeyBytes(raw) if len(raw) == KEY_BYTES else None


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
