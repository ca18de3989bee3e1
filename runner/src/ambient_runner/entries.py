"""What an agent keeps beyond this process: append-only lists of JSON texts, at the platform or in a folder.

An entry that is too long for one request is kept in parts; readers never see them.
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from ambient_platform import AsyncAmbientClient

log = logging.getLogger(__name__)

PART_CHARACTERS = 256 * 1024
BATCH_CHARACTERS = 512 * 1024
BATCH_ENTRIES = 500
PART = "ambient:part"


class EntriesUnavailable(Exception):
    """The entries cannot be read or stored now."""


class EntriesRefused(EntriesUnavailable):
    """The platform understood the call and refused it; repeating it is no use."""


class EntryStore(Protocol):
    """Lists by key. An append that returned is durable; entries come back in order and unchanged."""

    async def keys(self) -> list[str]:
        """Keys that have entries."""

    async def load(self, key: str) -> list[str]:
        """All entries of a key; none for an unknown one."""

    async def append(self, key: str, entries: Sequence[str]) -> None:
        """Add entries at the end."""


def split(entries: Sequence[str], limit: int = PART_CHARACTERS) -> list[str]:
    """Entries as they are stored: the long ones in parts."""
    stored: list[str] = []
    for entry in entries:
        if len(entry) <= limit and _part(entry) is None:
            stored.append(entry)
            continue
        parts = [entry[at : at + limit] for at in range(0, len(entry), limit)]
        stored += [json.dumps({PART: text, "left": len(parts) - n}) for n, text in enumerate(parts, 1)]
    return stored


def join(stored: Sequence[str]) -> list[str]:
    """The entries again. Parts without their end, of an append that was cut off, are left out."""
    entries: list[str] = []
    parts: list[str] = []
    for text in stored:
        part = _part(text)
        if part is None:
            parts = []
            entries.append(text)
            continue
        parts.append(part[PART])
        if part["left"] == 0:
            entries.append("".join(parts))
            parts = []
    return entries


def _part(text: str) -> dict[str, Any] | None:
    return json.loads(text) if text.startswith(f'{{"{PART}":') else None


def batches(stored: Sequence[str]) -> list[list[str]]:
    """Stored texts in groups that fit into one request each."""
    found: list[list[str]] = []
    characters = 0
    for text in stored:
        if not found or characters + len(text) > BATCH_CHARACTERS or len(found[-1]) >= BATCH_ENTRIES:
            found.append([])
            characters = 0
        found[-1].append(text)
        characters += len(text)
    return found


class FileEntries:
    """In files of a folder: for a runner without a platform."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keys(self) -> list[str]:
        """Names of the files."""
        return sorted(unquote(path.stem) for path in self._folder.glob("*.jsonl"))

    async def load(self, key: str) -> list[str]:
        """The lines of the file; a last line that was cut off is left out."""
        try:
            text = self._path(key).read_text()
        except FileNotFoundError:
            return []
        return text.split("\n")[:-1]

    async def append(self, key: str, entries: Sequence[str]) -> None:
        """Write lines and wait until they are on the disk."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = "".join(f"{line}\n" for line in await self.load(key))
        with self._path(key).open("r+" if whole else "w") as file:
            file.truncate(len(whole.encode()))
            file.seek(0, os.SEEK_END)
            file.write("".join(f"{entry}\n" for entry in entries))
            file.flush()
            os.fsync(file.fileno())

    def _path(self, key: str) -> Path:
        return self._folder / f"{quote(key, safe='')}.jsonl"


Call = Callable[["AsyncAmbientClient"], Awaitable[Any]]


class ApiEntries:
    """At the platform. Positions are counted here, so a call that is repeated stores nothing twice."""

    def __init__(self, session_id: str, call: Callable[[Call], Awaitable[Any]]) -> None:
        self._session = session_id
        self._call = call
        self._heads: dict[str, int] | None = None
        self._lock = asyncio.Lock()

    async def keys(self) -> list[str]:
        """Keys of this session."""
        async with self._lock:
            return sorted(await self._known())

    async def load(self, key: str) -> list[str]:
        """All pages of a key."""
        async with self._lock:
            found: list[str] = await self._call(lambda api: api.sessions.sdk_entries(self._session, key))
            (await self._known())[key] = len(found)
            return join(found)

    async def append(self, key: str, entries: Sequence[str]) -> None:
        """Store them, even when the caller stops waiting: the next append continues behind these."""
        await asyncio.shield(asyncio.ensure_future(self._append(key, split(entries))))

    async def _append(self, key: str, stored: Sequence[str]) -> None:
        async with self._lock:
            heads = await self._known()
            for batch in batches(stored):
                sending = self._sending(key, heads.get(key, 0) + 1, batch)
                heads[key] = await self._until_stored(sending)

    async def _until_stored(self, sending: Call) -> int:
        """A list without its middle would be worth nothing: as long as the platform is away, try on."""
        while True:
            try:
                return int(await self._call(sending))
            except EntriesRefused:
                self._heads = None
                raise
            except EntriesUnavailable as exc:
                log.error("entries could not be stored yet: %s", exc)

    def _sending(self, key: str, position: int, batch: Sequence[str]) -> Call:
        return lambda api: api.sessions.append_sdk_entries(self._session, key, position, batch)

    async def _known(self) -> dict[str, int]:
        if self._heads is None:
            self._heads = await self._call(lambda api: api.sessions.sdk_keys(self._session))
        return self._heads
