"""What to do about one session: pure and total, from frozen values to a frozen plan (docs/reconciling.md).

    wanted running:  absent -> Pending -> (a place) -> Creating -> Running -> Completed
                     a lost runner: Creating, Running -> Pending, a bounded number of times, then Failed
    not wanted:      anything but a final phase -> Stopping -> (nothing left) -> Stopped
    final:           nothing may be left; Pending again only when the generation has grown

A plan is written down before its steps are carried out, so an attempt's number is stored before it exists.
"""

import datetime
from dataclasses import replace

from reconciler.errors import TemporaryError
from reconciler.state import Apply, Delete, Desired, Limits, Noted, Observed, Plan, Status, Step, TakePlace
from sessions_app.choices import FINAL_PHASES, ConditionType, DesiredState, Phase, Reason

STOPPED_THERE = (Reason.STOPPED_BY_USER, Reason.INACTIVITY)
"""Why a runner ended that somebody else had a right to stop: no fault, and nothing to restart."""
FIRST_RESTART_SECONDS = 1.0
FIRST_SLOW_RESTART_SECONDS = 10.0
SLOW = frozenset({Reason.UNSCHEDULABLE, Reason.QUOTA_EXCEEDED, Reason.IMAGE_PULL_FAILED})
INTERRUPTING = (Reason.QUOTA_EXCEEDED, Reason.CLUSTER_UNREACHABLE)
"""Faults that may come when some of an attempt's objects are made, and pass."""
AT_EVERY_START = (None, Reason.STARTING, Reason.NOT_ANSWERING)
STARTING_TEXT = "The runner is being started."
DELETE_AGAIN_SECONDS = 6.0
WAIT_FOR_PLACE_SECONDS = 60.0
IDLE_SECONDS = 3600.0
FINISHED_GRACE_SECONDS = 15.0
EXIT_CONFIG_INVALID = 2
EXIT_NOT_RESTORED = 4
TEXTS: dict[Reason | None, str] = {
    Reason.STOPPED_BY_USER: "The session was stopped.",
    Reason.TIMEOUT: "The session reached its time limit.",
    Reason.INACTIVITY: "The session had nothing to do for too long.",
    Reason.BUDGET_REACHED: "The session reached its budget.",
}

Time = datetime.datetime


def plan(desired: Desired, observed: Observed, status: Status, limits: Limits, now: Time) -> Plan:
    """The next plan for one session."""
    following = _with_news(_next(desired, observed, status, limits, now), observed, status)
    if observed.older_attempt and not any(isinstance(step, Delete) for step in following.steps):
        # An apply that came late: its runner is nobody's.
        again = DELETE_AGAIN_SECONDS
        return replace(
            following,
            steps=(Delete(observed.older_attempt), *following.steps),
            requeue_after=min(following.requeue_after or again, again),
        )
    return following


def _with_news(following: Plan, observed: Observed, status: Status) -> Plan:
    """What the platform under it says by itself is written down beside the plan's own words."""
    own = {noted.type for noted in following.conditions}
    conditions = [noted for noted in observed.conditions if noted not in status.conditions]
    results = [pair for pair in observed.results if pair not in status.results]
    return replace(
        following,
        conditions=(*following.conditions, *(noted for noted in conditions if noted.type not in own)),
        fields=(*following.fields, *results),
    )


def _next(desired: Desired, observed: Observed, status: Status, limits: Limits, now: Time) -> Plan:
    if status.phase in FINAL_PHASES:
        return _final(desired, observed, status)
    if desired.state != DesiredState.RUNNING or status.phase == Phase.STOPPING:
        return _ending(desired, observed, status)
    if status.phase is None:
        return _pending_again(desired, status, "Waiting to be started.")
    if status.phase == Phase.PENDING:
        return _pending(desired, observed, status, limits, now)
    if desired.generation > status.observed_generation:
        return _pending_again(desired, status, "Starting again, because a new start was asked for.")
    if status.phase == Phase.CREATING:
        return _creating(desired, observed, status, limits, now)
    return _running(desired, observed, status, limits, now)


