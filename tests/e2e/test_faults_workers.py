"""Workers and wakers are killed, frozen, doubled or given a wrong clock: sessions still start, once."""

import importlib.util
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.e2e.system import (
    GENEROUS,
    START_SECONDS,
    TAKEOVER_SECONDS,
    eventually,
    processes_of,
)

pytestmark = pytest.mark.faults
RENEWED = """SELECT count(*) FROM reconciler_workitem
             WHERE key = ANY(%s) AND locked_until > requested_at + interval '12 s'"""
CLAIMED = "SELECT count(*) FROM reconciler_workitem WHERE key = ANY(%s) AND locked_until > now()"
ASK = "SELECT ambient_ask('session', id, project_id, false) FROM sessions_app_session WHERE id = ANY(%s)"
WAITING = "SELECT count(*) FROM reconciler_workitem WHERE key = ANY(%s) AND due_at <= now()"
TWO_DAYS = 2 * 24 * 3600


@pytest.fixture(autouse=True)
def _healed(healed):
    """Every test here leaves the platform as it was found."""


def hold_at_the_host(stage, sessions, act, begin=lambda: None):
    """Do something to the workers while a pass has read its session and waits for the runner-host."""
    with stage.frozen(stage.pid("runner-host")):
        begin()
        eventually(lambda: stage.query(RENEWED, sessions) != [(0,)], "a pass that waits, its claim renewed")
        act()


def hold_in_a_write(stage, sessions, act, begin=lambda: None):
    """Do something to the workers while a pass of these sessions has its claim and waits to write."""
    with psycopg.connect(stage.platform.env["DATABASE_URL"]) as connection:
        connection.execute("SELECT 1 FROM sessions_app_session WHERE id = ANY(%s) FOR UPDATE", [sessions])
        begin()
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
    hold_in_a_write(stage, sessions, lambda: stage.kill("worker"))
    check_running_once(stage, sessions)


@pytest.mark.parametrize(
    "hold", [hold_in_a_write, pytest.param(hold_at_the_host, marks=pytest.mark.process_runtime)]
)
def test_worker_frozen_in_a_pass_is_replaced_and_harmless_when_it_wakes(stage, reasons, make_session, hold):
    second = stage.add_worker()
    with ExitStack() as first_frozen:

        def freeze_first():
            first_frozen.enter_context(stage.frozen(stage.pid("worker")))

        with stage.frozen(second.pid):  # so that it is the first that has the claims
            freeze_first()  # until all is held: else it may have stored an attempt that it never makes
            sessions = [make_session(name=str(number)) for number in range(4)]
            hold(stage, sessions, freeze_first, begin=first_frozen.close)
        for session in sessions:
            stage.wait_phase(session, "Running")
    with stage.frozen(second.pid):  # so that it is the first that does this, after its late passes
        stage.wait_phase(make_session(name="later"), "Running")
    check_running_once(stage, sessions)
    for session in sessions:
        assert stage.attempt(session) == 1, reasons(session)
        assert reasons(session).count("Ready") == 1, "no late write was taken"
        assert reasons(session)[-1] == "Ready"


@pytest.mark.parametrize("frozen", ["watcher", "beat"])
def test_start_and_stop_need_only_one_waker(stage, make_session, frozen):
    with stage.frozen(stage.pid(frozen)):
        session = make_session()
        stage.wait_phase(session, "Running", seconds=4 * GENEROUS)
        stage.client.sessions.stop(session)
        stage.wait_phase(session, "Stopped")
        assert stage.runners(session) == []


def test_two_workers_asked_for_the_same_sessions_again_and_again_start_one_runner_each(stage, make_session):
    stage.add_worker()
    sessions = [make_session(name=str(number)) for number in range(6)]

    def all_run():
        stage.query(ASK, sessions)
        return all(stage.client.sessions.get(session).phase == "Running" for session in sessions)

    eventually(all_run, "all run")
    check_running_once(stage, sessions)
    assert [stage.attempt(session) for session in sessions] == [1] * len(sessions)


