"""One pass over one project: of a deleted one the sessions are wished deleted, in batches, then its place."""

from projects_app.models import Project
from reconciler.errors import TemporaryError
from reconciler.outcome import Outcome
from reconciler.runtimes import runtime_for
from reconciler.workqueue import Claim
from sessions_app.choices import Reason
from sessions_app.models import Session
from sessions_app.services.sessions import session_delete

BATCH = 50
LOOK_AGAIN_SECONDS = 5.0


def reconcile_project(claim: Claim) -> Outcome:
    """Delete what a deleted project still holds. Comes again at once until nothing is left."""
    gone = not Project.objects.filter(pk=claim.key, deleted_at=None).exists()
    if not gone:
        return Outcome()
    live = list(Session.objects.live().filter(project_id=claim.key).order_by("pk")[:BATCH])
    for session in live:
        session_delete(session=session)
    if live:
        return Outcome(0.0)
    if waits_for := runtime_for().end_project(claim.key):
        raise TemporaryError(Reason.WAITING, waits_for, delay=LOOK_AGAIN_SECONDS)
    return Outcome()
