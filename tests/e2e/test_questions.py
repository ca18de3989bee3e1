"""The agent asks people: questions and approvals."""

import pytest


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
