"""Fan-out inside one process: watchers read the store up to now, then the tail that all of them share.

There is no queue per watcher: each has only a cursor and pulls from the session's tail, which is bounded. A
reader that falls behind the tail reads the store again, so it never holds up the others, costs no memory and
loses nothing.
"""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from ambient.common.exceptions import TooMany
from sessions_app.streams import metrics
from sessions_app.streams.pools import TRANSIENT
from sessions_app.streams.tail import Page, Restated, Sized, Tail

log = structlog.get_logger(__name__)

TAIL_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
RETRY_AFTER_SECONDS = 5

ReadPage = Callable[[str, int], Awaitable[Page]]
ReadHeads = Callable[[list[str]], Awaitable[dict[str, int]]]


@dataclass(frozen=True)
class Gap:
    """Numbers that the store does not have any more."""

    first_seq: int
    last_seq: int


class Channel:
    """What the process knows of one session's log while somebody watches it."""

    def __init__(self) -> None:
        self.tail = Tail(TAIL_BYTES)
        self.known = 0
        self.watchers = 0
        self.changed = asyncio.Event()
        self.reads: dict[int, asyncio.Task[Page]] = {}

    def wake(self) -> None:
        """Let every waiting watcher look again."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


@dataclass(eq=False)
class Watcher:
    """One open stream. `busy_since` is when a chunk was handed over that the client has not taken yet."""

    session: str
    user: str
    kind: str
    allowed: Callable[[], Awaitable[bool]]
    abort: Callable[[], None] | None = None
    backlog: Callable[[], int] | None = None
    checked_at: float = field(default_factory=time.monotonic)
    busy_since: float | None = None
    seen_backlog: int = -1
    ended: str | None = None
    channel: Channel | None = None

    def end(self, why: str) -> None:
        """Make the watcher's loop finish; `why` is one of access, stalled, closing."""
        if self.ended is None:
            self.ended = why
            metrics.WATCHERS_CUT.labels(why).inc()
        if self.channel is not None:
            self.channel.wake()


class Feed:
    """One kind of numbered rows of sessions (events, or messages), read from the store and shared."""

    def __init__(self, read_page: ReadPage, read_heads: ReadHeads, retry_seconds: float = 0.5) -> None:
        self._read_page = read_page
        self._read_heads = read_heads
        self._retry_seconds = retry_seconds
        self._channels: dict[str, Channel] = {}

    def publish(self, session: str, prev_seq: int, frames: Sequence[Sized]) -> None:
        """Frames that have just been stored by this process."""
        channel = self._channels.get(session)
        if channel is None or not frames:
            return
        channel.known = max(channel.known, frames[-1].seq)
        channel.tail.add(prev_seq, frames)
        channel.wake()

    def hint(self, session: str, seq: int) -> None:
        """Somebody says that the session is at `seq`; 0 means only: look again."""
        channel = self._channels.get(session)
        if channel is None or 0 < seq <= channel.known:
            return
        channel.known = max(channel.known, seq)
        channel.wake()

    async def check_heads(self) -> None:
        """The way that needs no hint: ask the store where every watched session is."""
        if not self._channels:
            return
        for session, seq in (await self._read_heads(list(self._channels))).items():
            self.hint(session, seq)

    @contextlib.contextmanager
    def _join(self, watcher: Watcher) -> Iterator[Channel]:
        channel = self._channels.setdefault(watcher.session, Channel())
        channel.watchers += 1
        watcher.channel = channel
        try:
            yield channel
        finally:
            watcher.channel = None
            channel.watchers -= 1
            if not channel.watchers and self._channels.get(watcher.session) is channel:
                del self._channels[watcher.session]

    async def _page(self, session: str, channel: Channel, after: int) -> Page:
        """One page; watchers that want the same one share the read."""
        task = channel.reads.get(after)
        if task is None:
            task = asyncio.create_task(self._read(session, channel, after))
            channel.reads[after] = task
            task.add_done_callback(lambda _: channel.reads.pop(after, None))
        return await asyncio.shield(task)

    async def _read(self, session: str, channel: Channel, after: int) -> Page:
        metrics.STORE_READS.inc()
        while True:
            try:
                page = await self._read_page(session, after)
            except TRANSIENT as exc:
                if not channel.watchers:
                    return Page(0, [])
                log.warning("watchers wait for the store", error=type(exc).__name__)
                await asyncio.sleep(self._retry_seconds)
                continue
            if page.frames and channel.tail.add(page.frames[0].seq - 1, page.frames):
                channel.wake()
            return page

    async def watch(
        self, watcher: Watcher, cursor: int, *, tick: float
    ) -> AsyncIterator[Sequence[Sized] | Gap | Restated]:
        """Everything after the cursor, each number once and in order; empty chunks when it looked in vain.

        A `Restated` is followed by all of its frames in chunks. Ends when the watcher is told to end.
        """
        with self._join(watcher) as channel:
            while watcher.ended is None:
                changed = channel.changed  # taken before looking, so that nothing is missed
                chunk = channel.tail.after(cursor, CHUNK_BYTES)
                if chunk is None or (not chunk and channel.known > cursor):
                    page = await self._page(watcher.session, channel, cursor)
                    chunk = page.frames
                    if page.restated is not None:
                        yield page.restated
                        chunk = page.restated.frames
                    gap = _gap(cursor, page)
                    if gap is not None:
                        cursor = gap.last_seq
                        yield gap
                    if not chunk:
                        channel.tail.start(cursor)
                if not chunk and watcher.ended is None:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(tick):
                            await changed.wait()
                for part in _parts(chunk):
                    if watcher.ended is not None:
                        return
                    watcher.busy_since = time.monotonic()
                    yield part
                    watcher.busy_since = None
                cursor = chunk[-1].seq if chunk else cursor


