"""The plan: what follows from each state, and that every state settles."""

import datetime
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import TemporaryError
from reconciler.plan import backoff_seconds, plan, plan_after_error, plan_after_refusal, seconds_left
from reconciler.state import Apply, Delete, Desired, Exit, Limits, Observed, Plan, Status, TakePlace
from sessions_app.choices import FINAL_PHASES, TRANSITIONS, DesiredState, Phase, Reason

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
LIMITS = Limits()
RUN = Desired(DesiredState.RUNNING, 1)
STOP = Desired(DesiredState.STOPPED, 2)


def ago(seconds: float) -> datetime.datetime:
    return NOW - datetime.timedelta(seconds=seconds)


def status(phase: Phase | None, **changes) -> Status:
    known = {"observed_generation": 1, "attempt": 1, "placed": True, "phase_since": ago(1)}
    return Status(phase=phase, **(known | changes))


def runner(**changes) -> Observed:
    known = {
        "exists": True,
        "generation": 1,
        "attempt": 1,
        "ready": True,
        "endpoint": "http://r",
        "instance": "i",
    }
    return Observed(**(known | changes))


GONE = Observed()
HOST_LOST = Observed(reason=Reason.HOST_RESTARTED)
CRASHED = runner(ready=False, exit=Exit(code=1))
NEW = status(None, observed_generation=0, attempt=0, placed=False)


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


def test_a_start_while_it_stops_is_a_start_after_the_stop():
    wish = Desired(DesiredState.RUNNING, 3)
    stopped = plan(wish, GONE, status(Phase.STOPPING, reason=Reason.STOPPED_BY_USER), LIMITS, NOW)
    assert stopped.phase == Phase.STOPPED
    assert "observed_generation" not in dict(stopped.fields)
    assert plan(wish, GONE, status(Phase.STOPPED), LIMITS, NOW).phase == Phase.PENDING


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


def test_a_passing_fault_is_a_condition_only():
    fault = TemporaryError(Reason.CLUSTER_UNREACHABLE, "Away.")
    following = plan_after_error(status(Phase.RUNNING), fault)
    assert following.phase is None
    assert [(c.type, c.status, c.reason, c.message) for c in following.conditions] == [
        ("RunnerReady", "Unknown", "ClusterUnreachable", "Away.")
    ]


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
)
statuses = st.builds(
    Status,
    phase=st.none() | st.sampled_from(Phase),
    phase_since=times,
    reason=texts,
    observed_generation=st.integers(0, 4),
    attempt=st.integers(0, 6),
    restarts=st.integers(0, 4),
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
        assert not cluster.observed.exists
        assert not (desired.state == DesiredState.DELETED and cluster.observed.objects)
    else:
        assert current.phase == Phase.RUNNING
        assert desired.state == DesiredState.RUNNING
        assert cluster.observed.attempt == current.attempt
