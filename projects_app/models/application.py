"""Application: a folder of a Git repository that a project is to be kept in line with."""

from django.db import models

from ambient.common.audit import audited
from ambient.common.models import Entity, search_indexes
from projects_app.models.credential import Credential
from projects_app.querysets import ApplicationQuerySet

DEFAULT_RETRIES = 3


STATUS_FIELDS = (
    "sync_status",
    "health_status",
    "sync_revision",
    "operation_phase",
    "operation_message",
    "resource_status",
    "conditions",
    "last_synced_at",
)
"""What the sync engine writes."""


@audited(
    "Application",
    name="{row}.name",
    project="CASE WHEN coalesce({row}.destination_ambient_url, '') = '' THEN {row}.destination_project END",
    exclude=STATUS_FIELDS,
)
class Application(Entity):
    """What is wanted, and how far the sync engine got with it."""

    name = models.TextField()
    source_repo_url = models.TextField()
    source_path = models.TextField()
    source_target_revision = models.TextField(null=True, blank=True, help_text="Branch, tag or commit.")
    destination_project = models.CharField(max_length=255, help_text="Project id, here or there.")
    destination_ambient_url = models.TextField(
        null=True, blank=True, help_text="Another Ambient server; empty: this one."
    )
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True)
    auto_sync = models.BooleanField(default=False)
    auto_prune = models.BooleanField(default=False)
    self_heal = models.BooleanField(default=False)
    sync_options = models.TextField(null=True, blank=True, help_text="Such as CreateProject=true.")
    retry_limit = models.IntegerField(default=DEFAULT_RETRIES)
    labels = models.TextField(null=True, blank=True)
    labels_index = models.JSONField(null=True, editable=False)
    annotations = models.TextField(null=True, blank=True)
    annotations_index = models.JSONField(null=True, editable=False)

    sync_status = models.CharField(max_length=32, default="Unknown", editable=False)
    health_status = models.CharField(max_length=32, default="Unknown", editable=False)
    sync_revision = models.TextField(null=True, editable=False)
    operation_phase = models.CharField(max_length=32, null=True, editable=False)
    operation_message = models.TextField(null=True, editable=False)
    resource_status = models.TextField(null=True, editable=False, help_text="JSON.")
    conditions = models.TextField(null=True, editable=False, help_text="JSON array.")
    last_synced_at = models.DateTimeField(null=True, editable=False)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(deleted_at=None), name="application_name_live"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="application_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(retry_limit__gte=0), name="application_retries_not_negative"
            ),
        ]
        indexes = [
            models.Index("created_at", "id", condition=models.Q(deleted_at=None), name="application_live"),
            models.Index(
                "destination_project",
                "created_at",
                "id",
                condition=models.Q(deleted_at=None),
                name="application_project_live",
            ),
            *search_indexes("application"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_local(self) -> bool:
        """Whether the target is a project of this server."""
        return not self.destination_ambient_url

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Objects whose grants reach this one, nearest first; a project elsewhere gives no rights here."""
        return {"project": self.destination_project} if self.is_local else {}
