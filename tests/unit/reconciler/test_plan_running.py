"""The plan of a running session: its ends, its losses, its limits."""

from dataclasses import replace

import pytest

from reconciler.errors import TemporaryError
from reconciler.plan import plan, plan_after_error, seconds_left
from reconciler.state import Delete, Exit, Noted
from sessions_app.choices import Phase, Reason
from tests.unit.reconciler.plan_states import (
    CRASHED,
    GONE,
    HOST_LOST,
    LIMITS,
    NOW,
    RUN,
    ago,
    runner,
    status,
)


@pytest.mark.parametrize(
    ("desired", "observed", "current", "phase", "reason", "steps"),
    [
        pytest.param(
            RUN,
            runner(exit=Exit(code=0)),
            status(Phase.RUNNING),
            Phase.COMPLETED,
            Reason.SUCCEEDED,
            (),
            id="exit-0-is-completed",
        ),
        pytest.param(
            RUN,
            CRASHED,
            status(Phase.RUNNING),
            Phase.PENDING,
            Reason.RUNNER_EXITED,
            (),
            id="a-crash-restarts",
        ),
        pytest.param(
            RUN,
            CRASHED,
            status(Phase.RUNNING, restarts=3),
            Phase.FAILED,
            Reason.RUNNER_EXITED,
            (),
            id="the-fourth-crash-fails",
        ),
        pytest.param(
            RUN,
            runner(exit=Exit(code=2)),
            status(Phase.CREATING),
            Phase.FAILED,
            Reason.CONFIG_INVALID,
            (),
            id="a-wrong-configuration-fails-at-once",
        ),
        pytest.param(
            RUN,
            runner(exit=Exit(code=4), message="It is damaged."),
            status(Phase.RUNNING),
            Phase.FAILED,
            Reason.WORKSPACE_NOT_RESTORED,
            (),
            id="a-workspace-that-cannot-be-restored-fails-at-once",
        ),
        pytest.param(
            RUN,
            runner(exit=Exit(signal="SIGKILL", reason=Reason.OUT_OF_MEMORY)),
            status(Phase.RUNNING),
            Phase.PENDING,
            Reason.OUT_OF_MEMORY,
            (),
            id="a-named-exit-keeps-its-name",
        ),
        pytest.param(
            RUN,
            HOST_LOST,
            status(Phase.RUNNING, restarts=3),
            Phase.PENDING,
            Reason.HOST_RESTARTED,
            (),
            id="a-lost-host-is-not-counted",
        ),
        pytest.param(
            RUN, GONE, status(Phase.RUNNING), Phase.PENDING, Reason.POD_LOST, (), id="a-lost-runner-restarts"
        ),
        pytest.param(
            RUN,
            runner(ready=False),
            status(Phase.RUNNING),
            Phase.PENDING,
            Reason.NOT_ANSWERING,
            (),
            id="silence-restarts",
        ),
        pytest.param(RUN, runner(), status(Phase.RUNNING), None, None, (), id="running-goes-on"),
        pytest.param(
            replace(RUN, timeout=60),
            runner(),
            status(Phase.RUNNING, phase_since=ago(61)),
            Phase.STOPPING,
            Reason.TIMEOUT,
            (Delete(1),),
            id="timeout-stops",
        ),
        pytest.param(
            replace(RUN, inactivity_timeout=60),
            runner(),
            status(Phase.RUNNING, phase_since=ago(99)),
            Phase.STOPPING,
            Reason.INACTIVITY,
            (Delete(1),),
            id="inactivity-stops",
        ),
        pytest.param(
            replace(RUN, inactivity_timeout=60),
            runner(),
            status(Phase.RUNNING, phase_since=ago(99), run_active=True),
            None,
            None,
            (),
            id="an-active-run-is-activity",
        ),
        pytest.param(
            replace(RUN, inactivity_timeout=60),
            runner(),
            status(Phase.RUNNING, phase_since=ago(99), newest_message_at=ago(5)),
            None,
            None,
            (),
            id="a-message-is-activity",
        ),
        pytest.param(
            replace(RUN, inactivity_timeout=0),
            runner(),
            status(Phase.RUNNING, phase_since=ago(10**7)),
            None,
            None,
            (),
            id="inactivity-0-is-never",
        ),
        pytest.param(
            RUN,
            runner(),
            status(Phase.RUNNING, phase_since=ago(86401)),
            Phase.STOPPING,
            Reason.INACTIVITY,
            (Delete(1),),
            id="the-default-inactivity-counts",
        ),
        pytest.param(
            replace(RUN, stop_on_run_finished=True),
            runner(),
            status(Phase.RUNNING, phase_since=ago(99), last_run_ended_at=ago(20), last_run_succeeded=True),
            None,
            None,
            (Delete(1),),
            id="an-agent-that-does-not-exit-is-ended",
        ),
        pytest.param(
            replace(RUN, stop_on_run_finished=True),
            GONE,
            status(Phase.RUNNING, phase_since=ago(99), last_run_ended_at=ago(20), last_run_succeeded=True),
            Phase.COMPLETED,
            Reason.SUCCEEDED,
            (),
            id="and-is-completed-then",
        ),
        pytest.param(
            replace(RUN, generation=2),
            runner(),
            status(Phase.RUNNING),
            Phase.PENDING,
            Reason.WAITING,
            (),
            id="a-new-wish-replaces-the-runner",
        ),
    ],
)
def test_what_follows(desired, observed, current, phase, reason, steps):
    following = plan(desired, observed, current, LIMITS, NOW)
    assert (following.phase, following.reason, following.steps) == (phase, reason, steps)


