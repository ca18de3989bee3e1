"""The SDK's session store on our entries, and what a resume after a restart needs from it."""

import asyncio
import json
import uuid
from typing import Any

from ambient_runner.entries import EntryStore
from ambient_runner.frameworks.claude.journal import Asked

PREFIX = "sdk/"
HELD_SECONDS = 45.0
COPIED = ("userType", "entrypoint", "cwd", "sessionId", "version", "gitBranch", "isSidechain", "timestamp")


class NotHeld(Exception):
    """The transcript did not reach the store in time."""


class TranscriptStore:
    """`SessionStore` of the SDK. Its project key is a path of this machine, so it is no part of our keys."""

    def __init__(self, entries: EntryStore) -> None:
        self._entries = entries
        self._calls: set[str] = set()
        self._changed = asyncio.Event()
        self.waiting: Asked | None = None
        self.permission_mode = "default"

    async def append(self, key: Any, entries: list[Any]) -> None:
        """Store transcript lines."""
        await self._entries.append(_key(key), [json.dumps(entry) for entry in entries])
        self._calls |= {block["id"] for entry in entries for block in tool_uses(entry)}
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def load(self, key: Any) -> list[Any] | None:
        """The transcript. With `waiting` set, it ends with that call deferred, so that it is made now."""
        entries = [json.loads(text) for text in await self._entries.load(_key(key))]
        self._calls |= {block["id"] for entry in entries for block in tool_uses(entry)}
        if not key.get("subpath") and self.waiting is not None:
            entries = deferred(entries, self.waiting, self.permission_mode)
        return entries or None

    async def list_subkeys(self, key: Any) -> list[str]:
        """Transcripts of sub-agents."""
        begin = f"{PREFIX}{key['session_id']}/"
        return [name.removeprefix(begin) for name in await self._entries.keys() if name.startswith(begin)]

    async def holds(self, calls: set[str]) -> None:
        """Return when these calls are in the store: from then on a restart finds them. Raises NotHeld."""
        try:
            async with asyncio.timeout(HELD_SECONDS):
                while not calls <= self._calls:
                    await self._changed.wait()
        except TimeoutError as exc:
            raise NotHeld from exc


def _key(key: Any) -> str:
    subpath = key.get("subpath")
    return f"{PREFIX}{key['session_id']}" + (f"/{subpath}" if subpath else "")


def tool_uses(entry: Any) -> list[dict[str, Any]]:
    """The tool calls of a transcript line."""
    message = entry.get("message") if isinstance(entry, dict) and entry.get("type") == "assistant" else None
    content = message.get("content") if isinstance(message, dict) else None
    blocks = content if isinstance(content, list) else []
    return [block for block in blocks if isinstance(block, dict) and block.get("type") == "tool_use"]


def deferred(entries: list[Any], item: Asked, permission_mode: str) -> list[Any]:
    """The transcript with the mark of a call that a hook put off: on resume the program makes it first.

    The program then asks for its permission again, under the same id, and runs it at most once (ADR 0015).
    """
    holder = next(
        (
            entry
            for entry in reversed(entries)
            if any(block.get("id") == item.call for block in tool_uses(entry))
        ),
        None,
    )
    if holder is None:
        return entries
    mark = {
        **{name: holder[name] for name in COPIED if name in holder},
        "type": "attachment",
        "uuid": str(uuid.uuid4()),
        "parentUuid": holder.get("uuid"),
        "attachment": {
            "type": "hook_deferred_tool",
            "toolUseID": item.call,
            "toolName": item.tool,
            "toolInput": item.input,
            "hookName": f"PreToolUse:{item.tool}",
            "hookEvent": "PreToolUse",
            "permissionMode": permission_mode,
        },
    }
    return [*entries, mark]