def plan_after_error(desired: Desired, status: Status, error: TemporaryError, *, unseen: bool) -> Plan:
    """A passing fault becomes a condition that people can read, and a start's reason. The phase stays, but
    that a start was accepted is true without a look. `unseen`: it was the look that failed."""
    of_runner = unseen or status.phase == Phase.RUNNING
    kind = ConditionType.RUNNER_READY if of_runner else ConditionType.OBJECTS_APPLIED
    noted = Plan(conditions=(Noted(kind, "Unknown", error.reason, error.message),))
    if status.phase is None and desired.state == DesiredState.RUNNING:
        accepted = _pending_again(desired, status, error.message)
        noted = replace(accepted, conditions=(*accepted.conditions, *noted.conditions))
    if noted.phase is not None or status.phase == Phase.CREATING:
        return replace(noted, reason=error.reason, message=error.message)
    return noted


def plan_after_refusal(desired: Desired, status: Status, reason: Reason, message: str) -> Plan:
    """A fault that stays ends the session, by way of a phase from which Failed may follow."""
    if status.phase in FINAL_PHASES:
        return Plan(conditions=(Noted(ConditionType.OBJECTS_APPLIED, "False", reason, message),))
    if status.phase is None:
        first = Phase.PENDING if desired.state == DesiredState.RUNNING else Phase.STOPPING
        return Plan(phase=first, reason=reason, message=message, requeue_after=0.0)
    return _end(desired, Phase.FAILED, reason, message)


def seconds_left(since: Time | None, seconds: float, now: Time) -> float:
    """Until a deadline that counts from a stored time; a time too far ahead to be true counts as due."""
    if since is None or (since - now).total_seconds() > seconds:
        return 0.0
    return max(seconds - (now - since).total_seconds(), 0.0)


def _final(desired: Desired, observed: Observed, status: Status) -> Plan:
    left = _removal(desired, observed, status)
    if left:
        return Plan(steps=left, requeue_after=DELETE_AGAIN_SECONDS)
    if desired.state == DesiredState.RUNNING and desired.generation > status.observed_generation:
        return _pending_again(desired, status, "Waiting to be started.")
    return Plan()


def _ending(desired: Desired, observed: Observed, status: Status) -> Plan:
    left = _removal(desired, observed, status)
    if status.phase != Phase.STOPPING:
        return Plan(
            phase=Phase.STOPPING,
            reason=Reason.STOPPED_BY_USER,
            message="A stop was asked for.",
            conditions=(_ready("False", Reason.STOPPED_BY_USER, "The runner is being stopped."),),
            steps=left,
            requeue_after=DELETE_AGAIN_SECONDS if left else 0.0,
        )
    reason = status.reason if status.reason in TEXTS else Reason.STOPPED_BY_USER
    if left:
        said = _ready("False", reason or Reason.STOPPED_BY_USER, "The runner is being stopped.")
        return Plan(conditions=(said,), steps=left, requeue_after=DELETE_AGAIN_SECONDS)
    text = TEXTS[reason or Reason.STOPPED_BY_USER]
    if reason != Reason.STOPPED_BY_USER and status.reason_text:
        text = status.reason_text  # it has the numbers
    return _end(desired, Phase.STOPPED, reason, text, settled=desired.state != DesiredState.RUNNING)


def _pending(desired: Desired, observed: Observed, status: Status, limits: Limits, now: Time) -> Plan:
    left = _removal(desired, observed, status)
    if left:
        return Plan(steps=left, requeue_after=DELETE_AGAIN_SECONDS)
    if status.restarts and desired.generation == status.observed_generation:
        wait = seconds_left(status.phase_since, backoff_seconds(status.restarts, status.reason), now)
        if wait > 0:
            return Plan(requeue_after=wait)
    if not status.placed:
        return Plan(steps=(TakePlace(),), requeue_after=WAIT_FOR_PLACE_SECONDS)
    restarts = status.restarts if desired.generation == status.observed_generation else 0
    return _attempt(desired, observed, status, limits.start_deadline_seconds, restarts=restarts)


