"""Session: one agent at work, from the wish for it to its end.

    absent -> Pending -> Creating -> Running -> Completed | Failed
       any of these but the last two -> Stopping -> Stopped
       Creating, Running -> Pending (a bounded restart); Stopped, Completed, Failed -> Pending (start again)

The exact table is `sessions_app.choices.TRANSITIONS`; phase and conditions are written by
`sessions_app.status` alone. What people want (`desired_state`, `generation` and the spec) is written by the
services; the reconciler makes it so.
"""

from django.db import models

from ambient.common.audit import audited
from ambient.common.models import Entity, live_list_indexes, search_indexes
from ambient.common.sealed import SealedTextField, sealed_index
from projects_app.choices import OBJECT_PERMISSIONS
from projects_app.models import Agent, Project
from projects_app.models.agent import DEFAULT_MAX_TOKENS, DEFAULT_MODEL, DEFAULT_TEMPERATURE
from sessions_app.choices import FINAL_PHASES, DesiredState, Phase, Reason
from sessions_app.models.schedule import ScheduledSession
from sessions_app.querysets import SessionQuerySet

SPEC_FIELDS = (
    "name",
    "prompt",
    "repo_url",
    "repos",
    "workflow_id",
    "assigned_user_id",
    "timeout",
    "llm_model",
    "llm_temperature",
    "llm_max_tokens",
    "bot_account_name",
    "resource_overrides",
    "environment_variables",
    "labels",
    "annotations",
    "runner_type",
    "inactivity_timeout",
    "stop_on_run_finished",
    "allowed_tools",
    "mcp_servers",
    "system_prompt",
)
"""What a caller may set on create and change later."""

WISH_FIELDS = (
    "project",
    "agent",
    "parent_session",
    "schedule",
    "created_by_user_id",
    "desired_state",
    "generation",
    "deleted_at",
    *SPEC_FIELDS,
)


