"""Project: the tenant. Its id is its name."""

from django.db import models

from ambient.common.audit import audited
from ambient.common.models import Entity, Stamped, search_indexes
from projects_app.choices import OBJECT_PERMISSIONS
from projects_app.querysets import ProjectQuerySet, ProjectSettingsQuerySet

PROJECT_NAME = (
    r"^[a-z][a-z0-9-]*[a-z0-9]$"  # a Kubernetes namespace name (RFC 1123 label) of 2 to 63 characters
)


@audited("Project", name="{row}.id", project="{row}.id")
class Project(Stamped):
    """A team's space: agents, sessions and the people who may use them."""

    id = models.CharField("name", max_length=63, primary_key=True, db_collation="C")
    description = models.TextField(null=True, blank=True)
    prompt = models.TextField(null=True, blank=True, help_text="Part of every agent start.")
    labels = models.TextField(null=True, blank=True)
    labels_index = models.JSONField(null=True, editable=False)
    annotations = models.TextField(null=True, blank=True)
    annotations_index = models.JSONField(null=True, editable=False)
    status = models.TextField(null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        permissions = OBJECT_PERMISSIONS
        constraints = [
            models.CheckConstraint(
                condition=models.Q(id__regex=PROJECT_NAME), name="project_name_is_a_namespace_name"
            )
        ]
        indexes = [
            models.Index("created_at", "id", condition=models.Q(deleted_at=None), name="project_live"),
            *search_indexes("project", "id"),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Objects whose grants reach this one, nearest first."""
        return {"project": self.id}


@audited("ProjectSettings", name="{row}.project_id", project="{row}.project_id")
class ProjectSettings(Entity):
    """Defaults and group access of one project."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="settings")
    group_access = models.TextField(null=True, blank=True)
    repositories = models.TextField(null=True, blank=True)
    runner_type = models.TextField(null=True, blank=True)
    inactivity_timeout = models.IntegerField(null=True, blank=True, help_text="Seconds; 0: never.")
    stop_on_run_finished = models.BooleanField(null=True, blank=True)
    event_retention_days = models.IntegerField(
        null=True, blank=True, help_text="Days that events of ended runs are kept; 0: for ever."
    )

    objects = ProjectSettingsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "project settings"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(inactivity_timeout=None) | models.Q(inactivity_timeout__gte=0),
                name="projectsettings_inactivity_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(event_retention_days=None)
                | models.Q(event_retention_days__gte=0, event_retention_days__lte=36500),
                name="projectsettings_retention_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.project_id

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Objects whose grants reach this one, nearest first."""
        return {"project": self.project_id}
