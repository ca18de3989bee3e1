"""One pass over one project: the sessions of a deleted project are wished deleted, in batches."""

from projects_app.models import Project
from reconciler.outcome import Outcome
from reconciler.workqueue import Claim
from sessions_app.models import Session
from sessions_app.services.sessions import session_delete

BATCH = 50


def reconcile_project(claim: Claim) -> Outcome:
    """Delete what a deleted project still holds. Comes again at once until nothing is left."""
    gone = not Project.objects.filter(pk=claim.key, deleted_at=None).exists()
    if not gone:
        return Outcome()
    live = list(Session.objects.live().filter(project_id=claim.key).order_by("pk")[:BATCH])
    for session in live:
        session_delete(session=session)
    return Outcome(0.0 if live else None)
