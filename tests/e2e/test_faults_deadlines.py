"""What only a deadline notices: a platform of its own with short ones."""

import pytest

from tests.e2e.system import GENEROUS, START_SECONDS, eventually

pytestmark = pytest.mark.faults
START_DEADLINE = 6
LIVENESS = 6
STALL = 3


@pytest.fixture(scope="module")
def stage(make_stage):
    stage = make_stage(
        AMBIENT_START_DEADLINE_SECONDS=str(START_DEADLINE),
        AMBIENT_LIVENESS_SECONDS=str(LIVENESS),
        AMBIENT_WATCHER_STALL_SECONDS=str(STALL),
    )
    yield stage
    stage.stop()


def test_runner_that_does_not_come_up_is_restarted_at_its_deadline(stage, reasons, make_session):
    with stage.runtime.gate.held():
        session = make_session()
        eventually(
            lambda: "StartDeadline" in reasons(session), "the start deadline", START_DEADLINE * GENEROUS
        )
    ready = stage.wait_attempt(session, 2)
    assert ready.phase == "Running"
    assert len(stage.runners(session)) == 1


def test_runner_that_never_comes_up_fails_with_its_reason(stage, make_session):
    with stage.runtime.gate.held():
        session = make_session()
        seconds = 4 * START_DEADLINE + 1 + 2 + 4  # four attempts and the back-offs between them
        failed = stage.wait_phase(session, "Failed", seconds=seconds * GENEROUS)
        assert failed.reason == "StartDeadline"
        assert f"did not answer within {START_DEADLINE} s" in failed.reason_text
        eventually(lambda: stage.runners(session) == [], "no runner left")  # pods have their grace


def test_runner_that_stops_answering_is_restarted(stage, watchers, reasons, running):
    watcher = watchers.events(stage.api, running)
    sent = stage.client.sessions.send(running, "/long 60")
    watcher.wait(lambda: "tick 3" in watcher.text(), "ticks")
    frozen = stage.runner(running)
    with stage.frozen(frozen):
        assert stage.wait_attempt(running, 2, (LIVENESS + 5) * GENEROUS).phase == "Running"
    assert "NotAnswering" in reasons(running)
    assert frozen not in stage.runners(running)
    assert stage.wait_delivery(running, sent.id, "failed").reason in ("RunnerRestarted", "StreamLost")
    assert stage.ask_and_wait(running, "/echo again", START_SECONDS).delivery == "done"
    watcher.wait_runs(2)
    watcher.check_dense()


def test_watcher_that_never_reads_is_cut_and_others_get_everything(stage, watchers, running):
    cut = 'ambient_stream_watchers_cut_total{why="stalled"}'
    deaf = watchers.deaf(stage.control_plane, running)
    other = watchers.events(stage.control_plane, running)
    message = stage.ask_and_wait(running, "/flood 60000", seconds=120 * GENEROUS)
    assert message.delivery == "done"
    eventually(lambda: stage.metric(stage.control_plane, cut) == 1, "it is cut", (STALL + 2) * GENEROUS)
    assert b"RUN_FINISHED" not in deaf.rest()
    other.wait_runs(1, seconds=60 * GENEROUS)
    other.check_dense()
    assert other.connections == 1