def _attempt(
    desired: Desired,
    observed: Observed,
    status: Status,
    deadline: float,
    *,
    restarts: int,
    steps: tuple[Step, ...] = (),
) -> Plan:
    number = max(status.attempt, observed.attempt) + 1
    return Plan(
        phase=Phase.CREATING,
        reason=Reason.STARTING,
        message=STARTING_TEXT,
        conditions=(
            Noted(ConditionType.RUNNER_STARTED, "False", Reason.STARTING, f"Starting attempt {number}."),
            _ready("False", Reason.STARTING, "The runner does not answer yet."),
        ),
        fields=(
            ("attempt", number),
            ("restarts", restarts),
            ("observed_generation", desired.generation),
            ("runner_endpoint", None),
            ("runner_instance", None),
        ),
        steps=(*steps, Apply(number)),
        requeue_after=deadline,
    )


def _creating(desired: Desired, observed: Observed, status: Status, limits: Limits, now: Time) -> Plan:
    current = observed.exists and observed.attempt == status.attempt
    if current and observed.exit is not None:
        return _exited(desired, observed, status, limits)
    if current and observed.ready:
        return _answers(observed, limits, desired, status, now)
    left = _start_seconds_left(status, limits, now)
    if left <= 0:
        text = f"The runner did not answer within {limits.start_deadline_seconds:g} s."
        reason, why = _held_up(observed) if current else _refused(status)
        return _restart(desired, status, limits, reason, f"{text} {why}".rstrip())
    if not current and (_is_half_made(observed, status) or _was_put_off(observed, status)):
        seen = _ready("False", Reason.STARTING, "The runner does not answer yet.")
        return Plan(conditions=(seen,), steps=(Apply(status.attempt),), requeue_after=left)
    if not current:  # it was never made, or is gone with its host: the stored number may have been used
        stray = (Delete(observed.attempt),) if observed.left else ()
        return _attempt(desired, observed, status, left, restarts=status.restarts, steps=stray)
    following = Plan(
        conditions=(
            Noted(ConditionType.OBJECTS_APPLIED, "True", Reason.STARTING, "Everything was asked for."),
            Noted(ConditionType.RUNNER_STARTED, "True", Reason.STARTING, f"Attempt {status.attempt} runs."),
            _ready(
                "False",
                observed.reason or Reason.STARTING,
                observed.message or "The runner does not answer yet.",
            ),
        ),
        requeue_after=min(left, observed.look_again or left),
    )
    if observed.reason not in AT_EVERY_START:
        return replace(following, reason=observed.reason, message=observed.message)
    if status.reason not in AT_EVERY_START:  # what held it up has ended
        return replace(following, reason=Reason.STARTING, message=STARTING_TEXT)
    return following


def _is_half_made(observed: Observed, status: Status) -> bool:
    """Whether all of the attempt but its pod may be there: it goes on, and none is begun in its place."""
    is_there = observed.attempt == status.attempt and observed.reason == Reason.POD_LOST
    return is_there and _refused(status)[0] in INTERRUPTING


def _was_put_off(observed: Observed, status: Status) -> bool:
    """Whether the attempt was told to come later, by a namespace that is being deleted."""
    return not observed.left and _refused(status)[0] == Reason.WAITING


def _start_seconds_left(status: Status, limits: Limits, now: Time) -> float:
    """A start's time does not run while nobody can look: then it begins anew with the first look."""
    whole = limits.start_deadline_seconds
    if any(
        noted.type == ConditionType.RUNNER_READY and noted.status == "Unknown" for noted in status.conditions
    ):
        return whole
    if status.phase_since is None or status.ready_since is None:
        return seconds_left(status.phase_since, whole, now)
    return seconds_left(max(status.phase_since, status.ready_since), whole, now)


def _held_up(observed: Observed) -> tuple[Reason, str]:
    """What a start that came too late waited for, as it is seen."""
    if observed.reason in (None, Reason.STARTING):
        return Reason.START_DEADLINE, observed.message
    return observed.reason or Reason.START_DEADLINE, observed.message


def _refused(status: Status) -> tuple[Reason, str]:
    """The fault that kept it from being made, as it was noted."""
    for noted in status.conditions:
        if noted.type == ConditionType.OBJECTS_APPLIED and noted.status == "Unknown":
            known = noted.reason in Reason.values
            return Reason(noted.reason) if known else Reason.START_DEADLINE, noted.message
    return Reason.START_DEADLINE, ""


