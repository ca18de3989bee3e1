"""Credential: a secret that sessions use towards other services; only its ciphertext is kept."""

from django.db import models

from ambient.common.audit import audited
from ambient.common.models import Entity, ksuid_field, search_indexes
from ambient.common.sealed import SealedTextField, sealed_index
from projects_app.choices import OBJECT_PERMISSIONS, Provider
from projects_app.querysets import CredentialQuerySet


@audited("Credential", name="{row}.name", hidden=["token_sealed"])
class Credential(Entity):
    """A token for a provider, sealed and bound to this row (`ambient.common.encryption`)."""

    name = models.TextField()
    provider = models.CharField(max_length=32, choices=Provider)
    token_sealed = SealedTextField(bound_by="token_context", null=True, blank=True)
    url = models.TextField(null=True, blank=True)
    email = models.TextField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    labels = models.TextField(null=True, blank=True)
    labels_index = models.JSONField(null=True, editable=False)
    annotations = models.TextField(null=True, blank=True)
    annotations_index = models.JSONField(null=True, editable=False)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        permissions = OBJECT_PERMISSIONS
        constraints = [
            models.CheckConstraint(
                condition=models.Q(provider__in=Provider.values), name="credential_provider_known"
            )
        ]
        indexes = [
            models.Index("created_at", "id", condition=models.Q(deleted_at=None), name="credential_live"),
            sealed_index("token_sealed", name="credential_sealed_by"),
            *search_indexes("credential"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.provider})"

    @property
    def token_context(self) -> str:
        """What the sealed token is bound to."""
        return f"credential:{self.id}:token"

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Objects whose grants reach this one, nearest first."""
        return {"credential": self.id}


class CredentialState(models.Model):
    """What is known of a credential besides what people wrote: its present access token, its last test.

    A row of its own, so that renewing locks nobody out of the credential and is no change of it. Whoever
    renews holds the claim until `claimed_until`; no transaction is open while the provider is asked.
    """

    id = ksuid_field()
    credential = models.OneToOneField(Credential, on_delete=models.CASCADE, related_name="state")
    access_sealed = SealedTextField(bound_by="access_context", null=True, blank=True)
    access_expires_at = models.DateTimeField(null=True, blank=True)
    access_renew_at = models.DateTimeField(null=True, blank=True)
    claim = models.CharField(max_length=32, blank=True, default="")
    claimed_until = models.DateTimeField(null=True, blank=True)
    failed_reason = models.CharField(max_length=32, blank=True, default="")  # of `credentials.base.Reason`
    failed_at = models.DateTimeField(null=True, blank=True)
    works = models.BooleanField(null=True, blank=True)
    test_reason = models.CharField(max_length=32, blank=True, default="")  # of `credentials.base.Reason`
    tested_at = models.DateTimeField(null=True, blank=True)
    test_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [sealed_index("access_sealed", name="credential_access_sealed_by")]

    def __str__(self) -> str:
        return f"state of {self.credential_id}"

    @property
    def access_context(self) -> str:
        """What the sealed access token is bound to."""
        return f"credential-state:{self.id}:access"
