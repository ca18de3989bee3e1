"""What the platform under a runner decided or found out by itself, and what the plan makes of it."""

import pytest

from reconciler.plan import plan
from reconciler.state import Delete, Exit, Noted
from sessions_app.choices import Phase, Reason
from tests.unit.reconciler.plan_states import LIMITS, NOW, RUN, runner, status

READY = Noted("WorkspaceReady", "True", Reason.READY, "Cloned.")


@pytest.mark.parametrize("phase", [Phase.CREATING, Phase.RUNNING])
@pytest.mark.parametrize("reason", [Reason.STOPPED_BY_USER, Reason.INACTIVITY])
def test_a_stop_by_somebody_else_is_a_stop_and_no_fault(phase, reason):
    seen = runner(ready=False, exit=Exit(reason=reason), message="It was stopped on the cluster.")
    following = plan(RUN, seen, status(phase), LIMITS, NOW)
    assert (following.phase, following.reason) == (Phase.STOPPING, reason)
    assert following.message == "It was stopped on the cluster."
    assert following.steps == (Delete(1),)


def test_what_it_found_out_is_written_down_once():
    seen = runner(results=(("kube_cr_uid", "u"), ("sdk_restart_count", 0)), conditions=(READY,))
    known = status(Phase.RUNNING, endpoint="http://r", instance="i", results=(("kube_cr_uid", None),))
    following = plan(RUN, seen, known, LIMITS, NOW)
    assert following.changes(known)
    assert {("kube_cr_uid", "u"), ("sdk_restart_count", 0)} <= set(following.fields)
    assert READY in following.conditions
    noted = status(
        Phase.RUNNING,
        endpoint="http://r",
        instance="i",
        conditions=following.conditions,
        results=seen.results,
    )
    again = plan(RUN, seen, noted, LIMITS, NOW)
    assert not again.changes(noted)


def test_the_plans_own_word_on_a_step_counts():
    other = Noted("RunnerReady", "False", Reason.STARTING, "Not yet.")
    following = plan(RUN, runner(conditions=(other,)), status(Phase.RUNNING), LIMITS, NOW)
    assert other not in following.conditions
