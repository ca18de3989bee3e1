"""Writes to credentials, and the one place where a token is opened for somebody."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from ambient.common.addresses import may_hold_a_secret
from ambient.common.database import transactional
from ambient.common.encryption import seal, unseal
from ambient.common.exceptions import Forbidden, InvalidField, not_found
from projects_app.choices import Scope
from projects_app.credentials.secrets import renewable
from projects_app.models import Credential, CredentialState, Project, Role, RoleBinding
from projects_app.services.labels import INDEX_FIELDS, index_labels
from projects_app.services.role_bindings import (
    NOT_PERMITTED,
    require_may_create,
    require_one_per_provider,
    role_binding_create,
    role_binding_delete,
)

SHARED_AS = "credential:viewer"
"""Role of the bindings that only say where a credential is used; they name no user."""

LOGIN_IN_URL = (
    "url must not have a user or password before the host, a query or a fragment; put the secret in token"
)


def _apply(credential: Credential, values: Mapping[str, Any]) -> list[str]:
    """Set fields; the token is sealed for this row. Returns the columns that changed."""
    fields = dict(values)
    if fields.get("url") and may_hold_a_secret(fields["url"]):
        raise InvalidField(LOGIN_IN_URL)
    if {"token", "provider", "url"} & set(fields):
        _check_secret(credential, fields)
        CredentialState.objects.filter(credential_id=credential.pk).delete()  # of the secret before
    columns = [*fields, *INDEX_FIELDS]
    if "token" in fields:
        token = fields.pop("token")
        credential.token_sealed = seal(token, context=credential.token_context) if token else None
        columns[columns.index("token")] = "token_sealed"
    for name, value in fields.items():
        setattr(credential, name, value)
    index_labels(credential)
    return columns


def _check_secret(credential: Credential, fields: Mapping[str, Any]) -> None:
    """Refuse a secret that says that it can be renewed and cannot. Raises InvalidField."""
    text = fields.get("token")
    if text is None and credential.token_sealed is not None and "provider" in fields:
        text = unseal(credential.token_sealed, context=credential.token_context)
    if text:
        renewable(text, fields.get("provider", credential.provider))


@transactional
def credential_create(*, actor: Any, values: Mapping[str, Any], project: Project | None = None) -> Credential:
    """A new credential, owned by `actor`; with a project it is bound to it, if the actor may do that."""
    credential = Credential()
    _apply(credential, values)
    credential.save(force_insert=True)
    target = {"scope": Scope.CREDENTIAL, "credential_id": credential.pk}
    owner = Role.objects.get(name="credential:owner")
    role_binding_create(role=owner, values=target | {"user_id": actor.username})
    if project is not None:
        shared = target | {"role_id": SHARED_AS, "project_id": project.pk}
        role_binding_create(role=require_may_create(actor, shared), values=shared)
    return credential


def _locked(pk: str) -> Credential:
    found = Credential.objects.select_for_update(no_key=True).filter(pk=pk, deleted_at=None).first()
    if found is None:
        raise not_found("Credential", pk)
    return found


@transactional
def credential_update(*, credential: Credential, changes: Mapping[str, Any]) -> Credential:
    """Change a credential. Without a token it keeps the one it has; an empty one takes it away.

    Conflict when another of the new provider is used already where this one is.
    """
    credential = _locked(credential.pk)
    before = credential.provider
    credential.save(update_fields=[*_apply(credential, changes), "updated_at"])
    if credential.provider != before:
        for binding in RoleBinding.objects.live().filter(credential=credential).order_by("project_id", "pk"):
            require_one_per_provider(binding)
    return credential


@transactional
def credential_delete(*, credential: Credential) -> None:
    """Soft delete; the token is forgotten, and nobody holds or uses it any more."""
    locked = (
        Credential.objects.select_for_update(no_key=True).filter(pk=credential.pk, deleted_at=None).first()
    )
    if locked is None:
        return
    locked.deleted_at = timezone.now()
    locked.token_sealed = None
    CredentialState.objects.filter(credential=locked).delete()
    locked.save(update_fields=["deleted_at", "token_sealed", "updated_at"])
    for binding in RoleBinding.objects.live().filter(credential=locked).order_by("pk"):
        role_binding_delete(binding=binding)


def require_may_redirect(actor: Any, credential: Credential, changes: Mapping[str, Any]) -> None:
    """Where a secret is sent is changed only by who may read it, or with a new secret.

    Else somebody who may only change a credential could have its secret shown to a server of theirs.
    """
    moved = any(
        name in changes and changes[name] != getattr(credential, name) for name in ("url", "provider")
    )
    if moved and credential.token_sealed is not None and not changes.get("token"):
        if not actor.has_perm("credential:fetch_token", credential):
            raise Forbidden(NOT_PERMITTED)
