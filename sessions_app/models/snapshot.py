"""Saved workspaces: what lies in the bucket, and whose it is (docs/workspace.md).

begun -> completed -> (newer ones are there, or the session is gone) -> deleted, object first
begun -> (never completed) -> deleted
"""

from django.db import models

from ambient.common.models import ksuid_field
from sessions_app.models.session import Session


class WorkspaceSnapshot(models.Model):
    """One archive of a session's files. Each has an object of its own, so none can spoil another."""

    id = ksuid_field()
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="snapshots", db_index=False)
    attempt = models.IntegerField(help_text="Of the session, that saved it.")
    key = models.TextField(help_text="Name of the object in the bucket.")
    size = models.BigIntegerField(help_text="In bytes.")
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, help_text="Unset: not known to be in the bucket.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(size__gt=0), name="snapshot_has_a_size")]
        indexes = [
            models.Index("session", models.F("completed_at").desc(), name="snapshot_newest"),
            models.Index("created_at", condition=models.Q(completed_at=None), name="snapshot_begun"),
        ]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.id}"
