"""Valkey and PostgreSQL go away and come back: what needs them waits, the rest goes on, nothing is lost."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.proxy import ReplyCutter
from tests.e2e.system import GENEROUS, READY_SECONDS, eventually
from tests.e2e.test_faults_streams import KINDS

pytestmark = pytest.mark.faults
AWAY_SECONDS = 15  # three lives of a heartbeat, as tests have it
BACK_SECONDS = 10 * GENEROUS
LATE_SECONDS = 2 * GENEROUS  # without Redis a watcher of another replica asks every 2 s
STREAM_BACK_SECONDS = 14 * GENEROUS


@pytest.fixture(autouse=True)
def _healed(healed):
    """Every test here leaves the platform as it was found."""


def everywhere(stage, watchers, session):
    return [
        watchers.events(base, session, kind=kind)
        for base in (stage.api, stage.control_plane)
        for kind in KINDS
    ]


def ticks(number):
    return [f"tick {tick} of {number}" for tick in range(1, number + 1)] + ["done"]


def test_without_the_broker_starts_wait_and_come_when_it_is_back(stage, make_session, running):
    with stage.without("valkey"):
        for server in (stage.api, stage.control_plane):
            answer = stage.request("GET", f"{server}/readyz")
            assert (answer.status_code, set(answer.json()["not_ready"])) == (200, {"redis"})
        session = make_session()
        assert stage.ask_and_wait(running, "/echo without you").delivery == "done"
        assert stage.client.sessions.get(running).phase == "Running"
        assert stage.query("SELECT phase, attempt FROM sessions_app_session WHERE id = %s", session) == [
            (None, 0)
        ]
    stage.wait_phase(session, "Running", seconds=BACK_SECONDS)
    assert stage.attempt(session) == 1
    assert stage.request("GET", f"{stage.api}/readyz").json() == {"ready": True, "not_ready": {}}


def test_without_redis_every_watcher_still_gets_every_event(stage, watchers, running):
    clients = everywhere(stage, watchers, running)
    holders = [client for client in clients if client.base == stage.control_plane]
    stage.client.sessions.send(running, "/long 12")
    for client in clients:
        client.wait(lambda client=client: "tick 3" in client.text(), "ticks")
    with stage.without("valkey"):
        for tick in (20, 35, 50):  # as it goes, and not only when all has come
            holders[0].wait(lambda tick=tick: f"tick {tick} " in holders[0].text(), f"tick {tick}")
            for client in clients:
                client.wait(
                    lambda client=client, tick=tick: f"tick {tick} " in client.text(),
                    f"tick {tick}",
                    LATE_SECONDS,
                )
        holders[0].wait_runs(1)
        for client in clients:
            client.wait_runs(1, LATE_SECONDS)
        for client in clients:
            client.check_dense()
            assert client.seen == clients[0].seen, client.name
            assert client.connections == 1
    assert clients[0].text().splitlines() == ticks(60)
    assert stage.ask_and_wait(running, "/echo with you").delivery == "done"


def test_database_that_restarts_is_a_503_with_a_retry_time_and_then_all_goes_on(stage, make_session, running):
    def many():
        with ThreadPoolExecutor(12) as threads:
            answers = threads.map(lambda _: stage.request("GET", f"/sessions/{running}"), range(24))
        return {answer.status_code for answer in answers}

    assert many() == {200}  # and many connections are open now
    with stage.without("postgres"):
        for path in ("/projects", f"/sessions/{running}"):
            refused = stage.request("GET", path)
            assert refused.status_code == 503, refused.text
            assert int(refused.headers["Retry-After"]) > 0
        for server in (stage.api, stage.control_plane):
            unready = stage.request("GET", f"{server}/readyz")
            assert (unready.status_code, "database" in unready.json()["not_ready"]) == (503, True)
    eventually(lambda: stage.request("GET", "/projects").status_code == 200, "an answer", BACK_SECONDS)
    assert many() == {200}, "no request meets a connection that the server has ended"
    session = make_session()
    stage.wait_phase(session, "Running", seconds=BACK_SECONDS)
    for pk in (session, running):
        assert stage.ask_and_wait(pk, "/echo back", BACK_SECONDS).delivery == "done"
        assert stage.attempt(pk) == 1


def test_streams_outlive_a_database_that_is_away_longer_than_a_lease(stage, watchers, running):
    second, _ = stage.add_control_plane()  # which could take the stream
    pids = stage.pid("control-plane"), second.pid
    clients = everywhere(stage, watchers, running)
    sent = stage.client.sessions.send(running, "/long 18")
    for client in clients:
        client.wait(lambda client=client: "tick 3" in client.text(), "ticks")
    epoch, holder = stage.epoch(running), stage.holder(running)
    reading = stage.runner_connections(running, *pids)
    assert reading, "the holder reads the run"
    with stage.without("postgres", signal.SIGINT):
        time.sleep(AWAY_SECONDS)  # the fault itself
    assert reading <= stage.runner_connections(running, *pids), "the runner is read by the same connection"
    for client in clients:
        client.wait_runs(1, seconds=STREAM_BACK_SECONDS)
        client.check_dense()
        assert client.seen == clients[0].seen, client.name
    eventually(lambda: stage.request("GET", "/projects").status_code == 200, "an answer", BACK_SECONDS)
    assert stage.wait_delivery(running, sent.id, "done", "failed").delivery == "done"
    assert clients[0].text().splitlines() == ticks(90)
    assert clients[0].count("RUN_STARTED") == clients[0].count("RUN_FINISHED") == 1
    assert stage.epoch(running) == epoch, "the holder kept its stream"
    assert stage.attempt(running) == 1
    assert holder in stage.owners()
    assert stage.supervisor.given_up() == []


@pytest.mark.parametrize(
    "needle",
    [
        pytest.param("tick 5 of", id="in-the-middle-of-a-run"),
        pytest.param("RUN_FINISHED", id="at-the-end-of-a-run"),
        pytest.param("SET state = 'running'", id="at-its-start"),
    ],
)
def test_commit_whose_reply_is_lost_is_seen_once(stage, watchers, running, needle):
    first = stage.owners()
    clients = everywhere(stage, watchers, running)
    with ReplyCutter(stage.platform.env["DATABASE_URL"], needle.encode()) as cutter:
        stage.add_control_plane(DATABASE_URL=cutter.url, DATABASE_DIRECT_URL=cutter.url)
        [second] = eventually(lambda: stage.owners() - first, "the heartbeat of the second")
        with stage.frozen(stage.pid("control-plane")):
            eventually(lambda: stage.owners() == {second}, "the first's heartbeat is over")
            sent = stage.client.sessions.send(running, "/long 2")
            message = stage.wait_delivery(running, sent.id, "done", "failed", seconds=READY_SECONDS)
            assert message.delivery == "done"
            assert cutter.cuts == 1
        for client in clients:
            client.wait_runs(1, seconds=STREAM_BACK_SECONDS)
            client.check_dense()
            assert client.seen == clients[0].seen, client.name
        assert clients[0].text().splitlines() == ticks(10)
        assert clients[0].count("RUN_STARTED") == clients[0].count("RUN_FINISHED") == 1
        stage.end_replicas()
