"""The life of a session from outside: started, finished, stopped, started again, deleted."""

import json
import subprocess

import pytest

from tests.e2e.system import GENEROUS, eventually


def truths(session):
    """Types of the conditions that are true."""
    return {entry["type"] for entry in json.loads(session.conditions) if entry["status"] == "True"} - {
        "ConfigValid",
        "WorkspaceReady",  # the runner's own word, about files that stay
    }


def times(session):
    return {entry["type"]: entry["last_transition_time"] for entry in json.loads(session.conditions)}


@pytest.fixture
def completed(stage, make_session, repository):
    """A session that has ended with its work."""
    session = make_session(
        prompt="Look around.", repos=json.dumps([{"url": repository}]), stop_on_run_finished=True
    )
    ended = stage.wait_phase(session, "Completed", "Failed", seconds=30 * GENEROUS)
    assert (ended.phase, ended.reason) == ("Completed", "Succeeded")
    return session


def test_session_that_should_end_with_its_work_is_completed(stage, completed):
    assert stage.runners(completed) == []
    [run] = stage.request("GET", f"/sessions/{completed}/runs").json()["items"]
    assert run["state"] == "finished"


@pytest.mark.process_runtime  # a pod's own files go with it
def test_completed_session_leaves_the_report(stage, completed):
    repo = stage.workspace(completed) / "repos" / "sample"

    def git(*arguments):
        command = ["git", "-C", str(repo), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert git("rev-parse", "--abbrev-ref", "HEAD") == f"ambient/{completed}"
    assert git("status", "--porcelain") == ""
    assert git("rev-list", "--count", "HEAD") == "2"
    assert "Look around." in git("show", "HEAD:REPORT.md")


def test_stop_in_the_middle_of_a_run_leaves_no_process(stage, watchers, running):
    watcher = watchers.events(stage.api, running)
    sent = stage.client.sessions.send(running, "/long 60")
    watcher.wait(lambda: "tick 2" in watcher.text(), "ticks")
    stage.client.sessions.stop(running)
    stopped = stage.wait_phase(running, "Stopped")
    assert stopped.reason == "StoppedByUser"
    assert stage.runners(running) == []
    watcher.wait_runs(1)
    assert watcher.events[-1]["type"] == "RUN_ERROR"
    assert stage.wait_delivery(running, sent.id, "failed").reason == "SessionStopped"


def test_message_to_a_stopped_session_starts_it_and_is_answered(stage, watchers, running):
    stage.client.sessions.stop(running)
    stopped = stage.wait_phase(running, "Stopped")
    assert truths(stopped) == {"Accepted", "Finished"}
    assert stage.ask_and_wait(running, "/echo are you there").delivery == "done"
    again = stage.client.sessions.get(running)
    assert again.phase == "Running"
    assert "Finished" not in truths(again)
    assert {"Placed", "RunnerReady"} <= truths(again)
    assert times(again)["Placed"] > times(stopped)["Finished"]
    watcher = watchers.events(stage.api, running)
    watcher.wait_runs(1)
    assert "are you there" in watcher.text()


def test_repository_that_cannot_be_cloned_fails_the_run_with_its_reason(stage, watchers, make_session):
    session = make_session(repos=json.dumps([{"url": "file:///nonexistent/repo"}]), prompt="/report")
    watcher = watchers.events(stage.api, session)
    watcher.wait_runs(1)
    assert watcher.events[-1]["type"] == "RUN_ERROR"
    assert watcher.events[-1]["code"] == "RepositoryRefused"
    [message] = [row for row in stage.client.sessions.messages(session) if row.event_type == "user"]
    assert stage.wait_delivery(session, message.id, "failed").reason
    assert stage.client.sessions.get(session).phase == "Running"


def test_deleted_project_ends_its_sessions(stage, make_session, project):
    sessions = [make_session(name=name, prompt="/long 60") for name in ("a", "b")]
    for session in sessions:
        stage.wait_phase(session, "Running")
    stage.client.projects.delete(project)
    eventually(lambda: not any(stage.runners(session) for session in sessions), "no runner left")
    for session in sessions:
        assert stage.request("GET", f"/sessions/{session}").status_code == 404
    phases = "SELECT DISTINCT phase FROM sessions_app_session WHERE project_id = %s"
    eventually(lambda: stage.query(phases, project) == [("Stopped",)], "all sessions ended")


def test_deleted_session_leaves_no_process_and_no_folder(stage, running):
    folder = stage.workspace(running).parent
    assert folder.is_dir()
    stage.client.sessions.delete(running)
    eventually(lambda: not stage.runners(running) and not folder.exists(), "nothing left")
