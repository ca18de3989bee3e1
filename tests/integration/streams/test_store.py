"""Appending and leases on a real PostgreSQL: the fence, order, doubt, and who gets a stream."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections

from projects_app.models import Project
from sessions_app.choices import Phase, RunState
from sessions_app.models import Run, Session, SessionMessage, SessionStream, StreamOwner
from sessions_app.streams.derive import Effects, RunView
from sessions_app.streams.intake import Inbox, Received
from sessions_app.streams.lease import Heartbeat, Leases
from sessions_app.streams.pools import Pools
from sessions_app.streams.store import Batch, DataRefused, Lease, LeaseLost, Store
from sessions_app.streams.timing import Timing
from tests.integration.streams.conftest import eventually, in_database, make_session

QUICK = Timing(lease=0.6, poll=0.1)


@pytest_asyncio.fixture
async def pools(transactional_db: None) -> AsyncIterator[Pools]:
    pools = Pools()
    await pools.open()
    yield pools
    await pools.close()
    await sync_to_async(connections.close_all)()


@pytest_asyncio.fixture
async def lease(pools: Pools, project: Project) -> Lease:
    session = await in_database(make_session, project, prompt="do it")
    run = await in_database(lambda: Run.objects.get(session=session).pk)
    await in_database(lambda: Run.objects.filter(pk=run).update(state=RunState.RUNNING))
    values = {"owner": "me", "epoch": 3, "run": run}
    await in_database(lambda: SessionStream.objects.filter(pk=session.pk).update(**values))
    return Lease(session.pk, "me", 3, 0, run, 0)


def batch(lease: Lease, count: int = 1, **fields: Any) -> Batch:
    assert lease.run is not None
    return Batch(lease.run, [("CUSTOM", b'{"type":"CUSTOM"}')] * count, **fields)


async def seqs(store: Store, session: str) -> list[int]:
    frames = (await store.page(session, 0)).frames
    return [frame.seq for frame in frames]


async def test_batches_get_dense_numbers(pools: Pools, lease: Lease) -> None:
    store = Store(pools)
    for count in (1, 64, 3):
        await store.append(lease, batch(lease, count, run_index=lease.run_index + count))
    assert await seqs(store, lease.session) == list(range(1, 69))
    assert (lease.event_seq, lease.run_index) == (68, 68)


@pytest.mark.parametrize(
    "stale",
    [
        pytest.param({"epoch": 2}, id="an-older-epoch"),
        pytest.param({"owner": "other"}, id="another-owner"),
        pytest.param({"event_seq": 7}, id="another-head"),
    ],
)
@pytest.mark.parametrize("with_effects", [False, True], ids=["plain", "with-effects"])
async def test_a_stale_holder_is_refused(
    pools: Pools, lease: Lease, stale: dict[str, Any], with_effects: bool
) -> None:
    store = Store(pools)
    effects = Effects()
    if with_effects:
        RunView().feed({"type": "RUN_ERROR", "message": "no"}, effects)
    with pytest.raises(LeaseLost):
        await store.append(replace(lease, **stale), batch(lease, effects=effects))
    assert await seqs(store, lease.session) == []
    state = await in_database(lambda: Run.objects.get(pk=lease.run).state)
    assert state == RunState.RUNNING


async def test_nothing_follows_the_end_of_a_run(pools: Pools, lease: Lease) -> None:
    store, effects, ended = Store(pools), Effects(), replace(lease)
    RunView().feed({"type": "RUN_FINISHED"}, effects)
    await store.append(lease, batch(lease, effects=effects))
    ended.event_seq = lease.event_seq
    with pytest.raises(LeaseLost):
        await store.append(ended, batch(ended))


@pytest.mark.parametrize("was_stored", [True, False], ids=["stored", "not-stored"])
async def test_a_batch_in_doubt_is_settled_by_reading(
    pools: Pools, lease: Lease, was_stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost at the commit: the batch is in the log exactly once."""
    store = Store(pools)
    append, calls = store.append, []

    async def losing(own: Lease, what: Batch) -> Any:
        calls.append(what)
        if len(calls) == 1:
            if was_stored:
                await append(replace(own), what)
            raise psycopg.OperationalError("connection lost")
        return await append(own, what)

    monkeypatch.setattr(store, "append", losing)
    await store.append_surely(lease, batch(lease, 5, run_index=5), retry_seconds=0.01)
    assert await seqs(store, lease.session) == [1, 2, 3, 4, 5]
    assert (lease.event_seq, lease.run_index) == (5, 5)
    assert len(calls) == (1 if was_stored else 2)


