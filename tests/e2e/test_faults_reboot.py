"""The whole machine dies at once and starts again."""

import pytest

from tests.e2e.system import GENEROUS, START_SECONDS, eventually, state_of

pytestmark = [pytest.mark.faults, pytest.mark.process_runtime]


def test_rebooted_machine_restarts_its_sessions_with_all_that_was_said(make_stage, make_watchers):
    stage = make_stage()
    stage.client.projects.create(name="team")
    idle, asking, busy = (
        stage.client.sessions.create(name=name, project_id="team").id for name in ("idle", "asking", "busy")
    )
    for session in (idle, asking, busy):
        stage.wait_phase(session, "Running")
    stage.client.sessions.send(asking, "/ask Which colour?")
    asked = stage.question(asking)
    before = make_watchers(stage).events(stage.api, busy)
    sent = stage.client.sessions.send(busy, "/long 120")
    before.wait(lambda: "tick 3" in before.text(), "ticks")
    old = stage.runners()

    stage.reboot()
    assert [pid for pid in old if state_of(pid) not in ("", "Z")] == []
    for session in (idle, asking, busy):
        assert stage.wait_attempt(session, 2, 30 * GENEROUS).phase == "Running"
    assert stage.query("SELECT sum(restarts) FROM sessions_app_session") == [(0,)]
    assert stage.wait_delivery(busy, sent.id, "failed").reason == "RunnerRestarted"
    after = make_watchers(stage).events(stage.api, busy)
    after.wait_runs(1)
    after.check_dense()
    assert after.seen[: len(before.seen)] == before.seen, "what was seen before is in the log"
    assert after.events[-1]["type"] == "RUN_ERROR"
    assert stage.question(asking).id == asked.id
    stage.client.sessions.answer(asking, asked.id, {"answer": "Blue"})
    for session in (idle, asking, busy):
        assert stage.ask_and_wait(session, "/echo alive").delivery == "done"

    stage.reboot(AMBIENT_MAX_RESTARTS="0")
    for session in (idle, asking, busy):
        failed = stage.wait_phase(session, "Failed", seconds=30 * GENEROUS)
        assert failed.reason == "HostRestarted"
        eventually(lambda session=session: stage.runners(session) == [], "no runner", START_SECONDS)
