"""The claude framework on the whole platform: the real program of the SDK, the fake model."""

import pytest

from tests.e2e.conftest import MODEL_KEY
from tests.e2e.system import environ_of


@pytest.fixture
def claude(stage, make_session):
    """A running session of the framework."""
    session = make_session(runner_type="claude", llm_model="claude-sonnet-4-6")
    stage.wait_phase(session, "Running")
    return session


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