def wrong_clock(seconds):
    """The environment of a process whose wall clock is off; the monotonic clock goes on, as in a jump."""
    package = Path(importlib.util.find_spec("libfaketime").origin).parent
    variables = {
        "LD_PRELOAD": str(package / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"),
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    command = [sys.executable, "-S", "-c", "import time; print(time.time())"]
    shown = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, check=True
    ).stdout
    assert abs(float(shown) - time.time() - seconds) < 60, "libfaketime does not work on this machine"
    return variables


@pytest.mark.parametrize(
    "seconds", [pytest.param(TWO_DAYS, id="ahead"), pytest.param(-TWO_DAYS, id="behind")]
)
def test_worker_whose_clock_jumped_keeps_every_deadline(stage, make_session, seconds):
    stage.add_worker(**wrong_clock(seconds))
    with stage.frozen(stage.pid("worker")):
        long, short = make_session(timeout=3600), make_session(timeout=5)
        for session in (long, short):
            stage.wait_phase(session, "Running")
        ended = stage.wait_phase(short, "Stopped")
        assert ended.reason == "Timeout"
        stage.query(ASK, [long])
        eventually(lambda: stage.query(WAITING, [long]) == [(0,)], "another pass")
        assert stage.wait_phase(long, "Running").reason == "Ready"
        assert stage.attempt(long) == stage.attempt(short) == 1


@pytest.mark.parametrize(
    "seconds", [pytest.param(TWO_DAYS, id="ahead"), pytest.param(-TWO_DAYS, id="behind")]
)
def test_control_plane_whose_clock_jumped_keeps_its_lease_and_runs(stage, watchers, running, seconds):
    first = stage.owners()
    stage.add_control_plane(**wrong_clock(seconds))
    [second] = eventually(lambda: stage.owners() - first, "the heartbeat of the second")
    watcher = watchers.events(stage.api, running)
    with stage.frozen(stage.pid("control-plane")):
        eventually(lambda: stage.owners() == {second}, "the first's heartbeat is over")
        assert stage.ask_and_wait(running, "/long 7", TAKEOVER_SECONDS).delivery == "done"
        assert stage.epoch(running) == 1
    watcher.wait_runs(1)
    watcher.check_dense()


@pytest.mark.parametrize(
    "names",
    [pytest.param(["control-plane"], id="control-plane"), pytest.param(None, id="everything")],
)
def test_question_survives_a_restart_and_its_answer_goes_on(stage, watchers, running, names):
    watcher = watchers.events(stage.api, running)
    stage.client.sessions.send(running, "/ask Which colour?")
    asked = stage.question(running)
    stage.restart(names or stage.process_names())
    assert stage.question(running).id == asked.id
    stage.client.sessions.answer(running, asked.id, {"answer": "Blue"})
    watcher.wait_runs(2, seconds=START_SECONDS + TAKEOVER_SECONDS)
    assert watcher.events[-1]["type"] == "RUN_FINISHED"
    assert "Blue" in watcher.text()
    watcher.check_dense()
    assert stage.client.sessions.get(running).phase == "Running"


def test_stop_during_a_slow_start_leaves_no_runner(stage, make_session):
    with stage.runtime.gate.held():
        session = make_session()
        stage.wait_phase(session, "Creating")
        eventually(lambda: stage.runners(session), "a runner that is coming up")
        stage.client.sessions.stop(session)
        stopped = stage.wait_phase(session, "Stopped", seconds=15 * GENEROUS)
        assert stopped.reason == "StoppedByUser"
        assert stage.runners(session) == []
    assert stage.attempt(session) == 1


def test_start_that_cannot_succeed_fails_with_its_reason_and_may_be_asked_for_again(stage, make_session):
    with stage.runtime.gate.refusing():
        session = make_session()
        failed = stage.wait_phase(session, "Failed")
        assert failed.reason == "ConfigInvalid"
        assert "the gate refuses to start" in failed.reason_text
        assert stage.runners(session) == []
    stage.client.sessions.start(session)
    check_running_once(stage, [session])


def test_session_without_a_place_waits_and_says_for_what(stage, make_session, project):
    first = make_session()
    stage.wait_phase(first, "Running")
    stage.execute(f"INSERT INTO reconciler_limit (project_id, max_running) VALUES ('{project}', 1)")
    second = make_session()
    waiting = stage.wait_session(
        second, lambda row: row.reason == "Waiting" and "All 1 places" in row.reason_text, "the reason"
    )
    assert waiting.phase == "Pending"
    stage.client.sessions.stop(first)
    check_running_once(stage, [second])


@pytest.mark.timeout(600)
def test_deleted_project_with_100_sessions_is_gone_and_others_are_untouched(stage, make_session, running):
    doomed = "doomed"
    stage.client.projects.create(name=doomed)
    live = stage.client.sessions.create(name="live", project_id=doomed, prompt="/long 600").id
    stage.wait_phase(live, "Running")
    with stage.runtime.gate.held():
        sessions = [live]
        for number in range(99):
            sessions.append(stage.client.sessions.create(name=str(number), project_id=doomed).id)
        starting = """SELECT count(*) FROM sessions_app_session WHERE project_id = %s
                      AND (phase = 'Creating' OR reason_text LIKE 'All %% places of the platform%%')"""
        eventually(lambda: stage.query(starting, doomed) == [(99,)], "all start or wait", 60 * GENEROUS)
        assert len(stage.runners()) > 40
        assert stage.request("DELETE", f"/projects/{doomed}").status_code == 204
        phases = "SELECT DISTINCT phase FROM sessions_app_session WHERE project_id = %s"
        eventually(lambda: stage.query(phases, doomed) == [("Stopped",)], "all ended", 60 * GENEROUS)
        eventually(lambda: not any(stage.runners(session) for session in sessions), "no runner left")
        folders = [stage.workspace(session).parent for session in sessions]
        eventually(lambda: not any(folder.exists() for folder in folders), "no folder left")
    assert stage.runners(running)
    assert stage.ask_and_wait(running, "/echo still here").delivery == "done"
    assert stage.attempt(running) == 1


@pytest.mark.process_runtime
def test_stopped_platform_leaves_no_process(make_stage):
    stage = make_stage()
    stage.client.projects.create(name="last")
    session = stage.client.sessions.create(name="s", project_id="last", prompt="/long 600").id
    stage.wait_phase(session, "Running")
    assert len(processes_of(stage.home)) > len(stage.process_names())
    stage.stop()
    assert processes_of(stage.home) == []
