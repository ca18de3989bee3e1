"""Reads for the conversation's edges: who may watch what, and where a stream begins."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce, Left

from ambient.common.exceptions import Unauthenticated
from ambient.common.pagination import MAX_SIZE
from projects_app.authentication import authenticate_bearer
from projects_app.models import Agent, InboxMessage
from sessions_app.choices import FINAL_PHASES, DesiredState, Phase, RunState
from sessions_app.models import Run, Session, SessionMessage, SessionStream


@dataclass(frozen=True)
class Caller:
    """Who opened a stream, and with what: enough to ask again later whether they still may."""

    user: Any
    token: str | None = None

    @property
    def name(self) -> str:
        return str(self.user.username)

    def fresh(self) -> Any:
        """The user as of now; None when the token or the account is not good any more."""
        if self.token is not None:
            try:
                return authenticate_bearer(self.token)
            except Unauthenticated:
                return None
        return get_user_model().objects.live().filter(pk=self.user.pk, is_active=True).first()

    def __repr__(self) -> str:
        return f"Caller({self.name})"


def visible_session(user: Any, pk: str) -> Session | None:
    """The session if the user may read it."""
    if "\0" in pk:
        return None
    return Session.objects.visible_to(user).filter(pk=pk).first()


def may_still_read(caller: Caller, session_id: str) -> bool:
    """Whether an open stream may go on."""
    user = caller.fresh()
    return user is not None and visible_session(user, session_id) is not None


def is_over(session: Session) -> bool:
    """Nothing more will come of this session unless somebody starts it again."""
    return session.phase in FINAL_PHASES or session.desired_state != DesiredState.RUNNING


def head_of(session_id: str) -> int:
    """The newest event's sequence number."""
    head = SessionStream.objects.filter(pk=session_id).values_list("event_seq", flat=True).first()
    return head or 0


def run_for_newest_message(session_id: str, username: str) -> Run | None:
    """The run that answers the person's newest message."""
    newest = SessionMessage.objects.filter(
        session_id=session_id, created_by=username, event_type="user"
    ).order_by("-seq")
    run_id = newest.values_list("run", flat=True).first()
    return Run.objects.filter(pk=run_id).first() if run_id else None


def active_run(session_id: str) -> Run | None:
    """The run that is being worked on."""
    return Run.objects.filter(session_id=session_id, state=RunState.RUNNING).first()


SUMMARY_CHARACTERS = 200


def project_home(user: Any, project_id: str) -> list[dict[str, Any]]:
    """The project's agents by name, each with its newest session and what waits in its inbox; one query."""
    unread = InboxMessage.objects.live().filter(agent=OuterRef("pk"), read=False).order_by()
    newest = Session.objects.live().filter(pk=OuterRef("current_session_id"))
    words = SessionMessage.objects.filter(
        session_id=OuterRef("current_session_id"), event_type="assistant"
    ).order_by("-seq")
    rows = (
        Agent.objects.visible_to(user)
        .filter(project_id=project_id)
        .annotate(
            unread=Coalesce(
                Subquery(
                    unread.values("agent").annotate(n=Count("pk")).values("n"), output_field=IntegerField()
                ),
                0,
            ),
            phase=Subquery(newest.values("phase")),
            why=Subquery(newest.values("reason_text")),
            said=Subquery(words.annotate(text=Left("payload", SUMMARY_CHARACTERS)).values("text")[:1]),
        )
        .order_by("name")
        .values_list("pk", "name", "phase", "unread", "why", "said")
    )
    return [
        {
            "agent_id": pk,
            "agent_name": name,
            **({"session_phase": phase} if phase else {}),
            "inbox_unread_count": count,
            "summary": (why if phase == Phase.FAILED else said) or "",
        }
        for pk, name, phase, count, why, said in rows[:MAX_SIZE]
    ]
