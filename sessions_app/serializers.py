"""Wire forms of sessions and of agent starts."""

from rest_framework import serializers

from ambient.common.exceptions import InvalidField
from ambient.common.wire import (
    LONG_LIMIT,
    NAME_LIMIT,
    Double,
    EntitySerializer,
    Int32,
    JsonText,
    LabelsText,
    OneOf,
    Text,
    Timestamp,
    WireSerializer,
    name_text,
)
from projects_app.serializers import inactivity_timeout, runner_type, stop_on_run_finished
from sessions_app.choices import Activity, Phase, Reason


class SessionSerializer(EntitySerializer):
    """Session: one agent at work, from the wish for it to its end."""

    wire_kind, wire_plural = "Session", "sessions"
    example = {"name": "fix-1", "project_id": "boats", "prompt": "Fix the failing test.", "timeout": 3600}
    computed = frozenset({"activity"})

    name = name_text(help_text="Made from the id when left out.")
    prompt = Text(limit=LONG_LIMIT, help_text="First task; also the session's first message.")
    repo_url = Text()
    repos = JsonText(help_text="JSON array of {url, branch, name}.")
    workflow_id = Text()
    assigned_user_id = Text(limit=NAME_LIMIT)
    created_by_user_id = Text(read_only=True)
    timeout = Int32(least=0, help_text="Longest time running, in seconds.")
    llm_model = Text(limit=NAME_LIMIT)
    llm_temperature = Double()
    llm_max_tokens = Int32()
    parent_session_id = Text(limit=NAME_LIMIT)
    bot_account_name = Text()
    resource_overrides = JsonText()
    environment_variables = JsonText(help_text="JSON object.")
    labels = LabelsText()
    annotations = LabelsText()
    project_id = Text(limit=NAME_LIMIT, create_only=True, help_text="Else from X-Ambient-Project.")
    agent_id = Text(limit=NAME_LIMIT, create_only=True)
    runner_type = runner_type()
    inactivity_timeout = inactivity_timeout()
    stop_on_run_finished = stop_on_run_finished()
    allowed_tools = JsonText(help_text="JSON array of tool names.")
    mcp_servers = JsonText(help_text="JSON object of MCP servers.")
    system_prompt = Text(limit=LONG_LIMIT)
    phase = serializers.ChoiceField(Phase.choices, read_only=True)
    since = Timestamp(source="phase_since", read_only=True, help_text="When the phase began.")
    reason = serializers.ChoiceField(Reason.choices, read_only=True)
    reason_text = Text(read_only=True, help_text="The reason in one sentence.")
    activity = serializers.ChoiceField(Activity.choices, read_only=True)
    start_time = Timestamp(read_only=True)
    completion_time = Timestamp(read_only=True)
    sdk_session_id = Text(read_only=True)
    sdk_restart_count = Int32(read_only=True)
    conditions = Text(read_only=True, help_text="JSON array.")
    reconciled_repos = Text(read_only=True)
    reconciled_workflow = Text(read_only=True)
    kube_cr_name = Text(read_only=True)
    kube_cr_uid = Text(read_only=True)
    kube_namespace = Text(read_only=True)


class SessionStatusSerializer(WireSerializer):
    """What a controller or runner reports; at least one field must be set."""

    strict = False

    phase = OneOf(Phase.values, error=InvalidField, text=f"phase must be one of {', '.join(Phase.values)}")
    start_time = Timestamp()
    completion_time = Timestamp()
    sdk_session_id = Text()
    sdk_restart_count = Int32()
    conditions = JsonText(help_text="JSON array of conditions.")
    reconciled_repos = JsonText()
    reconciled_workflow = JsonText()
    kube_cr_uid = Text()
    kube_namespace = Text()


class AgentStartRequestSerializer(WireSerializer):
    """The body of a start may be left out."""

    strict = False

    prompt = Text(limit=LONG_LIMIT, help_text="Task of this start.")


class AgentStartSerializer(serializers.Serializer):
    """The agent's session, and the text it was started with (empty when it was at work already)."""

    session = SessionSerializer(read_only=True)
    starting_prompt = serializers.CharField(read_only=True)


class StartPreviewSerializer(serializers.Serializer):
    """The text that a start would send now."""

    starting_prompt = serializers.CharField(read_only=True)


class ProjectHomeAgentSerializer(serializers.Serializer):
    """How one agent is doing."""

    agent_id = serializers.CharField(read_only=True)
    agent_name = serializers.CharField(read_only=True)
    session_phase = serializers.ChoiceField(
        Phase.choices, required=False, help_text="Of its newest session; absent: none, or not started."
    )
    inbox_unread_count = serializers.IntegerField(read_only=True)
    summary = serializers.CharField(
        read_only=True, help_text="Why the session failed, else the beginning of the agent's last words."
    )


class ProjectHomeSerializer(serializers.Serializer):
    """Every agent of a project at one glance."""

    project_id = serializers.CharField(read_only=True)
    agents = ProjectHomeAgentSerializer(many=True, read_only=True)
