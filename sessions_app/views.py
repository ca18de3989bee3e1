"""The API of sessions, and of starting agents."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from ambient.common.database import transactional
from ambient.common.exceptions import Forbidden, InvalidField
from ambient.common.json_text import parsed
from ambient.common.permissions import labelled
from ambient.common.viewsets import NOT_PERMITTED, ScopedViewSet
from projects_app.access import RunnerIdentity
from projects_app.choices import Scope
from projects_app.filters import project_of_request
from projects_app.models import Agent, Project
from projects_app.selectors import kept_total
from projects_app.views.access import MAY_ASK, ListsAccess
from projects_app.views.agents import OfAgentViewSet
from projects_app.views.base import InProjectViewSet, project_for
from projects_app.views.merging import MergesLabels
from sessions_app.models import Session
from sessions_app.selectors import project_home
from sessions_app.serializers import (
    AgentStartRequestSerializer,
    AgentStartSerializer,
    ProjectHomeSerializer,
    SessionSerializer,
    SessionStatusSerializer,
    StartPreviewSerializer,
)
from sessions_app.services.agents import AgentStart, agent_start, agent_start_preview
from sessions_app.services.sessions import (
    session_create,
    session_delete,
    session_patch_status,
    session_start,
    session_stop,
    session_update,
)
from sessions_app.view_base import session_after

NOT_LISTED = ("runner_secret", "labels_index", "annotations_index")


def check_conditions(text: str | None) -> None:
    """Reported conditions are merged with our own later, so they must be readable."""
    entries = [] if text is None else parsed(text)
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("type"), str) for entry in entries
    ):
        raise InvalidField("conditions must be a JSON array of objects with a type")


class SessionViewSet(MergesLabels, ListsAccess, ScopedViewSet):
    """Sessions of the projects and agents that the caller may read."""

    queryset = Session.objects.all()
    serializer_class = SessionSerializer
    access_scope = Scope.SESSION
    action_permissions = labelled("session") | {
        "start": "session:start",
        "stop": "session:stop",
        "status": "session:read",  # and more, see there
        "access": MAY_ASK[Scope.SESSION],
    }

    def get_queryset(self) -> Any:
        rows = super().get_queryset().with_activity().defer(*NOT_LISTED)
        if self.action == "list" and not getattr(self, "swagger_fake_view", False):
            self.narrowed_to = project_of_request(self.request)
            return rows if self.narrowed_to is None else rows.filter(project_id=self.narrowed_to)
        return rows

    def count(self, queryset: Any) -> int:
        total = kept_total(
            kind="session",
            user=self.request.user,
            permission="session:read",
            narrower=("agent", "session"),
            project=self.narrowed_to,
        )
        return queryset.count() if total is None else total

    def authorize_create(self) -> None:
        """The body names the project: asked in `perform_create`, once it is known."""

    def perform_create(self, values: dict[str, Any]) -> Session:
        spec = dict(values)
        project = self.project_to_create_in(spec.pop("project_id", None))
        self.check_parent(spec)
        agent = self.agent_of(project, spec.pop("agent_id", None))
        if not spec.get("llm_model"):
            spec.pop("llm_model", None)
        actor = self.request.user.username
        return session_after(lambda: session_create(actor=actor, project=project, spec=spec, agent=agent))

    def project_to_create_in(self, named: str | None) -> Project:
        pk = named or project_of_request(self.request)
        if not pk:
            raise InvalidField("project_id must be set, in the body or by X-Ambient-Project")
        return project_for(self.request.user, pk, permission=self.permission)

    def agent_of(self, project: Project, pk: str | None) -> Agent | None:
        if not pk:
            return None
        agent = Agent.objects.visible_to(self.request.user).filter(pk=pk, project=project).first()
        if agent is None:
            raise InvalidField("agent_id names no agent of the project")
        return agent

    def check_parent(self, values: dict[str, Any]) -> None:
        parent = values.get("parent_session_id")
        if parent and not Session.objects.visible_to(self.request.user).filter(pk=parent).exists():
            raise InvalidField("parent_session_id names no session")
        if parent == "":
            del values["parent_session_id"]

    def perform_update(self, obj: Session, values: dict[str, Any]) -> Session:
        self.check_parent(values)
        return session_after(lambda: session_update(session=obj, changes=values))

    def perform_destroy(self, obj: Session) -> None:
        session_delete(session=obj)

    @extend_schema(request=None, responses={200: SessionSerializer})
    def start(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Ask for the session to run (again). The body is ignored."""
        session = self.get_object()
        return self.respond(session_after(lambda: session_start(session=session)))

    @extend_schema(request=None, responses={200: SessionSerializer})
    def stop(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Ask for the session to end. The body is ignored."""
        session = self.get_object()
        return self.respond(session_after(lambda: session_stop(session=session)))

    @extend_schema(request=SessionStatusSerializer, responses={200: SessionSerializer})
    def status(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Status as a controller or the session's own runner reports it."""
        session = self.get_object()
        by_runner = isinstance(request.user, RunnerIdentity)
        if not by_runner:
            if not request.user.is_controller:
                raise Forbidden("only a controller or the session's own runner reports its status")
            if not request.user.has_perm("session:update"):
                raise Forbidden(NOT_PERMITTED)
        changes = self.read_body(partial=True, serializer=SessionStatusSerializer)
        check_conditions(changes.get("conditions"))
        reporter = None if by_runner else request.user.username
        changed = session_after(
            lambda: session_patch_status(session=session, changes=changes, reporter=reporter)
        )
        return self.respond(changed)


class AgentSessionsViewSet(OfAgentViewSet):
    """Sessions that were started from one agent."""

    queryset = Session.objects.all()
    serializer_class = SessionSerializer
    action_permissions = {"list": "agent:read"}

    def all_rows_unsafe(self) -> Any:
        return super().all_rows_unsafe().for_agent(self.kwargs["agent_id"])

    def get_queryset(self) -> Any:
        return super().get_queryset().with_activity().defer(*NOT_LISTED)


class ProjectHomeViewSet(InProjectViewSet):
    """A project at one glance."""

    queryset = Agent.objects.all()
    action_permissions = {"home": "project:read"}

    @extend_schema(responses=ProjectHomeSerializer)
    def home(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Each agent with the phase of its newest session, its unread inbox and its last words."""
        return Response(
            {"project_id": self.project.pk, "agents": project_home(request.user, self.project.pk)}
        )


class AgentStartViewSet(OfAgentViewSet):
    """Start one agent, or read what a start would send."""

    queryset = Session.objects.all()
    serializer_class = SessionSerializer
    action_permissions = {"start": "agent:start", "preview": "agent:start"}

    @extend_schema(
        request=AgentStartRequestSerializer,
        responses={200: AgentStartSerializer, 201: AgentStartSerializer},
    )
    def start(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """201 with a new session, or 200 with the one that the agent is at work in."""
        self.authorize_object(self.permission, self.agent)
        form = AgentStartRequestSerializer(partial=True)
        values = form.to_internal_value(request.body_object(optional=True))
        started, session = self.started(values.get("prompt"))
        body = {"session": self.get_serializer(session).data, "starting_prompt": started.starting_prompt}
        return Response(body, status=201 if started.created else 200)

    @transactional
    def started(self, task: str | None) -> tuple[AgentStart, Session]:
        """The start, and its session as the answer shows it."""
        started = agent_start(agent=self.agent, actor=self.request.user.username, task=task)
        return started, session_after(lambda: started.session)

    @extend_schema(responses={200: StartPreviewSerializer})
    def preview(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The text that a start would send. Changes nothing."""
        self.authorize_object(self.permission, self.agent)
        return Response({"starting_prompt": agent_start_preview(agent=self.agent)})
