"""Runners and their host are killed: restarted a bounded number of times, and nothing is left behind."""

import os
import signal

import pytest

from tests.e2e.system import GENEROUS, START_SECONDS, eventually, state_of

pytestmark = pytest.mark.faults
RESTARTS = 3


@pytest.fixture(autouse=True)
def _healed(healed):
    """Every test here leaves the platform as it was found."""


def test_runner_that_ends_by_itself_with_0_completes_the_session(stage, running):
    os.kill(stage.runner(running), signal.SIGTERM)
    ended = stage.wait_phase(running, "Completed", "Failed")
    assert (ended.phase, ended.reason) == ("Completed", "Succeeded")
    assert stage.attempt(running) == 1
    assert stage.runners(running) == []


def test_runner_that_crashes_again_and_again_fails_with_its_code_and_last_words(stage, running):
    for attempt in range(1, RESTARTS + 1):
        assert stage.ask_and_wait(running, "/crash 3").delivery == "failed"
        seconds = (5 if attempt == 1 else START_SECONDS) * GENEROUS
        assert stage.wait_attempt(running, attempt + 1, seconds).phase == "Running"
    assert stage.ask_and_wait(running, "/crash 3").delivery == "failed"
    ended = stage.wait_phase(running, "Failed")
    assert ended.reason == "RunnerExited"
    assert "exit code 3" in ended.reason_text
    assert "last lines" in ended.reason_text
    assert stage.runners(running) == []
    assert stage.ask_and_wait(running, "/echo a message starts it again").delivery == "done"


def test_killed_runner_is_restarted_and_goes_on(stage, watchers, running):
    watcher = watchers.events(stage.api, running)
    sent = stage.client.sessions.send(running, "/long 60")
    watcher.wait(lambda: "tick 2" in watcher.text(), "ticks")
    os.kill(stage.runner(running), signal.SIGKILL)
    watcher.wait(
        lambda: watcher.count("RUN_ERROR") and stage.attempt(running) == 2,
        "the run's error and a restart",
        5 * GENEROUS,
    )
    assert watcher.events[-1]["type"] == "RUN_ERROR"
    assert stage.wait_delivery(running, sent.id, "failed").reason == "RunnerRestarted"
    assert stage.wait_attempt(running, 2).phase == "Running"
    assert stage.ask_and_wait(running, "/echo back again").delivery == "done"
    watcher.wait_runs(2)
    assert "back again" in watcher.text()
    watcher.check_dense()


def test_runner_that_is_killed_again_and_again_fails_with_its_signal(stage, running):
    for attempt in range(2, RESTARTS + 2):
        os.kill(stage.runner(running), signal.SIGKILL)
        assert stage.wait_attempt(running, attempt).phase == "Running"
        assert stage.attempt(running) == attempt
    os.kill(stage.runner(running), signal.SIGKILL)
    ended = stage.wait_phase(running, "Failed")
    assert ended.reason == "RunnerExited"
    assert "SIGKILL" in ended.reason_text
    assert f"After {RESTARTS} restarts" in ended.reason_text
    assert stage.attempt(running) == RESTARTS + 1
    assert stage.runners(running) == []


@pytest.mark.process_runtime
def test_killed_host_takes_its_runners_along_and_they_come_back(stage, reasons, make_session):
    sessions = [make_session(name=name) for name in ("a", "b")]
    for session in sessions:
        stage.wait_phase(session, "Running")
    approving = sessions[0]
    stage.client.sessions.send(approving, "/approve sleep 1000")
    asked = stage.question(approving)
    stage.client.sessions.answer(approving, asked.id, {"approved": True})
    eventually(lambda: len(stage.runners(approving)) >= 2, "the runner's tool")
    old = {session: stage.runners(session) for session in sessions}
    killed = stage.kill("runner-host")
    eventually(
        lambda: all(stage.attempt(session) == 2 for session in sessions), "both restarted", 30 * GENEROUS
    )
    for session in sessions:
        assert stage.wait_attempt(session, 2).phase == "Running"
    assert stage.pid("runner-host") != killed
    assert not [pid for pids in old.values() for pid in pids if state_of(pid) not in ("", "Z")]
    assert stage.query("SELECT sum(restarts) FROM sessions_app_session WHERE id = ANY(%s)", sessions) == [
        (0,)
    ]
    for session in sessions:
        assert reasons(session)[-4:] == ["Ready", "HostRestarted", "Starting", "Ready"]
        assert len(stage.runners(session)) == 1
        assert stage.ask_and_wait(session, "/echo alive").delivery == "done"
