"""Holders of streams, other replicas, runners and watchers break: every watcher sees every event once."""

import json
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import websockets
from websockets.sync.client import connect

from tests.e2e.system import (
    GENEROUS,
    READY_SECONDS,
    START_SECONDS,
    TAKEOVER_SECONDS,
    V1,
    eventually,
    memory_of,
)

pytestmark = pytest.mark.faults
KINDS = ("sse", "websocket")
TRIES = 40
MIB = 1024 * 1024
FLOOD = "/flood 10000"
RUN_INPUT = {
    "threadId": "t",
    "runId": "late",
    "state": {},
    "messages": [{"id": "1", "role": "user", "content": "/echo late"}],
    "tools": [],
    "context": [],
    "forwardedProps": {},
}
CALLS_OF_A_HOLDER = {
    "/": RUN_INPUT,
    "/runs/late/ack": {"index": 1},
    "/interrupt": {},
    "/exit": {"run": "late"},
}


@pytest.fixture(autouse=True)
def _healed(healed):
    """Every test here leaves the platform as it was found."""


@pytest.fixture
def two(stage):
    """Two control planes: (heartbeats of the first, of the second, the second, its URL)."""
    # The heartbeat of a process that an earlier test killed lives on for a while.
    [first] = eventually(lambda: stage.owners() if len(stage.owners()) == 1 else None, "one heartbeat")
    second, url = stage.add_control_plane()
    [other] = eventually(lambda: stage.owners() - {first}, "the second's heartbeat")
    return first, other, second, url


@pytest.fixture
def held_by(stage, make_session):
    """A session with a run whose stream this process holds; whoever is faster takes one, so it is tried."""

    def find(wanted, prompt):
        for _ in range(TRIES):
            session = make_session(prompt=prompt)
            eventually(lambda session=session: stage.holder(session), "a lease")
            if stage.holder(session) == wanted:
                return session
            stage.client.sessions.delete(session)
        raise AssertionError(f"{wanted} took none of {TRIES} streams")

    return find


def follow(stage, watchers, session, *more):
    """Watchers of both kinds on every port, once they have seen some ticks."""
    bases = (stage.api, stage.control_plane, *more)
    everyone = [watchers.events(base, session, kind=kind) for base in bases for kind in KINDS]
    for watcher in everyone:
        watcher.wait(lambda watcher=watcher: "tick 3" in watcher.text(), "ticks")
    return everyone


def check_whole(everyone, ticks):
    for watcher in everyone:
        watcher.wait_runs(1, seconds=TAKEOVER_SECONDS + READY_SECONDS)
    for watcher in everyone:
        watcher.check_dense()
        assert watcher.seen == everyone[0].seen, watcher.name
        assert watcher.count("RUN_STARTED") == watcher.count("RUN_FINISHED") == 1
    said = [f"tick {number} of {ticks}" for number in range(1, ticks + 1)]
    assert everyone[0].text().splitlines() == [*said, "done"]


@pytest.mark.parametrize("holder", ["first", "second"])
def test_every_event_arrives_once_when_the_lease_holder_is_killed(stage, watchers, two, held_by, holder):
    first, other, second, url = two
    session = held_by(first if holder == "first" else other, "/long 10")
    everyone = follow(stage, watchers, session, url)
    if holder == "first":
        stage.kill("control-plane")
    else:
        second.kill()
    eventually(
        lambda: stage.holder(session) not in (None, first if holder == "first" else other),
        "another holder",
        TAKEOVER_SECONDS,
    )
    check_whole(everyone, 50)
    assert stage.epoch(session) == 2


def test_holder_that_is_drained_hands_its_runs_over_at_once(stage, watchers, two, held_by):
    first, other, second, _ = two
    session = held_by(other, "/long 10")
    everyone = follow(stage, watchers, session)
    second.kill(signal.SIGTERM)
    eventually(lambda: stage.holder(session) == first, "the first holds it", 1 * GENEROUS)
    check_whole(everyone, 50)
    assert [watcher.connections for watcher in everyone] == [1] * len(everyone)


def test_clients_of_another_replica_that_is_killed_come_back_with_their_cursor(stage, watchers, make_session):
    session = make_session(prompt="/long 12")
    everyone = follow(stage, watchers, session)
    stage.kill("api")
    check_whole(everyone, 60)
    cut = {watcher.base: watcher.connections > 1 for watcher in everyone}
    assert cut == {stage.api: True, stage.control_plane: False}
    assert stage.epoch(session) == 1


