"""The sweep: look at every unfinished session, and at everything that exists, and wake what needs a pass."""

import structlog
from django.db.models import Q

from ambient import env
from projects_app.models import Project
from reconciler.outcome import Outcome
from reconciler.placement import free_places
from reconciler.plan import plan
from reconciler.runtimes import runtime_for
from reconciler.runtimes.base import Survey
from reconciler.selectors import desired_of, limits, read_at, ref_of, sessions_for_plan, status_of
from reconciler.state import TakePlace
from reconciler.workqueue import Claim, seen
from sessions_app.choices import FINAL_PHASES, DesiredState, Phase
from sessions_app.models import Session

KIND, KEY = "resync", "all"
PAGE = 500

log = structlog.get_logger(__name__)


def reconcile_all(claim: Claim) -> Outcome:
    """One sweep; the next one is due after AMBIENT_RESYNC_SECONDS. Decides nothing, only wakes."""
    survey = runtime_for().survey()
    woken = [*wake_unfinished(survey), *wake_strays(survey), *wake_waiting()]
    projects = wake_projects()
    if woken or projects:
        log.info("resync woke", sessions=len(woken), projects=len(projects))
    return Outcome(env.RESYNC_SECONDS)


def wake_unfinished(survey: Survey) -> list[str]:
    """Sessions whose plan has a step or a change of status; waiting for a place is neither."""
    woken = []
    after = ""
    while True:
        page = list(
            sessions_for_plan(Session.objects.unfinished()).filter(pk__gt=after).order_by("pk")[:PAGE]
        )
        if not page:
            return woken
        after = page[-1].pk
        observed = survey.observe_many([ref_of(session) for session in page])
        for session in page:
            if session.pk not in observed:  # another host's
                continue
            status = status_of(session)
            seen_there = observed[session.pk]
            next_plan = plan(desired_of(session), seen_there, status, limits(), read_at(session))
            acts = any(not isinstance(step, TakePlace) for step in next_plan.steps)
            if acts or next_plan.changes(status) or (status.placed and next_plan.phase in FINAL_PHASES):
                seen("session", session.pk, session.project_id)
                woken.append(session.pk)


def wake_strays(survey: Survey) -> list[str]:
    """What exists although its session is gone, final, or of another attempt."""
    existing = list(survey.existing())
    rows = Session.objects.in_bulk({found.session_id for found in existing})
    woken = []
    for found in existing:
        pk = found.session_id
        row = rows.get(pk)
        if row is not None and row.phase not in FINAL_PHASES and found.attempt in (0, row.attempt):
            continue
        kept = row is not None and row.desired_state != DesiredState.DELETED
        if kept and not found.attempt:  # only the workspace, which a next start needs
            continue
        seen("session", pk, row.project_id if row else "")
        woken.append(pk)
    return woken


def wake_waiting() -> list[str]:
    """As many of those that wait as there are places, oldest first: a limit may have been raised."""
    platform, projects = free_places()
    waiting = Session.objects.filter(
        placed_at=None, phase=Phase.PENDING, desired_state=DesiredState.RUNNING, deleted_at=None
    ).order_by("phase_since", "pk")
    full = [project for project, free in projects.items() if not free]
    chosen = waiting.exclude(project_id__in=full).values_list("pk", "project_id")
    count = PAGE if platform is None else min(platform, PAGE)
    woken = []
    for pk, project in chosen[:count]:
        seen("session", pk, project)
        woken.append(pk)
    return woken


def wake_projects() -> list[str]:
    """Deleted projects that still hold live sessions."""
    held = Session.objects.live().values("project_id")
    left = list(Project.objects.filter(~Q(deleted_at=None), pk__in=held).values_list("pk", flat=True))
    for pk in left:
        seen("project", pk, pk)
    return left
