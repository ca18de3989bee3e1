"""Runners and their host are killed: restarted a bounded number of times, and nothing is left behind."""

import os
import signal

import pytest

from tests.e2e.harness import GENEROUS, START_SECONDS, eventually, state_of

pytestmark = pytest.mark.faults
RESTARTS = 3


def attempt_of(stage, session):
    [(attempt,)] = stage.query("SELECT attempt FROM sessions_app_session WHERE id = %s", session)
    return attempt


def wait_attempt(stage, session, attempt, seconds=START_SECONDS):
    """Running again with this attempt."""
    eventually(lambda: attempt_of(stage, session) >= attempt, f"attempt {attempt}", seconds)
    return stage.wait_phase(session, "Running", "Failed")


@pytest.fixture
def healed(stage):
    yield stage
    stage.heal()


RECORD = """
    CREATE TABLE IF NOT EXISTS e2e_reason (id serial PRIMARY KEY, session text, reason text);
    CREATE OR REPLACE FUNCTION e2e_record() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO e2e_reason (session, reason) VALUES (NEW.id, NEW.reason);
        RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER e2e_record AFTER UPDATE OF reason ON sessions_app_session
        FOR EACH ROW WHEN (OLD.reason IS DISTINCT FROM NEW.reason) EXECUTE FUNCTION e2e_record();
"""


@pytest.fixture
def reasons(stage):
    """Every reason that a session has had, also those that stood for an instant only."""
    stage.execute(RECORD)
    rows = "SELECT reason FROM e2e_reason WHERE session = %s ORDER BY id"
    yield lambda session: [reason for (reason,) in stage.query(rows, session)]
    stage.execute("DROP TRIGGER e2e_record ON sessions_app_session")


def test_killed_runner_is_restarted_and_goes_on(stage, watchers, running):
    watcher = watchers.events(stage.api, running)
    sent = stage.client.sessions.send(running, "/long 60")
    watcher.wait(lambda: "tick 2" in watcher.text(), "ticks")
    os.kill(stage.runner(running), signal.SIGKILL)
    assert wait_attempt(stage, running, 2).phase == "Running"
    assert attempt_of(stage, running) == 2
    watcher.wait_runs(1)
    assert watcher.events[-1]["type"] == "RUN_ERROR"
    assert stage.wait_delivery(running, sent.id, "failed").reason == "RunnerRestarted"
    assert stage.ask_and_wait(running, "/echo back again").delivery == "done"
    watcher.wait_runs(2)
    assert "back again" in watcher.text()
    watcher.check_dense()


def test_runner_that_is_killed_again_and_again_fails_with_its_signal(stage, running):
    for attempt in range(2, RESTARTS + 2):
        os.kill(stage.runner(running), signal.SIGKILL)
        assert wait_attempt(stage, running, attempt).phase == "Running"
        assert attempt_of(stage, running) == attempt
    os.kill(stage.runner(running), signal.SIGKILL)
    ended = stage.wait_phase(running, "Failed")
    assert ended.reason == "RunnerExited"
    assert "SIGKILL" in ended.reason_text
    assert f"After {RESTARTS} restarts" in ended.reason_text
    assert attempt_of(stage, running) == RESTARTS + 1
    assert stage.runners(running) == []


def test_killed_host_takes_its_runners_along_and_they_come_back(healed, reasons, make_session):
    stage = healed
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
    for session in sessions:
        assert wait_attempt(stage, session, 2, START_SECONDS + 30 * GENEROUS).phase == "Running"
        assert attempt_of(stage, session) == 2
    assert stage.pid("runner-host") != killed
    assert not [pid for pids in old.values() for pid in pids if state_of(pid) not in ("", "Z")]
    assert stage.query("SELECT sum(restarts) FROM sessions_app_session WHERE id = ANY(%s)", sessions) == [
        (0,)
    ]
    for session in sessions:
        assert reasons(session)[-4:] == ["Ready", "HostRestarted", "Starting", "Ready"]
        assert len(stage.runners(session)) == 1
        assert stage.ask_and_wait(session, "/echo alive").delivery == "done"
