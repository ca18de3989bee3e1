"""The Celery edge: claim, one call, the outcome back to the work item. The rows are the truth."""

import time
from collections.abc import Callable

import pghistory
import structlog
from celery import shared_task
from django.db import DatabaseError, connection

from ambient.common import tracing
from ambient.common.ksuid import ksuid
from reconciler import resync, workqueue
from reconciler.errors import ClaimLost, PermanentError, TemporaryError
from reconciler.metrics import count_pass
from reconciler.outcome import Outcome
from reconciler.projects import reconcile_project
from reconciler.sessions import reconcile_session
from reconciler.stopping import stopping
from reconciler.wake import wake
from reconciler.workqueue import Claim

NO_NEW_PASS_AFTER_SECONDS = 20.0
FAILED = frozenset({"temporary", "permanent", "error"})

PASSES: dict[str, Callable[[Claim], Outcome]] = {
    "session": reconcile_session,
    "project": reconcile_project,
    resync.KIND: resync.reconcile_all,
}

log = structlog.get_logger(__name__)


@shared_task(name="reconciler.tasks.work", ignore_result=True)
def work() -> None:
    """Run the passes that are due. Safe to lose and safe to run twice."""
    started = time.monotonic()
    helped = False
    while not stopping():
        if time.monotonic() - started > NO_NEW_PASS_AFTER_SECONDS:
            if workqueue.due_count(1):
                wake()
            return
        claim = workqueue.claim_next()
        if claim is None:
            return
        if not helped:  # more is due: one more worker may help, which may ask for the next
            helped = True
            if workqueue.due_count(1):
                wake()
        run_pass(claim)


@shared_task(name="reconciler.tasks.request_resync", ignore_result=True)
def request_resync() -> None:
    """Make sure that the sweep is on the queue; it keeps its own time."""
    workqueue.ensure(resync.KIND, resync.KEY)
    if workqueue.due_count(1):
        work()


def run_pass(claim: Claim) -> str:
    """One pass over a claimed key and its outcome back to the queue; returns the outcome's word."""
    request_id = ksuid()
    started = time.monotonic()
    name = f"pass {claim.kind}"
    attributes: dict[str, str | int] = {
        "ambient.kind": claim.kind,
        "ambient.key": claim.key,
        "ambient.attempts": claim.attempts,
    }
    with (
        structlog.contextvars.bound_contextvars(request_id=request_id, kind=claim.kind, key=claim.key),
        tracing.span(name, kind="consumer", parent=claim.trace, attributes=attributes) as span,
        pghistory.context(request_id=request_id, **tracing.headers()),
        claim.renewing(),
    ):
        outcome = _run(claim)
        span.note(ambient__outcome=outcome)
        if outcome in FAILED:
            span.fail(outcome)
    count_pass(claim.kind, outcome, time.monotonic() - started)
    return outcome


def _run(claim: Claim) -> str:
    try:
        result = PASSES[claim.kind](claim)
    except ClaimLost:
        log.info("another worker has taken the key")
        return "lost"
    except TemporaryError as exc:
        log.warning("pass put off", reason=exc.reason, message=exc.message, attempts=claim.attempts)
        workqueue.release(claim, error=f"{exc.reason}: {exc.message}", delay=exc.delay)
        return "temporary"
    except PermanentError as exc:
        log.error("pass refused", reason=exc.reason, message=exc.message)
        workqueue.release(claim, error=f"{exc.reason}: {exc.message}")
        return "permanent"
    except Exception as exc:  # noqa: BLE001 - one key's fault must not end the others' passes
        log.exception("pass failed", attempts=claim.attempts)
        _give_back(claim, exc)
        return "error"
    finished = workqueue.finish(claim, result.requeue_after, settled=result.settled)
    return "done" if finished else "again"


def _give_back(claim: Claim, error: Exception) -> None:
    """Release after a fault; if the database was the fault, the lock runs out by itself."""
    try:
        workqueue.release(claim, error=f"{type(error).__name__}: {error}")
    except DatabaseError as exc:
        log.warning("the key stays locked for some seconds", error=type(exc).__name__)
        connection.close()
