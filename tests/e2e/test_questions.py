"""The agent asks people: questions and approvals."""

import json

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui

from tests.e2e.system import START_SECONDS, eventually

ASKING = json.dumps({"AMBIENT_CLAUDE_PERMISSION_MODE": "default"})
FRAMEWORKS = {
    "demo": {"runner_type": "demo"},
    "claude": {
        "runner_type": "claude",
        "llm_model": "claude-sonnet-4-6",
        "environment_variables": ASKING,
    },
}
COMMAND = "echo x >> out.txt"
RESULTS = {"demo": "exit code 0", "claude": "Result:"}
PROMPTS = {"demo": f"/approve {COMMAND}", "claude": f"do bash: {COMMAND}"}


def test_question_is_answered_and_the_agent_goes_on(stage, watchers, running):
    watcher = watchers.events(stage.api, running)
    stage.client.sessions.send(running, "/ask Which colour?")
    asked = stage.question(running)
    assert asked.request["message"] == "Which colour?"
    assert stage.client.sessions.get(running).activity == "needs_you"
    answered = stage.client.sessions.answer(running, asked.id, {"answer": "Blue"})
    assert (answered.state, answered.answered_by) == ("answered", "admin")
    watcher.wait_runs(2)
    assert "Blue" in watcher.text()
    assert stage.client.sessions.questions(running) == []


@pytest.mark.parametrize(
    ("decision", "done"),
    [
        pytest.param({"approved": True}, True, id="approved-runs-the-command"),
        pytest.param({"approved": False, "reason": "not now"}, False, id="denied-does-not"),
    ],
)
def test_approval(stage, watchers, running, decision, done):
    watcher = watchers.events(stage.api, running)
    stage.client.sessions.send(running, "/approve touch approved.txt")
    asked = stage.question(running)
    assert "touch approved.txt" in asked.request["message"]
    made = stage.workspace(running).rglob("approved.txt")
    assert list(made) == []
    stage.client.sessions.answer(running, asked.id, decision)
    watcher.wait_runs(2)
    assert watcher.events[-1]["type"] == "RUN_FINISHED"
    assert bool(list(stage.workspace(running).rglob("approved.txt"))) is done
    assert ("not now" in watcher.text()) is not done


def test_plain_message_answers_the_single_open_question(stage, watchers, running):
    watcher = watchers.events(stage.api, running)
    stage.client.sessions.send(running, "/ask Which colour?")
    stage.question(running)
    stage.client.sessions.send(running, "Green")
    watcher.wait_runs(2)
    assert 'You answered "Which colour?" with: Green' in watcher.text()


@pytest.mark.parametrize(
    ("decision", "lines"),
    [
        pytest.param({"approved": True}, ["x"], id="approved-runs-once"),
        pytest.param({"approved": False, "reason": "not now"}, [], id="denied-does-not-run"),
    ],
)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_approval_survives_a_restart_of_everything(
    stage, watchers, make_session, framework, decision, lines
):
    session = make_session(**FRAMEWORKS[framework])
    stage.wait_phase(session, "Running")
    watcher = watchers.events(stage.api, session)
    stage.client.sessions.send(session, PROMPTS[framework])
    asked = stage.question(session)
    assert asked.request["message"] == f"May I run this command? {COMMAND}"
    before = stage.runner(session)
    stage.restart(stage.process_names())
    stage.client.sessions.answer(session, asked.id, decision)
    watcher.wait_runs(2, seconds=START_SECONDS)
    assert (stage.runner(session) == before) is stage.runtime.outlives_platform
    assert_valid_agui(watcher.events, max_warnings=0)
    watcher.check_dense()
    assert (RESULTS[framework] if decision["approved"] else "not now") in watcher.text()
    made = [path.read_text().splitlines() for path in stage.workspace(session).rglob("out.txt")]
    assert made == ([lines] if lines else [])
    if framework == "claude":
        key = eventually(lambda: stage.client.sessions.get(session).sdk_session_id, "the conversation's id")
        sql = "SELECT count(*) FROM sessions_app_sdksessionentry WHERE key = %s"
        assert stage.query(sql, f"sdk/{key}") != [(0,)], "it is kept by the API"