@audited(
    "Session",
    name="{row}.name",
    project="{row}.project_id",
    fields=WISH_FIELDS,
    hidden=["environment_variables", "mcp_servers"],
)
class Session(Entity):
    """Optional text is NULL when unset: the wire leaves it out, and an empty text is something else."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="sessions", db_index=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="sessions")
    parent_session = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True)
    schedule = models.ForeignKey(
        ScheduledSession,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="sessions",
        db_index=False,
    )
    created_by_user_id = models.TextField(null=True, blank=True, editable=False, help_text="Username.")

    name = models.TextField()
    prompt = models.TextField(null=True, blank=True)
    repo_url = models.TextField(null=True, blank=True)
    repos = models.TextField(null=True, blank=True, help_text="JSON array of {url, branch, name}.")
    workflow_id = models.TextField(null=True, blank=True)
    assigned_user_id = models.TextField(null=True, blank=True)
    timeout = models.IntegerField(null=True, blank=True, help_text="Longest time running, in seconds.")
    llm_model = models.TextField(default=DEFAULT_MODEL)
    llm_temperature = models.FloatField(default=DEFAULT_TEMPERATURE)
    llm_max_tokens = models.IntegerField(default=DEFAULT_MAX_TOKENS)
    bot_account_name = models.TextField(null=True, blank=True)
    resource_overrides = models.TextField(null=True, blank=True)
    environment_variables = models.TextField(null=True, blank=True, help_text="JSON object.")
    labels = models.TextField(null=True, blank=True)
    labels_index = models.JSONField(null=True, editable=False)
    annotations = models.TextField(null=True, blank=True)
    annotations_index = models.JSONField(null=True, editable=False)
    runner_type = models.TextField(default="demo", help_text="Framework of the runner.")
    inactivity_timeout = models.IntegerField(null=True, blank=True, help_text="Seconds; 0: never.")
    stop_on_run_finished = models.BooleanField(default=False, help_text="Completed after a successful run.")
    allowed_tools = models.TextField(null=True, blank=True, help_text="JSON array.")
    mcp_servers = models.TextField(null=True, blank=True, help_text="JSON object.")
    system_prompt = models.TextField(null=True, blank=True)

    phase = models.CharField(max_length=16, choices=Phase, null=True, blank=True, editable=False)
    phase_since = models.DateTimeField(null=True, editable=False)
    reason = models.CharField(max_length=32, choices=Reason, null=True, editable=False)
    reason_text = models.TextField(null=True, editable=False)
    conditions = models.TextField(null=True, editable=False, help_text="JSON array.")
    start_time = models.DateTimeField(null=True, editable=False)
    completion_time = models.DateTimeField(null=True, editable=False)
    sdk_session_id = models.TextField(null=True, editable=False)
    sdk_restart_count = models.IntegerField(null=True, editable=False)
    reconciled_repos = models.TextField(null=True, editable=False)
    reconciled_workflow = models.TextField(null=True, editable=False)
    kube_cr_name = models.TextField(null=True, editable=False)
    kube_cr_uid = models.TextField(null=True, editable=False)
    kube_namespace = models.TextField(null=True, editable=False)

    # Not on the wire: the wish, and how far the reconciler got with it.
    desired_state = models.CharField(
        max_length=8, choices=DesiredState, default=DesiredState.RUNNING, editable=False
    )
    generation = models.IntegerField(default=1, editable=False)
    observed_generation = models.IntegerField(default=0, editable=False)
    status_version = models.BigIntegerField(default=0, editable=False)
    attempt = models.IntegerField(default=0, editable=False)
    restarts = models.IntegerField(default=0, editable=False)
    placed_at = models.DateTimeField(null=True, editable=False)
    start_called = models.BooleanField(default=False, editable=False)
    runner_endpoint = models.TextField(null=True, editable=False)
    runner_instance = models.TextField(null=True, editable=False)
    runner_host = models.TextField(null=True, editable=False)
    runner_secret = SealedTextField(bound_by="runner_secret_context", null=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        permissions = OBJECT_PERMISSIONS
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="session_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(phase=None) | models.Q(phase__in=Phase.values), name="session_phase_known"
            ),
            models.CheckConstraint(
                condition=models.Q(desired_state__in=DesiredState.values), name="session_desired_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(desired_state=DesiredState.DELETED),
                name="session_deleted_is_wanted_deleted",
            ),
            models.CheckConstraint(
                condition=models.Q(timeout=None) | models.Q(timeout__gte=0),
                name="session_timeout_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(inactivity_timeout=None) | models.Q(inactivity_timeout__gte=0),
                name="session_inactivity_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(generation__gte=1, attempt__gte=0, restarts__gte=0, status_version__gte=0),
                name="session_counters_not_negative",
            ),
        ]
        indexes = [
            models.Index("deleted_at", condition=~models.Q(deleted_at=None), name="session_deleted"),
            *live_list_indexes("session"),
            sealed_index("runner_secret", name="session_sealed_by"),
            *search_indexes("session"),
            # What the sweep looks at: everything not final, or final against the wish.
            models.Index(
                "id",
                condition=(
                    models.Q(phase=None)
                    | ~models.Q(phase__in=sorted(FINAL_PHASES))
                    | models.Q(desired_state=DesiredState.RUNNING, phase=Phase.STOPPED)
                    | models.Q(placed_at__isnull=False)
                ),
                name="session_unfinished",
            ),
            models.Index(
                "schedule", "created_at", "id", condition=~models.Q(schedule=None), name="session_schedule"
            ),
            # What operators look for: lists and counts by phase, failures by reason.
            models.Index(
                "phase",
                "created_at",
                "id",
                condition=models.Q(deleted_at=None),
                name="session_phase_live",
            ),
            models.Index(
                "reason",
                "phase_since",
                condition=models.Q(deleted_at=None, phase=Phase.FAILED),
                name="session_failed",
            ),
            models.Index(
                "project", "placed_at", condition=models.Q(placed_at__isnull=False), name="session_placed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id}/{self.name}"

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Objects whose grants reach this one, nearest first."""
        return {"session": self.id, "agent": self.agent_id, "project": self.project_id}

    @property
    def runner_secret_context(self) -> str:
        """What the sealed `runner_secret` is bound to."""
        return f"session:{self.id}:runner_secret"
