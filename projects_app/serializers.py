"""Wire forms of projects, agents, people and roles."""

from typing import Any

from ambient.common.exceptions import BadRequest
from ambient.common.wire import (
    LONG_LIMIT,
    NAME_LIMIT,
    Double,
    EntitySerializer,
    Flag,
    Int32,
    JsonText,
    LabelsText,
    OneOf,
    Text,
    name_text,
)
from projects_app.choices import Framework, Scope

EMAIL_LIMIT = 320


def runner_type() -> OneOf:
    """Which framework the runner drives."""
    return OneOf(Framework.values, help_text="Framework of the runner: demo or claude.")


def inactivity_timeout() -> Int32:
    """How long a session may be idle."""
    return Int32(least=0, help_text="Seconds without a message after which a session is stopped; 0: never.")


def stop_on_run_finished() -> Flag:
    """Whether one successful run is the whole job."""
    return Flag(help_text="The session is Completed after a successful run with an empty queue.")


class ProjectSerializer(EntitySerializer):
    """Project: a team's space. Its id is its name."""

    wire_kind, wire_plural = "Project", "projects"
    example = {"name": "boats", "description": "Everything that floats.", "labels": '{"team": "sea"}'}

    name = Text(source="id", required=True, limit=NAME_LIMIT, empty=False)
    description = Text()
    prompt = Text(limit=LONG_LIMIT, help_text="Part of every agent start.")
    labels = LabelsText()
    annotations = LabelsText()
    status = Text()


class ProjectSettingsSerializer(EntitySerializer):
    """ProjectSettings: defaults and group access of one project."""

    wire_kind, wire_plural = "ProjectSettings", "project_settings"
    example = {"project_id": "boats", "group_access": '[{"groupName": "sea", "role": "edit"}]'}

    project_id = Text(required=True, limit=NAME_LIMIT, empty=False)
    group_access = JsonText(
        help_text='JSON array of {"groupName", "role"}: admin, edit or view; anything else is ignored.'
    )
    repositories = JsonText(
        help_text='JSON array of {"url", "branch"}, for sessions that are made without a repository.'
    )
    runner_type = runner_type()
    inactivity_timeout = inactivity_timeout()
    stop_on_run_finished = stop_on_run_finished()
    event_retention_days = Int32(
        least=0, most=36500, help_text="Days that events of ended runs are kept; 0: for ever."
    )


class UserSerializer(EntitySerializer):
    """User: a person or service account."""

    wire_kind, wire_plural = "User", "users"
    example = {"username": "alice", "name": "Alice Example", "email": "alice@example.org"}

    username = name_text(required=True)
    name = name_text(required=True)
    email = Text(limit=EMAIL_LIMIT)
    service_account = Flag(
        create_only=True, help_text="A program: it comes with API keys or tokens, never with a password."
    )


class RoleSerializer(EntitySerializer):
    """Role: a list of permissions."""

    wire_kind, wire_plural = "Role", "roles"
    example = {"name": "reader", "permissions": '["project:read", "session:read"]'}

    name = name_text(required=True, create_only=True)
    display_name = Text()
    description = Text()
    permissions = JsonText(help_text="JSON array of `resource:action`; either half may be `*`.")
    built_in = Flag(read_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        out = super().to_representation(instance)
        if not out.get("permissions"):
            out.pop("permissions", None)
        return out


class RoleBindingSerializer(EntitySerializer):
    """RoleBinding: gives one role to one user within one scope."""

    wire_kind, wire_plural = "RoleBinding", "role_bindings"
    example = {"role_id": "project:editor", "scope": "project", "user_id": "alice", "project_id": "boats"}
    always = frozenset({"user_id", "project_id", "agent_id", "session_id", "credential_id"})
    clearable = always

    role_id = Text(required=True, limit=NAME_LIMIT, empty=False, help_text="Id or name of a role.")
    scope = OneOf(Scope.values, required=True, error=BadRequest, text="invalid scope")
    user_id = Text(limit=NAME_LIMIT, allow_null=True, help_text="Username.")
    project_id = Text(limit=NAME_LIMIT, allow_null=True)
    agent_id = Text(limit=NAME_LIMIT, allow_null=True)
    session_id = Text(limit=NAME_LIMIT, allow_null=True)
    credential_id = Text(limit=NAME_LIMIT, allow_null=True)


class AgentSerializer(EntitySerializer):
    """Agent: who does the work; sessions are started from it."""

    wire_kind, wire_plural = "Agent", "agents"
    example = {"name": "reviewer", "prompt": "Review what is new.", "llm_model": "claude-sonnet-4-6"}

    project_id = Text(limit=NAME_LIMIT, create_only=True, help_text="The path's project.")
    name = name_text(required=True)
    parent_agent_id = Text(limit=NAME_LIMIT, create_only=True)
    owner_user_id = Text(limit=NAME_LIMIT, create_only=True, help_text="Username; by default the caller's.")
    display_name = Text()
    description = Text()
    prompt = Text(limit=LONG_LIMIT)
    repo_url = Text()
    workflow_id = Text(create_only=True)
    llm_model = Text(limit=NAME_LIMIT)
    llm_temperature = Double()
    llm_max_tokens = Int32()
    bot_account_name = Text()
    resource_overrides = JsonText()
    environment_variables = JsonText()
    labels = LabelsText()
    annotations = LabelsText()
    runner_type = runner_type()
    inactivity_timeout = inactivity_timeout()
    stop_on_run_finished = stop_on_run_finished()
    allowed_tools = JsonText(help_text="JSON array of tool names.")
    mcp_servers = JsonText(help_text="JSON object of MCP servers.")
    system_prompt = Text(limit=LONG_LIMIT)
    current_session_id = Text(read_only=True)


class InboxMessageSerializer(EntitySerializer):
    """InboxMessage: a note to an agent, read when it is next started."""

    wire_kind, wire_plural = "InboxMessage", "inbox_messages"
    example = {"from_name": "alice", "body": "Look at the tests first."}

    agent_id = Text(limit=NAME_LIMIT, create_only=True, help_text="The path's agent.")
    from_agent_id = Text(limit=NAME_LIMIT, create_only=True)
    from_name = Text(limit=NAME_LIMIT, create_only=True)
    body = Text(required=True, limit=LONG_LIMIT, create_only=True)
    read = Flag()
