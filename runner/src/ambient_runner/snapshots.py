"""Saves the workspace in the platform's bucket and brings it back.

This process holds no key of the bucket: it asks the platform for an address of one object each time.
"""

import asyncio
import contextlib
import logging
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import httpx

from ambient_runner.archive import BLOCK, Corrupted, Packed, TooLarge, pack, unpack
from ambient_runner.config import Snapshots
from ambient_runner.entries import EntriesRefused, EntriesUnavailable
from ambient_runner.framework import PrepareFailed

if TYPE_CHECKING:
    from ambient_platform import AsyncAmbientClient

RESTORE_SECONDS = 300.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 20.0
LAST_WORDS_SECONDS = 1.0
QUIET_SECONDS = 30.0
"""A bucket that takes or gives nothing for so long does not answer."""

log = logging.getLogger(__name__)

Call = Callable[[Callable[["AsyncAmbientClient"], Awaitable[Any]]], Awaitable[Any]]


class NotRestored(PrepareFailed):
    """The saved files cannot be had; the session must not start as if there were none."""

    def __init__(self, message: str) -> None:
        super().__init__("WorkspaceNotRestored", message)


class NotSaved(Exception):
    """The files were not saved; the message is for people. What is `passing` may go well soon."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class _Away(Exception):
    """The platform or the bucket does not answer now."""


class SnapshotKeeper:
    """One workspace and its snapshots. It saves nothing before it has restored what there was."""

    def __init__(self, session_id: str, workspace: Path, wanted: Snapshots, call: Call) -> None:
        self._session = session_id
        self._workspace = workspace
        self._wanted = wanted
        self._call = call
        self.saved_at: str | None = None  # of the files that it was filled with
        self._restored = False
        self._last: str | None = None
        self._saving = asyncio.Lock()

    async def restore(self) -> None:
        """Fill the workspace from the newest snapshot, if there is one. Raises NotRestored."""
        if self._restored:
            return
        wait = FIRST_WAIT_SECONDS
        try:
            async with asyncio.timeout(RESTORE_SECONDS):
                while True:
                    try:
                        await self._restore()
                        break
                    except _Away as exc:
                        log.warning("the saved files cannot be fetched: %s, next try in %.1f s", exc, wait)
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LONGEST_WAIT_SECONDS)
        except TimeoutError as exc:
            raise NotRestored(
                f"The saved files could not be fetched within {RESTORE_SECONDS:.0f} s."
            ) from exc
        self._restored = True

    async def keep(self) -> None:
        """Save again and again until cancelled."""
        while True:
            await asyncio.sleep(self._wanted.every_seconds)
            if self._restored:
                await self.save()

    async def save(self) -> None:
        """Save what is there now; a failure is told to the platform and goes no further."""
        if problem := await self._tried():
            await self._say(str(problem))

    async def save_at_the_end(self) -> None:
        """The last time: tried as long as there is time for it."""
        if not self._restored:
            return
        problem = NotSaved(f"The files could not be saved within {self._wanted.stop_seconds:g} s.")
        wait = FIRST_WAIT_SECONDS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._wanted.stop_seconds):
                while found := await self._tried():
                    problem = found
                    if not found.passing:
                        break
                    log.warning("%s Next try in %.1f s.", found, wait)
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LONGEST_WAIT_SECONDS)
                else:
                    return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await self._say(str(problem))

    async def _tried(self) -> NotSaved | None:
        """Save once; what went wrong, if anything did."""
        try:
            async with self._saving:
                await self._save()
        except NotSaved as exc:
            return exc
        except Exception as exc:  # noqa: BLE001 - the agent's work must not end with its backup
            log.exception("the files were not saved")
            return NotSaved(f"The files could not be saved ({type(exc).__name__}).")
        return None

    async def _say(self, message: str) -> None:
        log.error("%s", message)
        with contextlib.suppress(EntriesUnavailable):
            await self._call(lambda api: api.sessions.workspace_not_saved(self._session, message))

    async def _restore(self) -> None:
        latest = await self._ask(lambda api: api.sessions.workspace_snapshot(self._session))
        if latest is None:
            log.info("there are no saved files")
            return
        saved = f"{latest.saved_at:%Y-%m-%d %H:%M:%S} UTC"
        with _scratch() as file:
            try:
                await _download(latest.url, file)
            except FileNotFoundError as exc:
                raise NotRestored(f"The archive of {saved} ({latest.id}) is not in the bucket.") from exc
            file.seek(0)
            try:
                await asyncio.to_thread(unpack, file, self._workspace, size=latest.size, sha256=latest.sha256)
            except Corrupted as exc:
                raise NotRestored(f"The archive of {saved} ({latest.id}) is damaged: {exc}.") from exc
            except OSError as exc:
                raise NotRestored(f"The saved files could not be written: {exc.strerror}.") from exc
        self._last, self.saved_at = latest.sha256, saved
        log.info("restored %d bytes that were saved at %s", latest.size, saved)

    async def _save(self) -> None:
        with _scratch() as file:
            packed = await self._pack(file)
            if packed.sha256 == self._last:
                return
            try:
                begun = await self._call(
                    lambda api: api.sessions.begin_workspace_snapshot(
                        self._session, packed.size, packed.sha256
                    )
                )
                file.seek(0)
                await _upload(begun.url, begun.headers.to_dict(), file)
                await self._call(
                    lambda api: api.sessions.complete_workspace_snapshot(self._session, begun.id)
                )
            except EntriesUnavailable as exc:
                passing = not isinstance(exc, EntriesRefused)
                raise NotSaved(f"The platform did not take the files: {exc}.", passing=passing) from exc
            except _Away as exc:
                raise NotSaved(f"The bucket did not take the files: {exc}.", passing=True) from exc
        self._last = packed.sha256
        log.info("saved %d bytes, left out %d entries", packed.size, packed.left_out)

    async def _pack(self, file: BinaryIO) -> Packed:
        cancelled = threading.Event()
        try:
            return await asyncio.to_thread(
                pack, self._workspace, file, limit=self._wanted.max_bytes, cancelled=cancelled.is_set
            )
        except TooLarge as exc:
            limit = f"{self._wanted.max_bytes / 1024**2:.0f} MiB"
            raise NotSaved(f"The files are more than can be saved, {limit} when packed.") from exc
        except OSError as exc:
            raise NotSaved(f"The files could not be packed: {exc.strerror}.") from exc
        finally:
            cancelled.set()  # the thread of one who waits no longer

    async def _ask(self, action: Callable[["AsyncAmbientClient"], Awaitable[Any]]) -> Any:
        try:
            return await self._call(action)
        except EntriesRefused as exc:
            raise NotRestored(f"The platform does not say where the saved files are: {exc}.") from exc
        except EntriesUnavailable as exc:
            raise _Away(str(exc)) from exc


def _scratch() -> Any:
    """A file outside of the workspace that nobody else sees."""
    return tempfile.TemporaryFile(prefix="snapshot-")


async def _download(url: str, file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()
    try:
        async with httpx.AsyncClient(timeout=QUIET_SECONDS) as http, http.stream("GET", url) as answer:
            if answer.status_code == 404:
                raise FileNotFoundError
            if answer.status_code != 200:
                raise _Away(f"the bucket answered {answer.status_code}")
            async for block in answer.aiter_raw(BLOCK):
                file.write(block)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:  # without its text: that may hold the address
        raise _Away(type(exc).__name__) from exc


async def _upload(url: str, headers: dict[str, str], file: BinaryIO) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        while block := await asyncio.to_thread(file.read, BLOCK):
            yield block

    try:
        async with httpx.AsyncClient(timeout=QUIET_SECONDS) as http:
            answer = await http.put(url, content=blocks(), headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise _Away(type(exc).__name__) from exc
    status = answer.status_code
    if status in (408, 429) or status >= 500:
        raise _Away(f"it answered {status}")
    if status not in (200, 201, 204):
        raise NotSaved(f"The bucket did not take the files: it answered {status}.")
