"""What holds for the plan in every state, and that every state settles."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plan import plan, plan_after_refusal
from reconciler.state import Apply, Delete, Desired, Exit, Noted, Observed, Plan, Status, TakePlace
from sessions_app.choices import FINAL_PHASES, TRANSITIONS, ConditionType, DesiredState, Phase, Reason
from tests.unit.reconciler.plan_states import LIMITS, NOW, ago, runner

UNSEEN = Noted(ConditionType.RUNNER_READY, "Unknown", Reason.CLUSTER_UNREACHABLE, "Away.")
times = st.none() | st.floats(-1e6, 1e6).map(ago)
texts = st.none() | st.sampled_from(Reason)
desireds = st.builds(
    Desired,
    state=st.sampled_from(DesiredState),
    generation=st.integers(1, 4),
    timeout=st.none() | st.integers(1, 1000),
    inactivity_timeout=st.none() | st.integers(0, 1000),
    stop_on_run_finished=st.booleans(),
)
exits = st.builds(
    Exit, code=st.none() | st.integers(0, 255), signal=st.none() | st.just("SIGKILL"), reason=st.none()
)
observations = st.builds(
    Observed,
    exists=st.booleans(),
    generation=st.integers(0, 4),
    attempt=st.integers(0, 6),
    instance=st.just("i"),
    ready=st.booleans(),
    endpoint=st.just("http://r"),
    exit=st.none() | exits,
    reason=texts,
    objects=st.sampled_from([(), ("workspace",)]),
    older_attempt=st.sampled_from([0, 0, 1]),
    look_again=st.none() | st.just(5.0),
)
statuses = st.builds(
    Status,
    phase=st.none() | st.sampled_from(Phase),
    phase_since=times,
    reason=texts,
    observed_generation=st.integers(0, 4),
    attempt=st.integers(0, 6),
    restarts=st.integers(0, 4),
    conditions=st.sampled_from([(), (UNSEEN,)]),
    ready_since=times,
    placed=st.booleans(),
    run_active=st.booleans(),
    newest_message_at=times,
    last_run_ended_at=times,
    last_run_succeeded=st.booleans(),
)
any_state = given(desireds, observations, statuses)


@any_state
def test_every_state_has_one_plan(desired, observed, current):
    assert plan(desired, observed, current, LIMITS, NOW) == plan(desired, observed, current, LIMITS, NOW)


@any_state
def test_phases_follow_the_table(desired, observed, current):
    following = plan(desired, observed, current, LIMITS, NOW)
    assert following.phase in {None, current.phase} | TRANSITIONS[current.phase]


@any_state
def test_a_phase_that_is_not_final_has_a_deadline(desired, observed, current):
    following = plan(desired, observed, current, LIMITS, NOW)
    if (following.phase or current.phase) not in FINAL_PHASES:
        assert following.requeue_after is not None
        assert following.requeue_after >= 0


@any_state
def test_a_start_that_was_seen_is_not_unseen_any_more(desired, observed, current):
    """Else its time would never run."""
    after = carried_out(current, plan(desired, observed, current, LIMITS, NOW))
    if (current.phase, after.phase) == (Phase.CREATING, Phase.CREATING):
        assert UNSEEN not in after.conditions


@any_state
def test_a_final_phase_stays_unless_the_generation_has_grown(desired, observed, current):
    following = plan(desired, observed, current, LIMITS, NOW)
    if current.phase in FINAL_PHASES and desired.generation <= current.observed_generation:
        assert following.phase is None
        assert not any(isinstance(step, Apply | TakePlace) for step in following.steps)


@any_state
def test_an_attempt_is_written_down_before_it_is_applied_and_never_used_twice(desired, observed, current):
    following = plan(desired, observed, current, LIMITS, NOW)
    for step in following.steps:
        if isinstance(step, Apply):
            assert dict(following.fields)["attempt"] == step.attempt
            assert step.attempt > max(current.attempt, observed.attempt)


@given(desireds, statuses, st.sampled_from(Reason))
def test_a_refusal_ends_in_failed_along_the_table(desired, current, reason):
    for _ in range(3):
        refused = plan_after_refusal(desired, current, reason, "No.")
        assert refused.phase in {None, current.phase} | TRANSITIONS[current.phase]
        current = carried_out(current, refused)
    assert current.phase in FINAL_PHASES


def carried_out(current: Status, following: Plan) -> Status:
    """The status after the plan was written down, as `session_record_status` does it."""
    names = {"runner_endpoint": "endpoint", "runner_instance": "instance"}
    changed = replace(current, **{names.get(name, name): value for name, value in following.fields})
    if following.reason is not None:
        changed = replace(changed, reason=following.reason, reason_text=following.message)
    stored = {noted.type: noted for noted in (*current.conditions, *following.conditions)}
    changed = replace(changed, conditions=tuple(stored.values()))
    if following.phase is not None and following.phase != current.phase:
        changed = replace(changed, phase=following.phase, phase_since=NOW)
        if following.phase in FINAL_PHASES:
            changed = replace(changed, placed=False, endpoint=None)
    return changed


@dataclass
class FairCluster:
    """Does at once what it is asked for; a runner is ready at its next observation."""

    observed: Observed
    placed: bool = False

    def carry_out(self, desired: Desired, steps: tuple[object, ...]) -> None:
        for step in steps:
            if isinstance(step, TakePlace):
                self.placed = True
            if isinstance(step, Delete) and step.up_to_attempt >= self.observed.attempt:
                kept = () if desired.state == DesiredState.DELETED else self.observed.objects
                self.observed = Observed(objects=kept)
            elif isinstance(step, Delete) and step.up_to_attempt >= self.observed.older_attempt:
                self.observed = replace(self.observed, older_attempt=0)
            if isinstance(step, Apply):
                assert not self.observed.exists, "two runners at once"
                self.observed = runner(attempt=step.attempt, generation=desired.generation)


@settings(max_examples=500)
@any_state
def test_a_fair_cluster_settles(desired, observed, current):
    """Waits are cut short: each is one state further, so it is counted as no round of its own."""
    cluster = FairCluster(observed)
    desired = replace(desired, timeout=None, inactivity_timeout=0, stop_on_run_finished=False)
    rounds = 0
    for _ in range(12):
        following = plan(desired, cluster.observed, current, LIMITS, NOW)
        settled = not following.steps and not following.changes(current)
        waits = settled and current.phase == Phase.PENDING
        if settled and not waits:
            break
        if waits:
            current = replace(current, phase_since=ago(60))
            continue
        rounds += bool(following.steps)
        current = carried_out(current, following)
        cluster.carry_out(desired, following.steps)
        current = replace(current, placed=current.placed or cluster.placed)
        cluster.placed = False
    else:
        pytest.fail(f"not settled: {current}")
    assert rounds <= 5
    if current.phase in FINAL_PHASES:
        assert not cluster.observed.left
        assert not cluster.observed.older_attempt
        assert not (desired.state == DesiredState.DELETED and cluster.observed.objects)
    else:
        assert current.phase == Phase.RUNNING
        assert desired.state == DesiredState.RUNNING
        assert cluster.observed.attempt == current.attempt
