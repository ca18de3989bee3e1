"""The event log in SQL: appending under the lease's fence, reading pages, heads."""

import asyncio
import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from ambient.common.ksuid import ksuid
from sessions_app.choices import RunState
from sessions_app.streams.compaction import restated_frames
from sessions_app.streams.derive import INTERRUPT_LIFE, Effects
from sessions_app.streams.frames import Frame
from sessions_app.streams.pools import TRANSIENT, Pools
from sessions_app.streams.tail import Page, Restated

PAGE_EVENTS = 500
PAGE_BYTES = 1024 * 1024


class LeaseLost(Exception):
    """Another process holds the stream now, or the row says something else than we know."""


class DataRefused(Exception):
    """The database refuses the batch for what is in it."""


@dataclass
class Lease:
    """What the holder knows of its stream's head; changed by its own appends only."""

    session: str
    owner: str
    epoch: int
    event_seq: int
    run: str | None
    run_index: int


@dataclass(frozen=True)
class Batch:
    """Events to append in one transaction. `run_index` None: platform events only."""

    run: str
    events: Sequence[tuple[str, bytes]]
    run_index: int | None = None
    attachable: bool = False
    effects: Effects = field(default_factory=Effects)

    @property
    def ends_run(self) -> bool:
        return self.effects.end is not None


_HEAD = """
UPDATE sessions_app_sessionstream
SET event_seq = event_seq + %(n)s, run_index = %(index)s, run = %(run_after)s
WHERE session_id = %(session)s AND owner = %(owner)s AND epoch = %(epoch)s
  AND event_seq = %(prev)s AND run = %(run)s
RETURNING event_seq
"""
_EVENTS = """
INSERT INTO sessions_app_sessionevent (session_id, seq, run, type, event, created_at)
SELECT %(session)s, {prev} + e.n, %(run)s, e.type, e.event, clock_timestamp()
FROM {source}unnest(%(types)s::text[], %(events)s::text[]) WITH ORDINALITY AS e(type, event, n)
"""
_HEAD_AND_EVENTS = (_HEAD, _EVENTS.format(prev="head.event_seq - %(n)s", source="head, "))
_ONE_STATEMENT = "WITH head AS ({}), stored AS ({}) SELECT event_seq FROM head".format(*_HEAD_AND_EVENTS)  # noqa: S608
_EVENTS_ALONE = _EVENTS.format(prev="%(prev)s", source="")

_RUN_STARTED = """
UPDATE sessions_app_run SET first_seq = %(first)s, attachable = attachable OR %(attachable)s
WHERE id = %(run)s AND first_seq IS NULL
"""
_RUN_ENDED = """
UPDATE sessions_app_run SET state = %(state)s, finished_at = clock_timestamp(), last_seq = %(last)s,
  outcome = %(outcome)s, error_code = %(error_code)s, error_message = %(error_message)s,
  usage = %(usage)s, cost_usd = %(cost_usd)s, model = %(model)s
WHERE id = %(run)s AND state = 'running'
"""
_DELIVERED = """
UPDATE sessions_app_sessionmessage m SET delivery = %(delivery)s,
  reason = CASE WHEN %(reason)s = 'RunnerRestarted' AND s.desired_state <> 'running'
           THEN 'SessionStopped' ELSE %(reason)s END
FROM sessions_app_session s
WHERE m.session_id = %(session)s AND m.run = %(run)s AND m.delivery = 'running' AND s.id = m.session_id
"""
"""A runner that went away on the way to a stop went away because of it."""
_INTERRUPT = """
INSERT INTO sessions_app_interrupt
  (id, session_id, run, interrupt_id, kind, request, response_schema, created_at, expires_at, state)
VALUES (%s, %s, %s, %s, %s, %s, %s, clock_timestamp(), coalesce(%s, clock_timestamp() + %s), 'open')
ON CONFLICT (run, interrupt_id) DO NOTHING
"""
_MESSAGES = """
WITH counter AS (
  UPDATE sessions_app_messagecounter SET message_seq = message_seq + %(n)s
  WHERE session_id = %(session)s RETURNING message_seq
)
INSERT INTO sessions_app_sessionmessage (id, session_id, seq, event_type, payload, created_at, run)
SELECT m.id, %(session)s, counter.message_seq - %(n)s + m.n, m.event_type, m.payload,
       clock_timestamp(), %(run)s
FROM counter, unnest(%(ids)s::text[], %(types)s::text[], %(payloads)s::text[])
  WITH ORDINALITY AS m(id, event_type, payload, n)
RETURNING seq
"""


@dataclass(frozen=True)
class Stored:
    """Where a batch went: its first sequence number, and the newest message it brought."""

    first_seq: int
    message_seq: int | None = None


