"""The claude framework on the whole platform: the real program of the SDK, the fake model."""

import json

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui

from tests.e2e.conftest import MODEL_KEY
from tests.e2e.system import START_SECONDS, environ_of, eventually

ASKING = json.dumps({"AMBIENT_CLAUDE_PERMISSION_MODE": "default"})


@pytest.fixture
def claude(stage, make_session):
    """A running session that asks before every command."""
    session = make_session(runner_type="claude", llm_model="claude-sonnet-4-6", environment_variables=ASKING)
    stage.wait_phase(session, "Running")
    return session


@pytest.mark.parametrize(
    ("decision", "lines", "words"),
    [
        pytest.param({"approved": True}, ["x"], "Result:", id="approved-runs-once"),
        pytest.param({"approved": False, "reason": "not now"}, [], "not now", id="denied-does-not-run"),
    ],
)
def test_an_approval_survives_a_restart_of_everything(stage, watchers, claude, decision, lines, words):
    watcher = watchers.events(stage.api, claude)
    stage.client.sessions.send(claude, "do bash: echo x >> out.txt")
    asked = stage.question(claude)
    assert asked.request["message"] == "May I run this command? echo x >> out.txt"
    before = stage.runner(claude)
    stage.restart(stage.process_names())
    stage.client.sessions.answer(claude, asked.id, decision)
    watcher.wait_runs(2, seconds=START_SECONDS)
    assert stage.runner(claude) != before
    assert_valid_agui(watcher.events, max_warnings=0)
    watcher.check_dense()
    assert words in watcher.text()
    made = stage.workspace(claude) / "repos" / "workspace" / "out.txt"
    assert (made.read_text().splitlines() if made.exists() else []) == lines
    row = eventually(lambda: stage.client.sessions.get(claude).sdk_session_id, "the conversation's id")
    assert stage.query("SELECT count(*) FROM sessions_app_sdksessionentry WHERE key = %s", f"sdk/{row}")[0][0]


def test_usage_and_cost_are_recorded_and_only_this_runner_has_the_key(stage, claude, running, model_api):
    stage.ask_and_wait(claude, "hello")
    [run] = stage.request("GET", f"/sessions/{claude}/runs").json()["items"]
    assert (run["state"], run["model"]) == ("finished", "claude-sonnet-4-6")
    assert run["usage"][0]["outputTokens"] == 25
    assert run["cost_usd"] > 0
    assert model_api.requests[-1]["key"] == MODEL_KEY
    keys = {
        name: environ_of(stage.runner(session)).get("ANTHROPIC_API_KEY")
        for name, session in {"claude": claude, "demo": running}.items()
    }
    assert keys == {"claude": MODEL_KEY, "demo": None}
    assert MODEL_KEY not in stage.log_path.read_text()