def _gap(cursor: int, page: Page) -> Gap | None:
    """What the store should have between the cursor and the page, or the head, and has not."""
    if page.restated is not None:
        return None
    last = page.frames[0].seq - 1 if page.frames else page.head
    return Gap(cursor + 1, last) if last > cursor else None


def _parts(frames: Sequence[Sized]) -> Iterator[Sequence[Sized]]:
    """Chunks of about 64 KiB, so that a slow reader's progress is seen; one empty chunk for nothing."""
    start = size = 0
    for number, frame in enumerate(frames):
        size += frame.size
        if size >= CHUNK_BYTES:
            yield frames[start : number + 1]
            start, size = number + 1, 0
    if start < len(frames) or not frames:
        yield frames[start:]


class Ticket:
    """A place among the process's watchers; given back once, at the latest when it is forgotten."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def release(self) -> None:
        """Free the place."""
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()

    def __del__(self) -> None:
        self.release()


class Hub:
    """All watchers of one process: their limits, their access, those that stall."""

    def __init__(
        self, events: Feed, messages: Feed, *, per_user: int, per_process: int, stall: float, access: float
    ) -> None:
        self.events = events
        self.messages = messages
        self._per_user = per_user
        self._per_process = per_process
        self._stall = stall
        self._access = access
        self._lock = threading.Lock()
        self._users: Counter[str] = Counter()
        self._watchers: set[Watcher] = set()
        self.closing = False

    @property
    def count(self) -> int:
        """Places taken."""
        return self._users.total()

    def admit(self, user: str, kind: str) -> Ticket:
        """Take a place; raises TooMany with a retry time. May be called from any thread."""
        with self._lock:
            refused = self._refusal(user)
            if refused is None:
                self._users[user] += 1
        if refused is not None:
            why, text, retry_after = refused
            metrics.WATCHERS_REFUSED.labels(kind, why).inc()
            raise TooMany(text, retry_after=retry_after)
        metrics.WATCHERS.labels(kind).inc()

        def give_back() -> None:
            with self._lock:
                self._users[user] -= 1
                if self._users[user] <= 0:
                    del self._users[user]
            metrics.WATCHERS.labels(kind).dec()

        return Ticket(give_back)

    def _refusal(self, user: str) -> tuple[str, str, int] | None:
        """Why there is no place (one word), the same as a sentence, and when to try again."""
        if self.closing:
            return "closing", "this process is stopping", 1
        if self._users.total() >= self._per_process:
            return "process", "too many open streams here", RETRY_AFTER_SECONDS
        if self._users[user] >= self._per_user:
            return "user", "too many open streams of this user", RETRY_AFTER_SECONDS
        return None

    @contextlib.contextmanager
    def watching(self, watcher: Watcher) -> Iterator[Watcher]:
        """Register a watcher for the checks while it is open."""
        self._watchers.add(watcher)
        if self.closing:
            watcher.end("closing")
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def close(self) -> None:
        """End every watcher: the process stops."""
        self.closing = True
        for watcher in list(self._watchers):
            watcher.end("closing")

    def recheck_access(self) -> None:
        """Grants changed: every watcher's access is looked at again at the next check."""
        for watcher in self._watchers:
            watcher.checked_at = float("-inf")

    async def check(self) -> None:
        """One round: cut the stalled, ask for the access of those that are due."""
        now = time.monotonic()
        for watcher in list(self._watchers):
            if self._is_stalled(watcher, now):
                watcher.end("stalled")
                if watcher.abort is not None:
                    watcher.abort()
        due = [w for w in self._watchers if w.ended is None and now - w.checked_at >= self._access]
        for watcher in due:
            try:
                allowed = await watcher.allowed()
            except Exception as exc:  # noqa: BLE001 - whatever the check met, the next round asks again
                log.warning("access of a watcher was not checked", error=type(exc).__name__)
                return
            watcher.checked_at = time.monotonic()
            if not allowed:
                watcher.end("access")

    def _is_stalled(self, watcher: Watcher, now: float) -> bool:
        """No progress: the chunk was not taken, and the client's connection did not drain either."""
        if watcher.busy_since is None:
            watcher.seen_backlog = -1
            return False
        backlog = watcher.backlog() if watcher.backlog is not None else 0
        if watcher.backlog is not None and backlog != watcher.seen_backlog:
            watcher.seen_backlog = backlog
            watcher.busy_since = now
            return False
        return now - watcher.busy_since >= self._stall