def _answers(observed: Observed, limits: Limits, desired: Desired, status: Status, now: Time) -> Plan:
    first = status.phase != Phase.RUNNING
    since = now if first else status.phase_since
    return Plan(
        phase=Phase.RUNNING if first else None,
        reason=Reason.READY if first else None,
        message="The runner answers." if first else None,
        conditions=(
            Noted(ConditionType.OBJECTS_APPLIED, "True", Reason.READY, "Everything was asked for."),
            Noted(ConditionType.RUNNER_STARTED, "True", Reason.READY, f"Attempt {status.attempt} runs."),
            _ready("True", Reason.READY, "The runner answers."),
            # It may still tell of the restart that led here.
            Noted(ConditionType.FINISHED, "False", Reason.READY, "The session runs."),
        ),
        fields=(("runner_endpoint", observed.endpoint), ("runner_instance", observed.instance)),
        requeue_after=_next_deadline(desired, replace(status, phase_since=since), limits, now),
    )


def _running(desired: Desired, observed: Observed, status: Status, limits: Limits, now: Time) -> Plan:
    current = observed.exists and observed.attempt == status.attempt
    if _is_finished(desired, status):
        if not current or observed.exit is not None:
            return _end(desired, Phase.COMPLETED, Reason.SUCCEEDED, "The work is done.")
        wait = seconds_left(status.last_run_ended_at, FINISHED_GRACE_SECONDS, now)
        if wait <= 0:  # an agent that does not know /exit
            return Plan(steps=(Delete(observed.attempt),), requeue_after=DELETE_AGAIN_SECONDS)
    if current and observed.exit is not None:
        return _exited(desired, observed, status, limits)
    if not current:
        reason = observed.reason or Reason.POD_LOST
        return _restart(desired, status, limits, reason, observed.message or "The runner is gone.")
    if desired.timeout and seconds_left(status.phase_since, desired.timeout, now) <= 0:
        return _stop(
            observed, Reason.TIMEOUT, f"The session has run for {desired.timeout} s, its time limit."
        )
    quiet = _inactivity_seconds(desired, limits)
    if quiet and not status.run_active and seconds_left(_last_activity(status), quiet, now) <= 0:
        return _stop(observed, Reason.INACTIVITY, f"The session had nothing to do for {quiet} s.")
    if not observed.ready:
        reason = observed.reason or Reason.NOT_ANSWERING
        return _restart(
            desired, status, limits, reason, observed.message or "The runner does not answer any more."
        )
    return _answers(observed, limits, desired, status, now)


def _exited(desired: Desired, observed: Observed, status: Status, limits: Limits) -> Plan:
    ended = observed.exit
    assert ended is not None  # noqa: S101 - for the type checker
    if ended.code == 0 and ended.signal is None and ended.reason is None:
        return _end(desired, Phase.COMPLETED, Reason.SUCCEEDED, "The runner has finished its work.")
    text = f"The runner ended with {ended}."
    if ended.reason is not None and observed.message:
        text = observed.message  # the platform under it knows why
    elif observed.message:
        text = f"{text} Its last lines:\n{observed.message}"
    if ended.reason in STOPPED_THERE:
        return _stop(observed, ended.reason, text)
    if ended.code == EXIT_CONFIG_INVALID:
        return _end(desired, Phase.FAILED, Reason.CONFIG_INVALID, text)
    if ended.code == EXIT_NOT_RESTORED:  # an empty workspace would be worse than none
        text = f"The saved files could not be restored; they are kept. {observed.message}".rstrip()
        failed = _end(desired, Phase.FAILED, Reason.WORKSPACE_NOT_RESTORED, text)
        noted = Noted(ConditionType.WORKSPACE_READY, "False", Reason.WORKSPACE_NOT_RESTORED, text)
        return replace(failed, conditions=(*failed.conditions, noted))
    return _restart(desired, status, limits, ended.reason or Reason.RUNNER_EXITED, text)