def test_holder_frozen_longer_than_its_lease_is_replaced_and_refused_when_it_wakes(
    stage, watchers, two, held_by
):
    first, other, second, url = two
    session = held_by(other, "/long 16")
    everyone = follow(stage, watchers, session)
    behind = watchers.events(url, session)
    behind.wait(lambda: "tick 3" in behind.text(), "ticks")
    with stage.frozen(second.pid):
        eventually(lambda: stage.holder(session) == first, "the first holds it", TAKEOVER_SECONDS)
        seen = len(everyone[0].seen)
        everyone[0].wait(lambda: len(everyone[0].seen) > seen + 5, "new events")
        for path, body in CALLS_OF_A_HOLDER.items():
            late = stage.call_runner(session, path, body, epoch=1)
            assert (late.status_code, late.json()["reason"]) == (409, "StaleEpoch"), path
    eventually(
        lambda: stage.metric(url, "ambient_stream_leases_lost_total") == 1, "the old one knows", READY_SECONDS
    )
    check_whole([*everyone, behind], 80)
    assert stage.holder(session) in (first, None)
    assert stage.epoch(session) == 2


def test_runner_that_falls_silent_ends_its_run_visibly(stage, watchers, running):
    watcher = watchers.events(stage.api, running)
    sent = stage.client.sessions.send(running, "/long 60")
    watcher.wait(lambda: "tick 3" in watcher.text(), "ticks")
    with stage.frozen(stage.runner(running)):
        watcher.wait_runs(1, seconds=20 * GENEROUS)
    assert watcher.events[-1]["type"] == "RUN_ERROR"
    assert watcher.events[-1]["message"]
    message = stage.wait_delivery(running, sent.id, "failed")
    assert message.reason in ("StreamLost", "RunnerRestarted")
    retried = stage.request("POST", f"/sessions/{running}/messages/{sent.id}/retry")
    assert retried.status_code in (200, 201), retried.text
    watcher.wait(lambda: watcher.count("RUN_STARTED") == 2, "the retry's run", TAKEOVER_SECONDS)
    watcher.check_dense()


def test_slow_reader_is_late_but_complete_and_delays_nobody(stage, watchers, running):
    slow = watchers.slow(stage.control_plane, running)
    fast = watchers.events(stage.control_plane, running)
    message = stage.ask_and_wait(running, "/flood 20000", seconds=60 * GENEROUS)
    assert message.delivery == "done"
    fast.wait_runs(1)
    assert len(slow.seen) < len(fast.seen), "the slow one is not yet there"
    slow.hurry()
    assert slow.wait_end("RUN_FINISHED", 60 * GENEROUS) == fast.seen
    fast.check_dense()


@pytest.mark.timeout(600)
def test_500_watchers_replay_at_once_and_a_flood_beside_them_is_stored(stage, watchers, make_session):
    old, new = make_session(prompt="/flood 1000"), make_session()
    for session in (old, new):
        stage.wait_phase(session, "Running")
    whole = watchers.events(stage.control_plane, old)
    whole.wait_runs(1, seconds=60 * GENEROUS)
    pid = stage.pid("control-plane")
    begin = time.monotonic()
    assert stage.ask_and_wait(new, FLOOD, 60 * GENEROUS).delivery == "done"
    alone = time.monotonic() - begin
    before = memory_of(pid)
    everyone = [watchers.counter(stage.control_plane, old) for _ in range(500)]
    sent = stage.client.sessions.send(new, FLOOD)
    soon = max(alone, 1) * GENEROUS  # appends wait for no watcher
    assert stage.wait_delivery(new, sent.id, "done", "failed", seconds=soon).delivery == "done"
    live = watchers.events(stage.api, new)
    last = whole.seqs[-1]
    for watcher in everyone:
        eventually(
            lambda watcher=watcher: watcher.problem or watcher.last >= last, f"event {last}", 120 * GENEROUS
        )
    assert {(watcher.problem, watcher.events, watcher.in_order) for watcher in everyone} == {
        ("", len(whole.seen), True)
    }
    live.wait_runs(2)
    live.check_dense()
    assert live.count("TEXT_MESSAGE_CONTENT") == 20_000
    assert memory_of(pid) - before < 400 * MIB
    assert stage.pid("control-plane") == pid


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        pytest.param(["{not json"] * 20, "JSON", id="garbage"),
        pytest.param([json.dumps({"op": "ping"})] * 400, "too many frames", id="flood"),
    ],
)
def test_garbage_or_a_flood_on_a_websocket_ends_it_alone(stage, watchers, running, frames, reason):
    other = watchers.events(stage.api, running, kind="websocket")
    address = re.sub("^http", "ws", f"{stage.api}{V1}/sessions/{running}/agui/ws")
    refused = []

    def talk(socket):
        with suppress(websockets.ConnectionClosed):  # whoever reads hears of it with its reason
            for frame in frames:
                socket.send(frame)

    def listen(socket):
        while True:
            answer = json.loads(socket.recv(timeout=START_SECONDS))
            refused.extend([answer["error"]["reason"]] if "error" in answer else [])

    with (
        connect(address, subprotocols=["ambient", f"bearer.{stage.token}"], proxy=None) as socket,
        ThreadPoolExecutor(1) as threads,
    ):
        threads.submit(talk, socket)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            listen(socket)
        assert closed.value.rcvd.code == 4400
    assert len(refused) == 10
    assert all(reason in text for text in refused), refused
    assert stage.ask_and_wait(running, "/echo unharmed").delivery == "done"
    other.wait_runs(1)
    other.check_dense()
    assert other.connections == 1
