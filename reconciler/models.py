"""Pending work as rows, and how many sessions may run (docs/reconciling.md)."""

from django.db import models
from django.utils import timezone

from projects_app.models import Project


class WorkItem(models.Model):
    """One key that should be looked at. Made by triggers in the transaction of the wish, or by `seen`."""

    kind = models.CharField(max_length=16)
    key = models.CharField(max_length=63, db_collation="C")
    project = models.CharField(max_length=63, db_collation="C", default="")
    version = models.BigIntegerField(default=1, help_text="Grows with every wish and sighting.")
    due_at = models.DateTimeField(default=timezone.now)
    urgent = models.BooleanField(default=False, help_text="A stop or delete: goes first.")
    token = models.BigIntegerField(null=True, help_text="Who holds the claim; a new number a claim.")
    locked_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    last_error = models.TextField(null=True)
    requested_at = models.DateTimeField(default=timezone.now)
    trace = models.CharField(max_length=55, null=True, help_text="W3C traceparent of the request that asked.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="workitem_key")]
        indexes = [
            models.Index("due_at", name="workitem_due"),
            models.Index("requested_at", condition=models.Q(attempts__gt=1), name="workitem_retrying"),
            models.Index("project", condition=models.Q(locked_until__isnull=False), name="workitem_locked"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Limit(models.Model):
    """Most sessions that may have a place at once, on the platform or in one project."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, null=True, blank=True)
    max_running = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(project=None), name="limit_one_for_the_platform"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project_id or 'platform'}: {self.max_running}"


class Installation(models.Model):
    """Who we are towards a cluster: every object we make carries this id. One row."""

    id = models.CharField(max_length=32, primary_key=True)

    def __str__(self) -> str:
        return self.id
