"""Agents and their inboxes, below a project."""

from typing import Any

from ambient.common.exceptions import Forbidden, not_found
from ambient.common.permissions import crud, labelled
from ambient.common.viewsets import NOT_PERMITTED, SAFE_METHODS
from projects_app.choices import Scope
from projects_app.models import Agent, InboxMessage, RoleBinding
from projects_app.serializers import AgentSerializer, InboxMessageSerializer, RoleBindingSerializer
from projects_app.services.agents import (
    agent_create,
    agent_delete,
    agent_update,
    inbox_message_create,
    inbox_message_delete,
    inbox_message_update,
)
from projects_app.views.access import MAY_ASK, ListsAccess
from projects_app.views.base import InProjectViewSet
from projects_app.views.merging import MergesLabels


class AgentViewSet(MergesLabels, ListsAccess, InProjectViewSet):
    """Agents of one project."""

    queryset = Agent.objects.all()
    serializer_class = AgentSerializer
    access_scope = Scope.AGENT
    action_permissions = labelled("agent") | {"access": MAY_ASK[Scope.AGENT]}
    delete_is_idempotent = False
    row_kind = "agent"

    def perform_create(self, values: dict[str, Any]) -> Agent:
        fields = {name: value for name, value in values.items() if name != "project_id"}
        if not fields.get("llm_model"):
            fields.pop("llm_model", None)
        return agent_create(actor=self.request.user.username, project=self.project, values=fields)

    def perform_update(self, obj: Agent, values: dict[str, Any]) -> Agent:
        return agent_update(agent=obj, changes=values)

    def perform_destroy(self, obj: Agent) -> None:
        agent_delete(agent=obj)


class OfAgentViewSet(InProjectViewSet):
    """Rows below `/projects/{project_id}/agents/{agent_id}/...`."""

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is not None:
            self.agent = self.path_agent()

    def path_agent(self) -> Agent:
        """The path's agent: a reader who may not see it gets 404, a writer 403."""
        pk = self.kwargs["agent_id"]
        rows = Agent.objects.live().filter(project_id=self.kwargs["project_id"])
        agent = None if "\0" in pk else rows.filter(pk=pk).select_related("project").first()
        if agent is None:
            raise not_found("Agent", pk)
        if not self.request.user.has_perm("agent:read", agent):
            if self.request.method in SAFE_METHODS:
                raise not_found("Agent", pk)
            raise Forbidden(NOT_PERMITTED)
        return agent

    def authorize_create(self) -> None:
        self.authorize_object(self.permission, self.agent)


class InboxMessageViewSet(OfAgentViewSet):
    """Messages that wait for an agent's next start."""

    queryset = InboxMessage.objects.select_related("agent")
    serializer_class = InboxMessageSerializer
    action_permissions = crud("agent")
    delete_is_idempotent = False
    project_path = "agent__project_id"

    def all_rows_unsafe(self) -> Any:
        return super().all_rows_unsafe().filter(agent_id=self.kwargs["agent_id"])

    def perform_create(self, values: dict[str, Any]) -> InboxMessage:
        return inbox_message_create(agent=self.agent, values=values)

    def perform_update(self, obj: InboxMessage, values: dict[str, Any]) -> InboxMessage:
        return inbox_message_update(message=obj, changes=values)

    def perform_destroy(self, obj: InboxMessage) -> None:
        inbox_message_delete(message=obj)


class AgentRoleBindingsViewSet(OfAgentViewSet):
    """Role bindings that name one agent."""

    queryset = RoleBinding.objects.all()
    serializer_class = RoleBindingSerializer
    action_permissions = {"list": "agent:read"}

    def all_rows_unsafe(self) -> Any:
        return RoleBinding.objects.live().filter(agent_id=self.kwargs["agent_id"])