async def test_a_connection_killed_in_the_middle_loses_nothing(pools: Pools, lease: Lease) -> None:
    store = Store(pools)
    stop = asyncio.Event()

    async def kill() -> None:
        while not stop.is_set():
            async with pools.read() as connection:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                    "AND application_name LIKE 'ambient-streams-%%' AND datname = current_database() "
                    "AND query LIKE '%%sessionstream%%'"
                )
            await asyncio.sleep(0.02)

    killer = asyncio.create_task(kill())
    for number in range(1, 101):
        await store.append_surely(lease, batch(lease, run_index=number), retry_seconds=0.01)
    stop.set()
    await asyncio.wait({killer})
    assert await seqs(store, lease.session) == list(range(1, 101))


async def test_a_reader_never_sees_five_before_four(pools: Pools, lease: Lease) -> None:
    """Two holders who both believe they are the owner, and a reader at the same time."""
    store = Store(pools)
    done = asyncio.Event()

    async def write() -> None:
        own = replace(lease)
        for _ in range(150):
            try:
                await store.append(own, batch(own))
            except LeaseLost:
                own.event_seq = (await store.heads([own.session]))[own.session]

    async def read() -> None:
        cursor = 0
        while not done.is_set():
            page = await store.page(lease.session, cursor)
            head, frames = page.head, page.frames
            if frames:
                assert [f.seq for f in frames] == list(range(cursor + 1, frames[-1].seq + 1))
                cursor = frames[-1].seq
                assert cursor >= min(head, cursor)

    reader = asyncio.create_task(read())
    await asyncio.gather(write(), write(), write())
    done.set()
    await reader
    numbers = await seqs(store, lease.session)
    assert numbers == list(range(1, len(numbers) + 1))


async def test_effects_are_written_with_their_events(pools: Pools, lease: Lease) -> None:
    store, view, effects = Store(pools), RunView(), Effects()
    events = [
        {"type": "RUN_STARTED", "threadId": "t", "runId": "r"},
        {"type": "TEXT_MESSAGE_START", "messageId": "m"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "text"},
        {"type": "TEXT_MESSAGE_END", "messageId": "m"},
        {
            "type": "RUN_FINISHED",
            "result": {"total_cost_usd": 0.5},
            "usage": [{"model": "claude", "inputTokens": 3}],
            "outcome": {"type": "interrupt", "interrupts": [{"id": "i1", "reason": "tool_call"}]},
        },
    ]
    for event in events:
        view.feed(event, effects)
    encoded = [(str(event["type"]), b"{}") for event in events]
    run_id = lease.run or ""
    stored = await store.append(lease, Batch(run_id, encoded, 5, attachable=True, effects=effects))
    run = await in_database(lambda: Run.objects.get(pk=run_id))
    assert (run.state, run.first_seq, run.last_seq, run.model, run.attachable) == (
        RunState.INTERRUPTED,
        1,
        5,
        "claude",
        True,
    )
    assert float(run.cost_usd) == 0.5
    rows = await in_database(
        lambda: list(SessionMessage.objects.order_by("seq").values_list("seq", "event_type"))
    )
    assert rows == [(1, "user"), (2, "assistant"), (3, "system")]
    assert stored.message_seq == 3