def _restart(desired: Desired, status: Status, limits: Limits, reason: Reason, text: str) -> Plan:
    counted = reason != Reason.HOST_RESTARTED
    if limits.max_restarts == 0 or (counted and status.restarts >= limits.max_restarts):
        if limits.max_restarts:
            text = f"After {status.restarts} restarts: {text}"
        return _end(desired, Phase.FAILED, reason, text)
    restarts = status.restarts + 1 if counted else status.restarts
    number = f"Restart {restarts} of {limits.max_restarts}" if counted else "Restarting"
    return Plan(
        phase=Phase.PENDING,
        reason=reason,
        message=f"{number}: {text}",
        conditions=(
            Noted(ConditionType.OBJECTS_APPLIED, "False", reason, "The runner is restarted."),
            Noted(ConditionType.RUNNER_STARTED, "False", reason, text),
            _ready("False", reason, "The runner is restarted."),
        ),
        fields=(("restarts", restarts), ("runner_endpoint", None), ("runner_instance", None)),
        requeue_after=backoff_seconds(restarts, reason) if counted else 0.0,
    )


def _pending_again(desired: Desired, status: Status, text: str) -> Plan:
    return Plan(
        phase=Phase.PENDING,
        reason=Reason.WAITING,
        message=text,
        conditions=(
            Noted(ConditionType.ACCEPTED, "True", Reason.WAITING, "A start was asked for."),
            Noted(ConditionType.FINISHED, "False", Reason.WAITING, ""),
        ),
        fields=(("runner_endpoint", None), ("runner_instance", None)),
        requeue_after=0.0,
    )


def _stop(observed: Observed, reason: Reason, text: str) -> Plan:
    return Plan(
        phase=Phase.STOPPING,
        reason=reason,
        message=text,
        conditions=(_ready("False", reason, "The runner is being stopped."),),
        steps=(Delete(observed.attempt),),
        requeue_after=DELETE_AGAIN_SECONDS,
    )


def _end(desired: Desired, phase: Phase, given: Reason | None, text: str, *, settled: bool = True) -> Plan:
    reason = given or Reason.STOPPED_BY_USER
    return Plan(
        phase=phase,
        reason=reason,
        message=text,
        conditions=(
            _ready("False", reason, "There is no runner."),
            Noted(ConditionType.FINISHED, "True", reason, text),
        ),
        # Not settled: a start was asked for while it stopped, so the generation stays ahead.
        fields=(("observed_generation", desired.generation),) if settled else (),
        requeue_after=0.0,
    )


def _removal(desired: Desired, observed: Observed, status: Status) -> tuple[Step, ...]:
    left = observed.left or (desired.state == DesiredState.DELETED and bool(observed.objects))
    return (Delete(max(status.attempt, observed.attempt)),) if left else ()


def _ready(status: str, reason: Reason, message: str) -> Noted:
    return Noted(ConditionType.RUNNER_READY, status, reason, message)


def _is_finished(desired: Desired, status: Status) -> bool:
    """A run of this start ended well, nothing is queued, and the session should end then."""
    ended, since = status.last_run_ended_at, status.phase_since
    if not (desired.stop_on_run_finished and status.last_run_succeeded and not status.run_active):
        return False
    return ended is not None and since is not None and ended >= since


def backoff_seconds(restarts: int, reason: Reason | None = None) -> float:
    """1, 2, 4 s; 10, 20, 40 s after what does not mend itself soon."""
    first = FIRST_SLOW_RESTART_SECONDS if reason in SLOW else FIRST_RESTART_SECONDS
    return first * 2.0 ** max(min(restarts, 10) - 1, 0)


def _inactivity_seconds(desired: Desired, limits: Limits) -> int:
    return limits.inactivity_seconds if desired.inactivity_timeout is None else desired.inactivity_timeout


def _last_activity(status: Status) -> Time | None:
    times = (status.phase_since, status.newest_message_at, status.last_run_ended_at)
    return max((time for time in times if time is not None), default=None)


def _next_deadline(desired: Desired, status: Status, limits: Limits, now: Time) -> float:
    left = [IDLE_SECONDS]
    if desired.timeout:
        left.append(seconds_left(status.phase_since, desired.timeout, now))
    quiet = _inactivity_seconds(desired, limits)
    if quiet:
        since = now if status.run_active else _last_activity(status)
        left.append(seconds_left(since, quiet, now))
    if _is_finished(desired, status):
        left.append(seconds_left(status.last_run_ended_at, FINISHED_GRACE_SECONDS, now))
    return min(left)
