"""Agent: a named role with a prompt that sessions are started from; and its inbox."""

from django.db import models

from ambient.common.audit import audited
from ambient.common.models import Entity, live_list_indexes, search_indexes
from projects_app.choices import OBJECT_PERMISSIONS
from projects_app.models.project import Project
from projects_app.querysets import AgentQuerySet, InboxMessageQuerySet

DEFAULT_MODEL = "claude-sonnet-4-6"
DEFAULT_TEMPERATURE = 0.7
DEFAULT_MAX_TOKENS = 4000


@audited(
    "Agent",
    name="{row}.name",
    project="{row}.project_id",
    exclude=["current_session_id"],
    hidden=["environment_variables", "mcp_servers"],
)
class Agent(Entity):
    """Who does the work: prompt, model and defaults of the sessions it is started as."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="agents", db_index=False)
    name = models.TextField()
    parent_agent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True)
    owner_user_id = models.TextField(blank=True, default="", help_text="Username.")
    display_name = models.TextField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    prompt = models.TextField(null=True, blank=True)
    repo_url = models.TextField(null=True, blank=True)
    workflow_id = models.TextField(null=True, blank=True)
    llm_model = models.TextField(default=DEFAULT_MODEL)
    llm_temperature = models.FloatField(default=DEFAULT_TEMPERATURE)
    llm_max_tokens = models.IntegerField(default=DEFAULT_MAX_TOKENS)
    bot_account_name = models.TextField(null=True, blank=True)
    resource_overrides = models.TextField(null=True, blank=True)
    environment_variables = models.TextField(null=True, blank=True)
    labels = models.TextField(null=True, blank=True)
    labels_index = models.JSONField(null=True, editable=False)
    annotations = models.TextField(null=True, blank=True)
    annotations_index = models.JSONField(null=True, editable=False)
    runner_type = models.TextField(null=True, blank=True)
    inactivity_timeout = models.IntegerField(null=True, blank=True, help_text="Seconds; 0: never.")
    stop_on_run_finished = models.BooleanField(null=True, blank=True)
    allowed_tools = models.TextField(null=True, blank=True)
    mcp_servers = models.TextField(null=True, blank=True)
    system_prompt = models.TextField(null=True, blank=True)
    current_session_id = models.TextField(null=True, blank=True, editable=False)

    objects = AgentQuerySet.as_manager()

    class Meta:
        permissions = OBJECT_PERMISSIONS
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], condition=models.Q(deleted_at=None), name="agent_name_live"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="agent_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(inactivity_timeout=None) | models.Q(inactivity_timeout__gte=0),
                name="agent_inactivity_not_negative",
            ),
        ]
        indexes = [*live_list_indexes("agent"), *search_indexes("agent")]

    def __str__(self) -> str:
        return f"{self.project_id}/{self.name}"

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Objects whose grants reach this one, nearest first."""
        return {"agent": self.id, "project": self.project_id}


class InboxMessage(Entity):
    """A note to an agent, read when it is next started."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="inbox", db_index=False)
    from_agent = models.ForeignKey(Agent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    from_name = models.TextField(null=True, blank=True)
    body = models.TextField()
    read = models.BooleanField(default=False)

    objects = InboxMessageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                "agent", "created_at", "id", condition=models.Q(deleted_at=None), name="inbox_agent_live"
            )
        ]

    def __str__(self) -> str:
        return f"to {self.agent_id}"

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Objects whose grants reach this one, nearest first."""
        return self.agent.access_scopes
