"""ApiKey: a long random token for programs; only its digest is kept."""

from django.conf import settings
from django.db import models

from ambient.common.audit import audited
from ambient.common.models import Entity
from projects_app.models.project import Project
from projects_app.models.rbac import Role
from projects_app.querysets import ApiKeyQuerySet


@audited(
    "ApiKey", name="{row}.prefix", project="{row}.project_id", exclude=["last_used_at"], hidden=["digest"]
)
class ApiKey(Entity):
    """Acts as its user, at most within its project and at most with its role's permissions."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=255, blank=True, default="")
    prefix = models.CharField(max_length=16, help_text="First characters, to recognise the key by.")
    digest = models.CharField(
        max_length=64, unique=True, editable=False
    )  # SHA-256 of 256 random bits: no salt needed
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True)
    role = models.ForeignKey(Role, on_delete=models.PROTECT, null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.prefix}... of {self.user_id}"

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Keys of others are only for who may see them everywhere."""
        return {}
