"""AuditEntry: who changed what. Written by database triggers alone, and never changed (docs/audit.md)."""

from django.db import models

from projects_app.choices import AuditAction, AuditVia
from projects_app.querysets import AuditEntryQuerySet


class AuditEntry(models.Model):
    """One write. It refers to rows by their ids only, so it outlives them."""

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(editable=False)
    kind = models.CharField(max_length=32)
    object_id = models.TextField()
    object_name = models.TextField(null=True)
    project = models.TextField(null=True, help_text="Project id of what belongs to a project.")
    action = models.CharField(max_length=8, choices=AuditAction)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    actor = models.TextField(null=True, help_text="Username.")
    via = models.CharField(max_length=16, choices=AuditVia)
    via_id = models.TextField(null=True, help_text="Id of the API key or session, issuer, or command.")
    process = models.TextField(help_text="As the database connection names itself.")
    os_user = models.TextField(null=True, help_text="Of a command: who ran it on its machine.")
    request_id = models.TextField(null=True)
    address = models.TextField(null=True)
    route = models.TextField(null=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        default_permissions = ("view",)
        indexes = [
            models.Index("created_at", "id", name="audit_time"),
            models.Index("kind", "created_at", "id", name="audit_kind"),
            models.Index("object_id", "created_at", "id", name="audit_object"),
            models.Index(
                "project", "created_at", "id", condition=models.Q(project__isnull=False), name="audit_project"
            ),
            models.Index(
                "actor", "created_at", "id", condition=models.Q(actor__isnull=False), name="audit_actor"
            ),
            models.Index("request_id", condition=models.Q(request_id__isnull=False), name="audit_request"),
        ]

    def __str__(self) -> str:
        return f"{self.action} of {self.kind} {self.object_name or self.object_id}"
