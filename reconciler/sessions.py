"""One pass over one session: read both states, plan, write down, act. Every step may run twice, or late."""

import functools
from typing import Any

import structlog

from ambient.common.database import transactional
from ambient.common.exceptions import Conflict
from projects_app.selectors import urls_of
from projects_app.services.session_credentials import session_credentials_bind
from reconciler.errors import ClaimLost, OtherHost, PermanentError, TemporaryError
from reconciler.launch import launch_document, unused_parts
from reconciler.metrics import before_write, count_written
from reconciler.outcome import Outcome
from reconciler.placement import take_place
from reconciler.plan import plan, plan_after_error, plan_after_refusal
from reconciler.runtimes import runtime_for
from reconciler.runtimes.base import EVERY_ATTEMPT, Runtime, SessionRef
from reconciler.selectors import desired_of, limits, read_at, ref_of, session_for_plan, status_of
from reconciler.state import Apply, Delete, Observed, Plan, TakePlace
from reconciler.workqueue import Claim, check_claim
from sessions_app.choices import FINAL_PHASES, ConditionType, Phase, Reason
from sessions_app.models import Session
from sessions_app.status import Condition, StatusChanged, session_record_status

ROUNDS = 6
SETTLED = FINAL_PHASES | {Phase.RUNNING}
AGAIN_SECONDS = 1.0
OTHER_HOST_SECONDS = 5.0

log = structlog.get_logger(__name__)


def reconcile_session(claim: Claim) -> Outcome:
    """Bring one session nearer to what is wanted. Raises TemporaryError after writing its reason down.

    Goes on as long as something follows at once, so that most starts and stops need one pass.
    """
    runtime = runtime_for_pass(claim)
    if runtime is None:
        return Outcome()
    # What was seen stays good until this pass does something there: looking costs a cluster two lists.
    look = functools.cache(runtime.observe)
    for _ in range(ROUNDS):
        session = session_for_plan(claim.key)
        if session is None:
            runtime.delete(SessionRef(claim.key, claim.project, purge=True), EVERY_ATTEMPT)
            return Outcome()
        seen = None
        try:
            seen = look(ref_of(session))
            following = _round(claim, session, runtime, seen)
        except OtherHost:
            return Outcome(OTHER_HOST_SECONDS)
        except (StatusChanged, Conflict):  # somebody else wrote: read again
            return Outcome(0.0)
        except PermanentError as exc:
            _fail(claim, exc)
            if session.phase in FINAL_PHASES:
                return Outcome()
            look.cache_clear()
            continue  # what was made of it goes
        except TemporaryError as exc:
            _note(claim, exc, unseen=seen is None)
            raise
        if runtime.look_after_apply_seconds and any(isinstance(step, Apply) for step in following.steps):
            return Outcome(runtime.look_after_apply_seconds)
        if any(not isinstance(step, TakePlace) for step in following.steps):
            look.cache_clear()
        if following.steps or following.phase is not None:
            continue
        return Outcome(following.requeue_after, settled=session.phase in SETTLED)
    return Outcome(AGAIN_SECONDS)


def runtime_for_pass(claim: Claim) -> Runtime | None:
    """The runtime; without one that works here, the session fails and there is none."""
    try:
        return runtime_for()
    except PermanentError as exc:
        while _fail(claim, exc).requeue_after is not None:
            continue
        return None


def _round(claim: Claim, session: Session, runtime: Runtime, seen: Observed) -> Plan:
    ref = ref_of(session)
    following = plan(desired_of(session), seen, status_of(session), limits(), read_at(session))
    record(claim, session, following, runtime=runtime)
    for step in following.steps:
        match step:
            case Apply(attempt):
                credentials = session_credentials_bind(
                    session_id=session.pk, project_id=session.project_id, agent_id=session.agent_id
                )
                document = launch_document(
                    session,
                    generation=session.observed_generation,
                    attempt=attempt,
                    credentials=credentials,
                    credential_urls=urls_of(credentials),
                )
                note_unused(claim, session)
                runtime.apply(ref_of(session), document, attempt)
            case Delete(up_to_attempt):
                runtime.delete(ref, up_to_attempt)
            case TakePlace():
                if not take_place(session=session, claim=claim):
                    return Plan(requeue_after=following.requeue_after)
    if following.steps and all(isinstance(step, Delete) for step in following.steps):
        if runtime.observe(ref).left:  # it takes its time: its end wakes us
            return Plan(requeue_after=following.requeue_after)
    return following


@transactional
def record(claim: Claim, session: Session, following: Plan, *, runtime: Runtime | None = None) -> None:
    """Write a plan down, refused when the status has moved on or the claim is lost."""
    if not following.changes(status_of(session)):
        return
    fields: dict[str, Any] = dict(following.fields)
    before = before_write(session)
    if "attempt" in fields:
        fields["runner_host"] = runtime.host if runtime else None
        if runtime and (namespace := runtime.namespace(session.project_id)):
            fields["kube_namespace"] = namespace
    session_record_status(
        session=session,
        phase=following.phase,
        reason=following.reason,
        reason_text=following.message,
        conditions=[
            Condition(noted.type, noted.status, noted.reason, noted.message) for noted in following.conditions
        ],
        fields=fields,
    )
    check_claim(claim)
    count_written(claim, session, before, following)
    if following.phase is not None:
        log.info("session phase", session=session.pk, phase=following.phase, reason=following.reason)


@transactional
def note_unused(claim: Claim, session: Session) -> None:
    """Say on the session what of its spec its runner does not get; it runs all the same."""
    unused = unused_parts(session)
    noted = any(entry.type == ConditionType.CONFIG_VALID for entry in status_of(session).conditions)
    if unused:
        text = f"The runner starts without what cannot be read: {'; '.join(unused)}."
        condition = Condition(ConditionType.CONFIG_VALID, "False", Reason.CONFIG_INVALID, text)
    elif noted:
        condition = Condition(ConditionType.CONFIG_VALID, "True", Reason.STARTING, "All of the spec is used.")
    else:
        return
    session_record_status(session=session, conditions=[condition])
    check_claim(claim)


def _fail(claim: Claim, error: PermanentError) -> Plan:
    """Write a refusal down; a session that may not fail directly gets there by the phase before."""
    session = session_for_plan(claim.key)
    if session is None:
        return Plan()
    refused = plan_after_refusal(desired_of(session), status_of(session), error.reason, error.message)
    record(claim, session, refused)
    log.warning("session cannot run", session=claim.key, reason=error.reason, message=error.message)
    return Plan(requeue_after=None if refused.phase in {None, *FINAL_PHASES} else 0.0)


def _note(claim: Claim, error: TemporaryError, *, unseen: bool) -> None:
    """A passing fault becomes a condition before the back-off."""
    session = session_for_plan(claim.key)
    if session is None:
        return
    try:
        noted = plan_after_error(desired_of(session), status_of(session), error, unseen=unseen)
        record(claim, session, noted)
    except (StatusChanged, ClaimLost):
        log.info("a fault was not written down, the status has moved on", session=claim.key)