async def test_refused_data_is_told_apart(pools: Pools, lease: Lease) -> None:
    with pytest.raises(DataRefused):
        await Store(pools).append(lease, Batch(lease.run or "", [("X" * 100, b"{}")], 1))
    assert lease.event_seq == 0


async def test_an_inbox_holds_its_writer_back() -> None:
    inbox = Inbox()
    item = Received({"type": "X"}, 1, b"x" * 1024 * 1024)
    await inbox.put(item)
    second = asyncio.create_task(inbox.put(item))
    await asyncio.sleep(0)
    assert not second.done()
    assert inbox.take() == [item]
    await second
    assert inbox.take() == [item]


# Leases


async def test_of_many_takers_one_wins(pools: Pools, project: Project) -> None:
    session = await in_database(make_session, project)
    beats = [Heartbeat(QUICK) for _ in range(4)]
    for beat in beats:
        await beat.start()
    await asyncio.gather(*(beat.wait_alive() for beat in beats))
    for seen in range(5):
        takes = [Leases(pools, beat, QUICK).take(session.pk, seen) for beat in beats for _ in range(3)]
        won = [lease for lease in await asyncio.gather(*takes) if lease is not None]
        assert [lease.epoch for lease in won] == [seen + 1]
        await Leases(pools, beats[0], QUICK).release(won[0])
    for beat in beats:
        await beat.stop()


async def test_a_stream_is_free_once_its_owner_is_silent(pools: Pools, project: Project) -> None:
    session = await in_database(make_session, project, prompt="do it")
    await in_database(lambda: Session.objects.filter(pk=session.pk).update(phase=Phase.RUNNING))
    first, second = Heartbeat(QUICK), Heartbeat(QUICK)
    for beat in (first, second):
        await beat.start()
        await beat.wait_alive()
    mine, other = Leases(pools, first, QUICK), Leases(pools, second, QUICK)
    assert await mine.candidates(10) == [(session.pk, 0)]
    lease = await mine.take(session.pk, 0)
    assert lease is not None
    assert await other.take(session.pk, lease.epoch) is None
    assert await other.candidates(10) == []
    await first.kill()

    async def free() -> Any:
        return await other.candidates(10)

    assert await eventually(free, "the stream is a candidate") == [(session.pk, 1)]
    taken = await other.take(session.pk, 1)
    assert taken is not None
    assert taken.epoch == 2
    await mine.release(lease)
    assert await other.still_own([session.pk]) == {session.pk: 2}
    await second.stop()
    assert await in_database(StreamOwner.objects.filter(process=second.process).count) == 0


@pytest.mark.parametrize(
    ("phase", "state", "found"),
    [
        pytest.param(Phase.RUNNING, RunState.QUEUED, True, id="running-with-a-queued-run"),
        pytest.param(Phase.CREATING, RunState.QUEUED, False, id="not-ready-yet"),
        pytest.param(Phase.RUNNING, RunState.FINISHED, False, id="nothing-to-do"),
    ],
)
async def test_candidates(pools: Pools, project: Project, phase: Phase, state: RunState, found: bool) -> None:
    session = await in_database(make_session, project, prompt="do it")
    await in_database(lambda: Session.objects.filter(pk=session.pk).update(phase=phase))
    await in_database(lambda: Run.objects.filter(session=session).update(state=state))
    leases = Leases(pools, Heartbeat(QUICK), QUICK)
    assert bool(await leases.candidates(10)) is found


async def test_an_active_run_without_owner_is_found_in_any_phase(pools: Pools, lease: Lease) -> None:
    values = {"owner": "gone"}
    await in_database(lambda: SessionStream.objects.filter(pk=lease.session).update(**values))
    await in_database(lambda: Session.objects.filter(pk=lease.session).update(phase=Phase.FAILED))
    leases = Leases(pools, Heartbeat(QUICK), QUICK)
    assert await leases.candidates(10) == [(lease.session, 3)]
