"""The plan from nothing to a running agent: Pending and Creating."""

from dataclasses import replace

import pytest

from reconciler.plan import backoff_seconds, plan
from reconciler.state import Apply, Delete, Noted, Observed, TakePlace
from sessions_app.choices import ConditionType, Phase, Reason
from tests.unit.reconciler.plan_states import (
    GONE,
    HOST_LOST,
    LIMITS,
    NEW,
    NOW,
    RUN,
    ago,
    runner,
    status,
)

AWAY = Noted(ConditionType.OBJECTS_APPLIED, "Unknown", Reason.CLUSTER_UNREACHABLE, "It does not answer.")
QUOTA = Noted(ConditionType.OBJECTS_APPLIED, "Unknown", Reason.QUOTA_EXCEEDED, "It is used up.")


@pytest.mark.parametrize(
    ("desired", "observed", "current", "phase", "reason", "steps"),
    [
        pytest.param(RUN, GONE, NEW, Phase.PENDING, Reason.WAITING, (), id="new-becomes-pending"),
        pytest.param(
            RUN,
            GONE,
            status(Phase.PENDING, placed=False, attempt=0, observed_generation=0),
            None,
            None,
            (TakePlace(),),
            id="pending-asks-for-a-place",
        ),
        pytest.param(
            RUN,
            GONE,
            status(Phase.PENDING, attempt=0, observed_generation=0),
            Phase.CREATING,
            Reason.STARTING,
            (Apply(1),),
            id="placed-is-created",
        ),
        pytest.param(
            replace(RUN, generation=2),
            runner(),
            status(Phase.PENDING),
            None,
            None,
            (Delete(1),),
            id="the-old-runner-goes-before-a-new-one",
        ),
        pytest.param(RUN, runner(ready=False), status(Phase.CREATING), None, None, (), id="creating-waits"),
        pytest.param(
            RUN,
            replace(runner(ready=False), reason=Reason.UNSCHEDULABLE, message="No room."),
            status(Phase.CREATING, reason=Reason.STARTING),
            None,
            Reason.UNSCHEDULABLE,
            (),
            id="what-holds-a-start-up-is-its-reason",
        ),
        pytest.param(
            RUN,
            runner(ready=False),
            status(Phase.CREATING, reason=Reason.UNSCHEDULABLE),
            None,
            Reason.STARTING,
            (),
            id="what-held-it-up-has-ended",
        ),
        pytest.param(
            RUN,
            Observed(attempt=1, reason=Reason.POD_LOST, objects=("ServiceAccount/x",)),
            status(Phase.CREATING, conditions=(QUOTA,)),
            None,
            None,
            (Apply(1),),
            id="what-a-quota-kept-from-being-made-is-made-as-the-same-attempt",
        ),
        pytest.param(
            RUN,
            Observed(attempt=1, reason=Reason.POD_LOST, objects=("ServiceAccount/x",)),
            status(Phase.CREATING, conditions=(AWAY,)),
            None,
            None,
            (Apply(1),),
            id="and-so-is-what-a-cluster-could-not-do",
        ),
        pytest.param(
            RUN,
            Observed(attempt=1, reason=Reason.WAITING, objects=("AgenticSession/x",)),
            status(Phase.CREATING, conditions=(AWAY,)),
            Phase.CREATING,
            Reason.STARTING,
            (Delete(1), Apply(2)),
            id="a-wish-that-was-dropped-is-a-new-one",
        ),
        pytest.param(
            RUN,
            Observed(attempt=1, reason=Reason.POD_LOST, objects=("ServiceAccount/x",)),
            status(Phase.CREATING),
            Phase.CREATING,
            Reason.STARTING,
            (Delete(1), Apply(2)),
            id="a-pod-that-is-gone-gets-a-new-number",
        ),
        pytest.param(
            RUN, runner(), status(Phase.CREATING), Phase.RUNNING, Reason.READY, (), id="an-answer-is-running"
        ),
        pytest.param(
            RUN,
            HOST_LOST,
            status(Phase.CREATING),
            Phase.CREATING,
            Reason.STARTING,
            (Apply(2),),
            id="an-apply-in-doubt-gets-a-new-number",
        ),
        pytest.param(
            RUN,
            runner(ready=False),
            status(Phase.CREATING, phase_since=ago(121)),
            Phase.PENDING,
            Reason.START_DEADLINE,
            (),
            id="start-deadline-restarts",
        ),
        pytest.param(
            RUN,
            GONE,
            status(Phase.CREATING, phase_since=ago(121), restarts=3),
            Phase.FAILED,
            Reason.START_DEADLINE,
            (),
            id="start-deadline-fails-in-the-end",
        ),
    ],
)
def test_what_follows(desired, observed, current, phase, reason, steps):
    following = plan(desired, observed, current, LIMITS, NOW)
    assert (following.phase, following.reason, following.steps) == (phase, reason, steps)


@pytest.mark.parametrize(
    ("restarts", "since", "waits"),
    [
        pytest.param(1, 0.5, 0.5, id="first"),
        pytest.param(2, 0.5, 1.5, id="second"),
        pytest.param(3, 1.0, 3.0, id="third"),
    ],
)
def test_a_restart_waits_for_its_back_off(restarts, since, waits):
    following = plan(RUN, GONE, status(Phase.PENDING, restarts=restarts, phase_since=ago(since)), LIMITS, NOW)
    assert following.steps == ()
    assert following.requeue_after == pytest.approx(waits)
    assert backoff_seconds(restarts) == {1: 1, 2: 2, 3: 4}[restarts]
