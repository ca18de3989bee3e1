"""Keeps secrets out of events and logs, also when one is split over several deltas."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

MASK = "[redacted]"
MIN_SECRET = 6
LONGEST_TOKEN = 512

SECRET_NAME = re.compile(
    r"(TOKEN|SECRET|PASSW|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE|CREDENTIAL|_KEY$|_PAT$|_DSN$|AUTH(?!OR(?!I)))",
    re.IGNORECASE,
)
TOKEN_PREFIXES = tuple(
    "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- sk-ant- sk-proj- xoxb- xoxp- AKIA AIza lsv2_ sk-lf-".split()
)
_PREFIXES = "|".join(re.escape(prefix) for prefix in TOKEN_PREFIXES)
_TOKEN = rf"(?<![A-Za-z0-9])(?:{_PREFIXES})[A-Za-z0-9_\-]{{12,{LONGEST_TOKEN}}}"
_TOKEN_TAIL = re.compile(rf"(?<![A-Za-z0-9])(?:{_PREFIXES})[A-Za-z0-9_\-]{{0,{LONGEST_TOKEN}}}$")
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/\s@\"']+@")

# Identifiers and enumerations of the protocol: changing them would break the stream.
PLAIN_KEYS = frozenset(
    "type id role messageId toolCallId parentMessageId runId threadId parentRunId subagentRunId "
    "parentSubagentRunId parentToolCallId interruptId toolCallName stepName entityId op path from "
    "protocolVersion".split()
)
# Under these keys the same words mean what the agent or a client says they mean.
FREE_KEYS = frozenset(
    "snapshot value rawEvent event payload result forwardedProps state metadata content parameters".split()
)


def secret_values(environment: Mapping[str, str]) -> set[str]:
    """Values of variables whose name says that they are secret."""
    return {value for name, value in environment.items() if SECRET_NAME.search(name)}


def url_secrets(url: str) -> set[str]:
    """The password of a URL, or its user when that is all there is (a token)."""
    try:
        parts = urlsplit(url)
        found = parts.password or (parts.username if parts.scheme in {"http", "https"} else None)
    except ValueError:
        return set()
    return {found, unquote(found)} if found else set()


def server_secrets(servers: Mapping[str, Any]) -> set[str]:
    """What MCP servers get under secret names: in their environment, headers (`Bearer TOKEN`) and URL."""
    found: set[str] = set()
    for server in servers.values():
        if isinstance(server, dict):
            for part in ("env", "headers"):
                given = server.get(part)
                texts = secret_values(_texts(given)) if isinstance(given, dict) else set()
                found |= texts | {text.rpartition(" ")[2] for text in texts}
            found |= url_secrets(str(server.get("url") or ""))
    return found


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in found.items() if isinstance(value, str)}


def strip_credentials(text: str) -> str:
    """The text with the user part of every URL taken out."""
    return _URL_CREDENTIALS.sub("", text)


class Redactor:
    """Replaces known secret values and well-known token shapes in any text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Also hide these values, as they are and as JSON writes them; too short ones are left out."""
        for secret in secrets:
            if len(secret) >= MIN_SECRET:
                self._secrets |= {secret, json.dumps(secret)[1:-1]}
        longest_first = sorted(self._secrets, key=lambda secret: (-len(secret), secret))
        self._pattern = re.compile("|".join([*map(re.escape, longest_first), _TOKEN]))
        self._first_letters = {secret[0] for secret in self._secrets} | {
            prefix[0] for prefix in TOKEN_PREFIXES
        }
        self._longest = max(map(len, [*self._secrets, *TOKEN_PREFIXES]))

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(MASK, text)

    def value(self, value: Any, *, free: bool = False) -> Any:
        """The same structure without secrets; identifiers stay, except in parts of free shape."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self._item(str(key), item, free) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item, free=free) for item in value]
        return value

    def _item(self, key: str, item: Any, free: bool) -> Any:
        if isinstance(item, str) and key in PLAIN_KEYS and not free:
            return item
        return self.value(item, free=free or key in FREE_KEYS)

    def unfinished(self, text: str) -> int:
        """Where an end of the text begins that could be the beginning of a secret, else its length."""
        size = len(text)
        begin = max(0, size - LONGEST_TOKEN - 16)
        token = _TOKEN_TAIL.search(text, begin)
        held = token.start() if token else size
        for start in range(max(0, size - self._longest), held):
            if text[start] in self._first_letters and self._may_grow(text, start):
                held = start
                break
        if held == size:
            return size
        # Never cut through a whole secret that the possible beginning overlaps.
        spanning = (
            match.start() for match in self._pattern.finditer(text) if match.start() < held < match.end()
        )
        return next(spanning, held)

    def _may_grow(self, text: str, start: int) -> bool:
        tail = text[start:]
        if any(secret.startswith(tail) for secret in self._secrets):
            return True
        inside_word = start > 0 and text[start - 1].isalnum()
        return not inside_word and any(prefix.startswith(tail) for prefix in TOKEN_PREFIXES)


_DELTAS = {
    "TEXT_MESSAGE_CONTENT": "messageId",
    "REASONING_MESSAGE_CONTENT": "messageId",
    "TOOL_CALL_ARGS": "toolCallId",
}
_ENDS = {
    "TEXT_MESSAGE_END": ("TEXT_MESSAGE_CONTENT", "messageId"),
    "REASONING_MESSAGE_END": ("REASONING_MESSAGE_CONTENT", "messageId"),
    "TOOL_CALL_END": ("TOOL_CALL_ARGS", "toolCallId"),
}


class StreamRedactor:
    """Redacts one run's events in order; holds the end of a delta back while it may be part of a secret."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held: dict[tuple[str, str], dict[str, Any]] = {}

    def feed(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """What may be sent after this event: none, the event, or the event after a held delta."""
        kind = event["type"]
        if kind in _DELTAS:
            return self._delta(event, (kind, event[_DELTAS[kind]]))
        clean: dict[str, Any] = self._redactor.value(event)
        if kind in _ENDS:
            delta_kind, key = _ENDS[kind]
            held = self._held.pop((delta_kind, event[key]), None)
            if held:
                return [held | {"delta": self._redactor.text(held["delta"])}, clean]
        return [clean]

    def _delta(self, event: dict[str, Any], key: tuple[str, str]) -> list[dict[str, Any]]:
        held = self._held.pop(key, None)
        text = (held["delta"] if held else "") + event["delta"]
        cut = self._redactor.unfinished(text)
        if cut < len(text):
            self._held[key] = event | {"delta": text[cut:]}
        return [event | {"delta": self._redactor.text(text[:cut])}] if cut else []
