"""The plan of a session that stops or has ended: Stopping and the final phases."""

from dataclasses import replace

import pytest

from reconciler.plan import plan
from reconciler.state import Delete, Desired, Observed
from sessions_app.choices import DesiredState, Phase, Reason
from tests.unit.reconciler.plan_states import (
    GONE,
    LIMITS,
    NEW,
    NOW,
    RUN,
    STOP,
    runner,
    status,
)


@pytest.mark.parametrize(
    ("desired", "observed", "current", "phase", "reason", "steps"),
    [
        pytest.param(STOP, GONE, NEW, Phase.STOPPING, Reason.STOPPED_BY_USER, (), id="stop-before-the-start"),
        pytest.param(STOP, runner(), status(Phase.STOPPING), None, None, (Delete(1),), id="stopping-deletes"),
        pytest.param(
            STOP,
            GONE,
            status(Phase.STOPPING),
            Phase.STOPPED,
            Reason.STOPPED_BY_USER,
            (),
            id="nothing-left-is-stopped",
        ),
        pytest.param(
            RUN,
            GONE,
            status(Phase.STOPPING, reason=Reason.TIMEOUT),
            Phase.STOPPED,
            Reason.TIMEOUT,
            (),
            id="the-reason-of-a-stop-is-kept",
        ),
        pytest.param(RUN, GONE, status(Phase.STOPPED), None, None, (), id="stopped-stays"),
        pytest.param(
            replace(RUN, generation=2),
            GONE,
            status(Phase.STOPPED),
            Phase.PENDING,
            Reason.WAITING,
            (),
            id="unless-a-start-is-asked-for",
        ),
        pytest.param(
            RUN, runner(), status(Phase.FAILED), None, None, (Delete(1),), id="a-final-phase-has-no-runner"
        ),
        pytest.param(
            Desired(DesiredState.DELETED, 2),
            Observed(objects=("workspace",)),
            status(Phase.COMPLETED),
            None,
            None,
            (Delete(1),),
            id="deleted-keeps-nothing",
        ),
    ],
)
def test_what_follows(desired, observed, current, phase, reason, steps):
    following = plan(desired, observed, current, LIMITS, NOW)
    assert (following.phase, following.reason, following.steps) == (phase, reason, steps)


def test_a_start_while_it_stops_is_a_start_after_the_stop():
    wish = Desired(DesiredState.RUNNING, 3)
    stopped = plan(wish, GONE, status(Phase.STOPPING, reason=Reason.STOPPED_BY_USER), LIMITS, NOW)
    assert stopped.phase == Phase.STOPPED
    assert "observed_generation" not in dict(stopped.fields)
    assert plan(wish, GONE, status(Phase.STOPPED), LIMITS, NOW).phase == Phase.PENDING
