"""Which sessions a caller sees, and the named sets that services and the reconciler work on."""

from typing import Any, Self

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When

from ambient.common.models import LiveQuerySet
from projects_app.access import access_of
from sessions_app.choices import FINAL_PHASES, Activity, DesiredState, InterruptState, RunState

SESSION_PATHS = {"project": "project_id", "agent": "agent_id", "session": "id"}


class SessionQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.live().filter(access_of(user).rows("session:read", SESSION_PATHS))

    def for_agent(self, agent_id: str) -> Self:
        return self.filter(agent_id=agent_id)

    def active(self) -> Self:
        """Wanted running and not at an end: an agent has at most one such session."""
        return self.filter(desired_state=DesiredState.RUNNING).exclude(phase__in=FINAL_PHASES)

    def unfinished(self) -> Self:
        """What the sweep looks at: not final, or still holding a place."""
        return self.filter(Q(phase=None) | ~Q(phase__in=FINAL_PHASES) | Q(placed_at__isnull=False))

    def with_activity(self) -> Self:
        """Adds `activity`. Needs-you wins over working."""
        from sessions_app.models import Interrupt, Run

        asks = Interrupt.objects.filter(session=OuterRef("pk"), state=InterruptState.OPEN)
        works = Run.objects.filter(session=OuterRef("pk"), state__in=[RunState.QUEUED, RunState.RUNNING])
        return self.annotate(
            activity=Case(
                When(Exists(asks), then=Value(Activity.NEEDS_YOU)),
                When(Exists(works), then=Value(Activity.WORKING)),
                default=Value(Activity.IDLE),
            )
        )


class ScheduledSessionQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.live().filter(access_of(user).rows("session:read", {"project": "project_id"}))


class OfSessionQuerySet(QuerySet):
    """Rows that belong to a session and are as visible as it is."""

    def visible_to(self, user: Any) -> Self:
        paths = {scope: f"session__{path}" for scope, path in SESSION_PATHS.items()}
        return self.filter(access_of(user).rows("session:read", paths), session__deleted_at=None)
