"""Writes to applications. What compares and syncs them with Git does not exist yet, and says so."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ambient.common.database import transactional
from ambient.common.exceptions import Conflict, InvalidField, not_found
from projects_app.models import Application, Credential, Project
from projects_app.services.labels import INDEX_FIELDS, index_labels

NOT_BUILT = "This server does not sync from Git yet; nothing was changed."
CONDITIONS = json.dumps(
    [{"type": "Synced", "status": "Unknown", "reason": "EngineNotBuilt", "message": NOT_BUILT}]
)
CREATES_PROJECT = "CreateProject=true"


def _check_target(application: Application) -> None:
    """A local target exists, unless the sync may make it; a remote one needs a credential."""
    if application.is_local:
        may_make = CREATES_PROJECT in (application.sync_options or "").replace(" ", "").split(",")
        exists = Project.objects.live().filter(pk=application.destination_project).exists()
        if not exists and not may_make:
            raise InvalidField("destination_project names no project")
    elif application.credential_id is None:
        raise InvalidField("credential_id must be set with destination_ambient_url")


def require_may_send(actor: Any, application: Application, changes: Mapping[str, Any]) -> None:
    """A credential's token goes to the address beside it: who sets either must see the credential."""
    before = (application.credential_id, application.destination_ambient_url or "")
    after = (
        changes.get("credential_id", before[0]) or None,
        changes.get("destination_ambient_url", before[1]) or "",
    )
    if after[0] is None or after == before:
        return
    if not Credential.objects.visible_to(actor).filter(pk=after[0]).exists():
        raise InvalidField("credential_id names no credential")


def _save(application: Application, reason: str, **kwargs: Any) -> None:
    try:
        with transaction.atomic():
            application.save(**kwargs)
    except IntegrityError as exc:
        raise Conflict(reason) from exc


@transactional
def application_create(*, values: Mapping[str, Any]) -> Application:
    """A new application; its name is unique."""
    application = Application(conditions=CONDITIONS, **values)
    _check_target(application)
    index_labels(application)
    _save(application, "This Application already exists", force_insert=True)
    return application


def lock_application(pk: str) -> Application:
    """The application's row, locked, so that what a caller may change is asked of what is stored."""
    found = Application.objects.select_for_update(no_key=True).filter(pk=pk, deleted_at=None).first()
    if found is None:
        raise not_found("Application", pk)
    return found


@transactional
def application_update(*, application: Application, changes: Mapping[str, Any]) -> Application:
    """Change what is wanted; the status is the engine's."""
    application = lock_application(application.pk)
    for name, value in changes.items():
        setattr(application, name, value)
    _check_target(application)
    index_labels(application)
    columns = [*changes, *INDEX_FIELDS, "updated_at"]
    _save(application, "Changes to Application conflict with existing records", update_fields=columns)
    return application


@transactional
def application_delete(*, application: Application) -> None:
    """Soft delete; what it has synced stays."""
    Application.objects.filter(pk=application.pk, deleted_at=None).update(deleted_at=timezone.now())


@transactional
def application_sync(*, application: Application) -> Application:
    """Bring the target in line with Git. There is no engine yet: the operation fails and says why."""
    application = lock_application(application.pk)
    application.operation_phase = "Failed"
    application.operation_message = NOT_BUILT
    application.conditions = CONDITIONS
    application.save(update_fields=["operation_phase", "operation_message", "conditions", "updated_at"])
    return application


@transactional
def application_refresh(*, application: Application) -> Application:
    """Compare with Git now. There is no engine yet: how they compare stays unknown."""
    application = lock_application(application.pk)
    application.sync_status = "Unknown"
    application.operation_message = NOT_BUILT
    application.conditions = CONDITIONS
    application.save(update_fields=["sync_status", "operation_message", "conditions", "updated_at"])
    return application