class Store:
    """The SQL of the hub on the process's pools."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    async def append(self, lease: Lease, batch: Batch) -> Stored:
        """Append once. Raises LeaseLost, DataRefused, or a TRANSIENT error that leaves the batch in doubt."""
        params: dict[str, Any] = {
            "n": len(batch.events),
            "index": lease.run_index if batch.run_index is None else batch.run_index,
            "run_after": None if batch.ends_run else batch.run,
            "session": lease.session,
            "owner": lease.owner,
            "epoch": lease.epoch,
            "prev": lease.event_seq,
            "run": batch.run,
            "types": [type_ for type_, _ in batch.events],
            "events": [data.decode() for _, data in batch.events],
        }
        try:
            async with self._pools.append() as connection:
                if not batch.effects:
                    cursor = await connection.execute(_ONE_STATEMENT, params)
                    row = await cursor.fetchone()
                    message_seq = None
                else:
                    async with connection.transaction():
                        row, message_seq = await self._append_with_effects(connection, batch, params)
        except (psycopg.DataError, psycopg.IntegrityError) as exc:
            raise DataRefused(type(exc).__name__) from exc
        if row is None:
            raise LeaseLost(lease.session)
        self._advance(lease, batch)
        return Stored(params["prev"] + 1, message_seq)

    @staticmethod
    def _advance(lease: Lease, batch: Batch) -> None:
        lease.event_seq += len(batch.events)
        if batch.run_index is not None:
            lease.run_index = batch.run_index
        if batch.ends_run:
            lease.run = None

    async def _append_with_effects(
        self, connection: Any, batch: Batch, params: dict[str, Any]
    ) -> tuple[Any, int | None]:
        cursor = await connection.execute(_HEAD, params)
        row = await cursor.fetchone()
        if row is None:
            return None, None
        await connection.execute(_EVENTS_ALONE, params)
        effects, own = batch.effects, {"run": batch.run, "session": params["session"]}
        if effects.started:
            await connection.execute(
                _RUN_STARTED, own | {"first": params["prev"] + 1, "attachable": batch.attachable}
            )
        if effects.end is not None:
            end = effects.end
            await connection.execute(
                _RUN_ENDED,
                own
                | {
                    "state": end.state,
                    "last": row[0],
                    "outcome": end.outcome,
                    "error_code": end.error_code,
                    "error_message": end.error_message,
                    "usage": end.usage,
                    "cost_usd": end.cost_usd,
                    "model": end.model,
                },
            )
            await connection.execute(_DELIVERED, own | {"delivery": end.delivery, "reason": end.reason})
        for new in effects.interrupts:
            await connection.execute(
                _INTERRUPT,
                [
                    ksuid(),
                    params["session"],
                    batch.run,
                    new.interrupt_id,
                    new.kind,
                    new.request,
                    new.response_schema,
                    new.expires_at,
                    INTERRUPT_LIFE,
                ],
            )
        message_seq = None
        if effects.messages:
            cursor = await connection.execute(
                _MESSAGES,
                own
                | {
                    "n": len(effects.messages),
                    "ids": [ksuid() for _ in effects.messages],
                    "types": [message.event_type for message in effects.messages],
                    "payloads": [message.payload for message in effects.messages],
                },
            )
            message_seq = max(found[0] for found in await cursor.fetchall())
        return row, message_seq

    async def settle(self, lease: Lease, batch: Batch) -> bool:
        """Whether a batch in doubt was stored. Raises LeaseLost when the stream is not ours any more."""
        async with self._pools.append() as connection:
            cursor = await connection.execute(
                "SELECT owner, epoch, event_seq FROM sessions_app_sessionstream WHERE session_id = %s",
                [lease.session],
            )
            row = await cursor.fetchone()
        if row is None or (row[0], row[1]) != (lease.owner, lease.epoch):
            raise LeaseLost(lease.session)
        if row[2] == lease.event_seq:
            return False
        if row[2] != lease.event_seq + len(batch.events):
            raise LeaseLost(lease.session)
        self._advance(lease, batch)
        return True

    async def append_surely(self, lease: Lease, batch: Batch, retry_seconds: float = 0.2) -> Stored:
        """Append, through lost connections: a batch in doubt is settled by reading, then sent again."""
        doubt = False
        first = lease.event_seq + 1
        while True:
            try:
                if doubt and await self.settle(lease, batch):
                    return Stored(first)
                return await self.append(lease, batch)
            except psycopg.errors.DeadlockDetected:
                continue  # rolled back, nothing in doubt
            except TRANSIENT:
                doubt = True
                await asyncio.sleep(retry_seconds)

    async def page(self, session: str, after: int) -> Page:
        """Events after the cursor up to the page's size; where they are compacted, the run that covers it."""
        async with self._pools.read() as connection:
            async with connection.pipeline():
                head_cursor = await connection.execute(
                    "SELECT event_seq FROM sessions_app_sessionstream WHERE session_id = %s", [session]
                )
                page_cursor = await connection.execute(_PAGE, [session, after, PAGE_EVENTS, PAGE_BYTES])
                head = await head_cursor.fetchone()
                rows = await page_cursor.fetchall()
        frames: list[Frame] = []
        for seq, run, type_, event in rows:
            if frames and seq != frames[-1].seq + 1:
                break
            frames.append(Frame(seq, run, type_, event.encode()))
        page = Page(head[0] if head else 0, frames)
        missing = frames[0].seq > after + 1 if frames else page.head > after
        return await self._compacted(session, after, page) if missing else page

    async def _compacted(self, session: str, after: int, page: Page) -> Page:
        """The page where raw events are missing. Read after them: they go in the RunLog's transaction."""
        async with self._pools.read() as connection:
            cursor = await connection.execute(_RUN_LOG, [session, after])
            row = await cursor.fetchone()
        if row is None:
            return page
        run, first_seq, last_seq, events = row
        if first_seq > after + 1:  # retention took what is before: the run comes with the next page
            if page.frames and page.frames[0].seq < first_seq:
                return page
            return Page(first_seq - 1, [])
        return Page(
            page.head, [], Restated(first_seq, last_seq, restated_frames(run, first_seq, last_seq, events))
        )

    async def run_events(self, session: str, run: str, first_seq: int) -> list[bytes]:
        """Every stored event of a run, for whoever takes it over."""
        found: list[bytes] = []
        after = first_seq - 1
        while True:
            async with self._pools.read() as connection:
                cursor = await connection.execute(_RUN_PAGE, [session, after, run, PAGE_EVENTS])
                rows = await cursor.fetchall()
            found.extend(event.encode() for _, event in rows)
            if len(rows) < PAGE_EVENTS:
                return found
            after = rows[-1][0]

    async def heads(self, sessions: Iterable[str]) -> dict[str, int]:
        """Newest sequence number of each session."""
        async with self._pools.read() as connection:
            cursor = await connection.execute(
                "SELECT session_id, event_seq FROM sessions_app_sessionstream WHERE session_id = ANY(%s)",
                [list(sessions)],
            )
            return dict(await cursor.fetchall())

    async def message_page(self, session: str, after: int) -> tuple[int, list[tuple[Any, ...]]]:
        """(newest message number, rows after the cursor), as `page`."""
        async with self._pools.read() as connection:
            cursor = await connection.execute(MESSAGE_PAGE, [session, after, PAGE_EVENTS, PAGE_BYTES])
            rows = await cursor.fetchall()
        return (rows[-1][0] if rows else after), rows

    async def message_heads(self, sessions: Iterable[str]) -> dict[str, int]:
        """Newest message number of each session."""
        async with self._pools.read() as connection:
            cursor = await connection.execute(
                "SELECT session_id, message_seq FROM sessions_app_messagecounter WHERE session_id = ANY(%s)",
                [list(sessions)],
            )
            return dict(await cursor.fetchall())

    async def run_state(self, run: str) -> "RunRow | None":
        """How far a run is."""
        async with self._pools.read() as connection:
            cursor = await connection.execute(
                "SELECT state, first_seq, last_seq, error_code, error_message, finished_at "
                "FROM sessions_app_run WHERE id = %s",
                [run],
            )
            row = await cursor.fetchone()
        return None if row is None else RunRow(RunState(row[0]), *row[1:])