def test_an_exit_tells_code_and_last_lines():
    failed = plan(RUN, replace(CRASHED, message="boom"), status(Phase.RUNNING, restarts=3), LIMITS, NOW)
    assert failed.message == "After 3 restarts: The runner ended with exit code 1. Its last lines:\nboom"


@pytest.mark.parametrize(
    ("since", "left"),
    [
        pytest.param(ago(3), 7, id="counts-down"),
        pytest.param(ago(30), 0, id="is-due"),
        pytest.param(ago(-5), 15, id="a-little-ahead-is-a-clock"),
        pytest.param(ago(-11), 0, id="further-ahead-than-its-maximum-is-due"),
        pytest.param(None, 0, id="unknown-is-due"),
    ],
)
def test_deadlines(since, left):
    assert seconds_left(since, 10, NOW) == left


@pytest.mark.parametrize(
    ("phase", "unseen", "kind", "becomes", "reason"),
    [
        pytest.param(Phase.RUNNING, False, "RunnerReady", None, None, id="while-it-runs-a-condition-only"),
        pytest.param(Phase.PENDING, False, "ObjectsApplied", None, None, id="while-it-waits-too"),
        pytest.param(
            Phase.CREATING,
            False,
            "ObjectsApplied",
            None,
            "ClusterUnreachable",
            id="of-a-start-the-reason-too",
        ),
        pytest.param(
            Phase.CREATING, True, "RunnerReady", None, "ClusterUnreachable", id="a-start-that-nobody-sees"
        ),
        pytest.param(None, True, "RunnerReady", Phase.PENDING, "ClusterUnreachable", id="it-is-accepted"),
    ],
)
def test_a_passing_fault_keeps_the_phase(phase, unseen, kind, becomes, reason):
    error = TemporaryError(Reason.CLUSTER_UNREACHABLE, "Away.")
    following = plan_after_error(RUN, status(phase), error, unseen=unseen)
    assert (following.phase, following.reason) == (becomes, reason)
    accepted = [c.type for c in following.conditions if c.status != "Unknown"]
    assert accepted == (["Accepted", "Finished"] if becomes else [])
    assert [(c.type, c.reason, c.message) for c in following.conditions if c.status == "Unknown"] == [
        (kind, "ClusterUnreachable", "Away.")
    ]


@pytest.mark.parametrize("phase", [Phase.CREATING, Phase.RUNNING])
def test_a_session_that_runs_again_says_so(phase):
    restarted = Noted("Finished", "False", "HostRestarted", "Restarting: The runner host was restarted.")
    following = plan(RUN, runner(), status(phase, conditions=(restarted,)), LIMITS, NOW)
    assert Noted("Finished", "False", "Ready", "The session runs.") in following.conditions
