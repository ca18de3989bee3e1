"""Processes of the platform are killed or frozen: sessions still start, streams stay whole, runs go on."""

import os
import signal

import httpx
import psycopg
import pytest

from ambient.common.processes import children_of
from ambient.embedded.home import free_port
from tests.e2e.harness import READY_SECONDS, START_SECONDS, TAKEOVER_SECONDS, Stage, eventually, processes_of

pytestmark = pytest.mark.faults
KINDS = ("sse", "websocket")
CLAIMED = "SELECT count(*) FROM reconciler_workitem WHERE key = ANY(%s) AND locked_until > now()"


@pytest.fixture(autouse=True)
def healed(stage):
    """Leaves the platform as it was found."""
    yield
    stage.heal()


def hold_in_their_passes(stage, sessions, act):
    """Do something to the workers while a pass of these sessions has its claim and cannot go on."""
    with psycopg.connect(stage.platform.env["DATABASE_URL"]) as connection:
        connection.execute("SELECT 1 FROM sessions_app_session WHERE id = ANY(%s) FOR UPDATE", [sessions])
        eventually(lambda: stage.query(CLAIMED, sessions) != [(0,)], "a pass under way")
        act()


def check_running_once(stage, sessions, seconds=START_SECONDS):
    for session in sessions:
        stage.wait_phase(session, "Running", seconds=seconds)
    for session in sessions:
        eventually(lambda session=session: len(stage.runners(session)) == 1, "one runner")
        assert stage.ask_and_wait(session, "/echo hello").delivery == "done"


def test_worker_killed_in_a_pass_delays_but_loses_nothing(stage, make_session):
    sessions = [make_session(name=str(number)) for number in range(4)]
    hold_in_their_passes(stage, sessions, lambda: stage.kill("worker"))
    check_running_once(stage, sessions)


def test_worker_frozen_in_a_pass_is_replaced_and_harmless_when_it_wakes(stage, make_session):
    other = stage.spawn("worker", env={})
    eventually(lambda: children_of(other.pid), "the second worker's children", READY_SECONDS)
    sessions = [make_session(name=str(number)) for number in range(4)]
    frozen = [stage.pid("worker"), *children_of(stage.pid("worker"))]
    try:
        hold_in_their_passes(stage, sessions, lambda: [os.kill(pid, signal.SIGSTOP) for pid in frozen])
        for session in sessions:
            stage.wait_phase(session, "Running")
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    check_running_once(stage, sessions)


@pytest.mark.parametrize("frozen", ["watcher", "beat"])
def test_start_and_stop_need_only_one_waker(stage, make_session, frozen):
    stage.kill(frozen, signal.SIGSTOP)
    session = make_session()
    stage.wait_phase(session, "Running")
    stage.client.sessions.stop(session)
    stage.wait_phase(session, "Stopped")
    assert stage.runners(session) == []


def answers(url):
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("holder", ["first", "second"])
def test_every_event_arrives_once_when_the_lease_holder_is_killed(stage, watchers, make_session, holder):
    owners = "SELECT process FROM sessions_app_streamowner WHERE expires_at > now()"
    # The heartbeat of a process that an earlier test killed lives on for a while.
    eventually(lambda: len(stage.query(owners)) == 1, "one living control plane", READY_SECONDS)
    first = set(stage.query(owners))
    port = str(free_port())
    env = {"AMBIENT_CONTROL_PLANE_PORT": port}
    second_url = f"http://127.0.0.1:{port}"
    second = stage.spawn("serve", "control-plane", env=env)
    eventually(lambda: answers(second_url), "the second control plane", READY_SECONDS)

    held = "SELECT owner FROM sessions_app_sessionstream WHERE session_id = %s AND owner IS NOT NULL"
    wanted = first if holder == "first" else set(stage.query(owners)) - first
    for _ in range(40):  # whoever is faster takes a stream, so try until it is the one to be killed
        session = make_session(prompt="/long 12")
        eventually(lambda session=session: stage.query(held, session), "a lease")
        if set(stage.query(held, session)) == wanted:
            break
        stage.client.sessions.delete(session)
    assert set(stage.query(held, session)) == wanted
    bases = (stage.api, stage.control_plane, second_url)
    everyone = [watchers.events(base, session, kind=kind) for base in bases for kind in KINDS]
    for watcher in everyone:
        watcher.wait(lambda watcher=watcher: "tick 3" in watcher.text(), "ticks")

    if holder == "first":
        stage.kill("control-plane")
    else:
        second.kill()
        second.wait()
        stage.spawn("serve", "control-plane", env=env)
    for watcher in everyone:
        watcher.wait_runs(1, seconds=TAKEOVER_SECONDS + READY_SECONDS)
    taken = stage.query("SELECT epoch FROM sessions_app_sessionstream WHERE session_id = %s", session)
    assert taken[0][0] >= 2
    for watcher in everyone:
        watcher.check_dense()
        assert watcher.seen == everyone[0].seen, watcher.name
        assert watcher.count("RUN_STARTED") == watcher.count("RUN_FINISHED") == 1
    said = [f"tick {number} of 60" for number in range(1, 61)]
    assert everyone[0].text().splitlines() == [*said, "done"]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["control-plane"], id="control-plane"),
        pytest.param(["api", "control-plane", "worker", "beat", "watcher", "runner-host"], id="everything"),
    ],
)
def test_question_survives_a_restart_and_its_answer_goes_on(stage, watchers, running, names):
    watcher = watchers.events(stage.api, running)
    stage.client.sessions.send(running, "/ask Which colour?")
    asked = stage.question(running)
    stage.restart(names)
    assert stage.question(running).id == asked.id
    stage.client.sessions.answer(running, asked.id, {"answer": "Blue"})
    watcher.wait_runs(2, seconds=START_SECONDS + TAKEOVER_SECONDS)
    assert watcher.events[-1]["type"] == "RUN_FINISHED"
    assert "Blue" in watcher.text()
    watcher.check_dense()
    assert stage.client.sessions.get(running).phase == "Running"


def test_stopped_platform_leaves_no_process(tmp_path):
    stage = Stage(tmp_path)
    stage.start()
    try:
        stage.client.projects.create(name="last")
        session = stage.client.sessions.create(name="s", project_id="last", prompt="/long 600").id
        stage.wait_phase(session, "Running")
        assert len(processes_of(stage.home)) > len(stage.process_names())
    finally:
        stage.stop()
    assert processes_of(stage.home) == []