@dataclass(frozen=True)
class RunRow:
    """A run's state for those who wait for it."""

    state: RunState
    first_seq: int | None
    last_seq: int | None
    error_code: str | None
    error_message: str | None
    finished_at: datetime.datetime | None


_PAGE = """
SELECT seq, run, type, event FROM (
  SELECT seq, run, type, event,
         sum(octet_length(event)) OVER (ORDER BY seq) - octet_length(event) AS before
  FROM (SELECT seq, run, type, event FROM sessions_app_sessionevent
        WHERE session_id = %s AND seq > %s ORDER BY seq LIMIT %s) AS newest
) AS page WHERE before < %s ORDER BY seq
"""
_RUN_LOG = """
SELECT run, first_seq, last_seq, events FROM sessions_app_runlog
WHERE session_id = %s AND last_seq > %s ORDER BY last_seq LIMIT 1
"""
_RUN_PAGE = """
SELECT seq, event FROM sessions_app_sessionevent
WHERE session_id = %s AND seq > %s AND run = %s ORDER BY seq LIMIT %s
"""
MESSAGE_PAGE = """
SELECT seq, id, session_id, event_type, payload, created_at, created_by, client_id, run, delivery, reason
FROM (
  SELECT *, sum(octet_length(payload)) OVER (ORDER BY seq) - octet_length(payload) AS before
  FROM (SELECT * FROM sessions_app_sessionmessage
        WHERE session_id = %s AND seq > %s ORDER BY seq LIMIT %s) AS newest
) AS page WHERE before < %s ORDER BY seq
"""
