"""What of the plan only shows on a cluster: what is held up, what is left behind, and named ends."""

import pytest

from reconciler.plan import backoff_seconds, plan
from reconciler.state import Apply, Delete, Exit, Noted, Observed
from sessions_app.choices import ConditionType, Phase, Reason
from tests.unit.reconciler.plan_states import LIMITS, NOW, RUN, STOP, ago, runner, status

LATE = {"phase_since": ago(121)}
HELD_UP = {"ready": False, "reason": Reason.UNSCHEDULABLE, "message": "No node.", "look_again": 5.0}
LEFT = Observed(attempt=1, reason=Reason.POD_LOST, message="The pod is gone.")
NO_QUOTA = Noted(ConditionType.OBJECTS_APPLIED, "Unknown", Reason.QUOTA_EXCEEDED, "No quota.")


@pytest.mark.parametrize(
    ("observed", "current", "reason", "text"),
    [
        pytest.param(
            runner(**HELD_UP),
            status(Phase.CREATING, **LATE),
            Reason.UNSCHEDULABLE,
            "Restart 1 of 3: The runner did not answer within 120 s. No node.",
            id="what-is-seen-names-the-reason",
        ),
        pytest.param(
            runner(ready=False, reason=Reason.STARTING, message="It is slow."),
            status(Phase.CREATING, **LATE),
            Reason.START_DEADLINE,
            "Restart 1 of 3: The runner did not answer within 120 s. It is slow.",
            id="starting-is-no-reason",
        ),
        pytest.param(
            Observed(),
            status(Phase.CREATING, **LATE, conditions=(NO_QUOTA,)),
            Reason.QUOTA_EXCEEDED,
            "Restart 1 of 3: The runner did not answer within 120 s. No quota.",
            id="what-was-refused-names-the-reason",
        ),
        pytest.param(
            runner(
                ready=False, exit=Exit(137, reason=Reason.OUT_OF_MEMORY), message="Over its limit of 4Gi."
            ),
            status(Phase.RUNNING),
            Reason.OUT_OF_MEMORY,
            "Restart 1 of 3: Over its limit of 4Gi.",
            id="a-named-end-says-it-itself",
        ),
        pytest.param(
            runner(ready=False, exit=Exit(reason=Reason.NODE_LOST)),
            status(Phase.RUNNING),
            Reason.NODE_LOST,
            "Restart 1 of 3: The runner ended with no exit code.",
            id="a-named-end-without-words",
        ),
        pytest.param(
            LEFT,
            status(Phase.RUNNING),
            Reason.POD_LOST,
            "Restart 1 of 3: The pod is gone.",
            id="a-pod-deleted-by-hand",
        ),
    ],
)
def test_why_it_is_restarted(observed, current, reason, text):
    following = plan(RUN, observed, current, LIMITS, NOW)
    assert (following.phase, following.reason, following.message) == (Phase.PENDING, reason, text)


UNSEEN = Noted(ConditionType.RUNNER_READY, "Unknown", Reason.CLUSTER_UNREACHABLE, "Away.")
STARTS = runner(ready=False, reason=Reason.STARTING, message="It is slow.")


@pytest.mark.parametrize(
    ("observed", "changes", "steps", "left"),
    [
        pytest.param(STARTS, {"conditions": (UNSEEN,)}, (), 120, id="the-first-look"),
        pytest.param(STARTS, {"ready_since": ago(20)}, (), 100, id="after-the-first-look"),
        pytest.param(Observed(), {"conditions": (UNSEEN,)}, (Apply(2),), 120, id="and-nothing-was-made"),
        pytest.param(runner(), {"conditions": (UNSEEN,)}, (), None, id="and-it-answers"),
    ],
)
def test_a_starts_time_does_not_run_while_nobody_can_look(observed, changes, steps, left):
    following = plan(RUN, observed, status(Phase.CREATING, phase_since=ago(300), **changes), LIMITS, NOW)
    assert (following.phase in (None, Phase.CREATING, Phase.RUNNING), following.steps) == (True, steps)
    assert dict(following.fields).get("restarts", 0) == 0
    if left is not None:
        assert following.requeue_after == left


LATER = Noted(ConditionType.OBJECTS_APPLIED, "Unknown", Reason.WAITING, "The namespace is being deleted.")


@pytest.mark.parametrize(
    ("observed", "noted"),
    [
        pytest.param(Observed(), LATER, id="told-to-come-later"),
        pytest.param(LEFT, NO_QUOTA, id="half-made"),
    ],
)
def test_an_attempt_that_goes_on_keeps_its_number_and_its_time_runs_again(observed, noted):
    current = status(Phase.CREATING, conditions=(noted, UNSEEN))
    following = plan(RUN, observed, current, LIMITS, NOW)
    assert (following.phase, following.steps) == (None, (Apply(1),))
    assert [(each.type, each.status) for each in following.conditions] == [("RunnerReady", "False")]


def test_what_is_held_up_is_looked_at_again():
    assert plan(RUN, runner(**HELD_UP), status(Phase.CREATING), LIMITS, NOW).requeue_after == 5.0


@pytest.mark.parametrize(
    ("desired", "phase", "steps"),
    [
        pytest.param(RUN, Phase.PENDING, (Delete(1),), id="before-a-new-attempt"),
        pytest.param(STOP, Phase.STOPPING, (Delete(1),), id="at-a-stop"),
        pytest.param(RUN, Phase.FAILED, (Delete(1),), id="at-the-end"),
        pytest.param(RUN, Phase.CREATING, (Delete(1), Apply(2)), id="of-an-apply-in-doubt"),
    ],
)
def test_what_a_pod_leaves_is_removed(desired, phase, steps):
    assert plan(desired, LEFT, status(phase), LIMITS, NOW).steps == steps


def test_a_late_apply_is_removed_and_the_session_goes_on():
    following = plan(RUN, runner(attempt=3, older_attempt=2), status(Phase.RUNNING, attempt=3), LIMITS, NOW)
    assert (following.phase, following.steps) == (None, (Delete(2),))
    assert following.requeue_after <= 6.0


@pytest.mark.parametrize(
    ("reason", "waits"),
    [
        pytest.param(Reason.RUNNER_EXITED, [1, 2, 4], id="a-crash"),
        pytest.param(Reason.IMAGE_PULL_FAILED, [10, 20, 40], id="no-image"),
        pytest.param(Reason.QUOTA_EXCEEDED, [10, 20, 40], id="no-quota"),
    ],
)
def test_the_back_off_depends_on_the_cause(reason, waits):
    assert [backoff_seconds(restarts, reason) for restarts in (1, 2, 3)] == waits
    current = status(Phase.PENDING, restarts=1, reason=reason, phase_since=NOW)
    assert plan(RUN, Observed(), current, LIMITS, NOW).requeue_after == waits[0]
