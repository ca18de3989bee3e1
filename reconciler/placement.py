"""Places: how many sessions run at once, on the platform and in each project."""

from django.db.models import Q

from ambient.common.database import database_now, transactional
from reconciler.models import Limit
from reconciler.workqueue import Claim, check_claim
from sessions_app.choices import ConditionType, Reason
from sessions_app.models import Session
from sessions_app.status import Condition, session_record_status


def full(limits: list[Limit]) -> str | None:
    """The sentence that says which limit is reached, or None when there is a place."""
    for limit in limits:
        if limit.max_running is None:
            continue
        placed = Session.objects.filter(placed_at__isnull=False)
        if limit.project_id:
            placed = placed.filter(project_id=limit.project_id)
        if placed.count() >= limit.max_running:
            where = f"of project {limit.project_id}" if limit.project_id else "of the platform"
            return f"All {limit.max_running} places {where} are taken; waiting for one."
    return None


def locked_limits(project_id: str) -> list[Limit]:
    """The limits that count for a project, the platform's first, locked in that order."""
    platform = Limit.objects.select_for_update().filter(project=None)
    project = Limit.objects.select_for_update().filter(project_id=project_id)
    return [*platform, *project]


@transactional
def take_place(*, session: Session, claim: Claim) -> bool:
    """Give the session a place, or write down what it waits for. Raises ClaimLost and StatusChanged."""
    Session.objects.select_for_update(no_key=True).filter(pk=session.pk).values_list("pk").first()
    problem = full(locked_limits(session.project_id))
    if problem is None:
        condition = Condition(ConditionType.PLACED, "True", Reason.PLACED, "The session has a place.")
        session_record_status(session=session, conditions=[condition], fields={"placed_at": database_now()})
    else:
        if (session.reason, session.reason_text) != (Reason.WAITING, problem):
            session_record_status(
                session=session,
                reason=Reason.WAITING,
                reason_text=problem,
                conditions=[Condition(ConditionType.PLACED, "False", Reason.WAITING, problem)],
            )
    check_claim(claim)
    return problem is None


def free_places() -> tuple[int | None, dict[str, int]]:
    """How many places are free on the platform, and per limited project; None: no limit."""
    placed = Session.objects.filter(placed_at__isnull=False)
    platform = None
    projects = {}
    for limit in Limit.objects.exclude(Q(max_running=None)):
        if limit.project_id is None:
            platform = max((limit.max_running or 0) - placed.count(), 0)
        else:
            taken = placed.filter(project_id=limit.project_id).count()
            projects[limit.project_id] = max((limit.max_running or 0) - taken, 0)
    return platform, projects
