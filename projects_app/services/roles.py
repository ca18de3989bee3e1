"""Built-in roles: rows that follow from the catalogue in code."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ambient.common.database import transactional
from ambient.common.exceptions import Conflict, Forbidden, InvalidField, not_found
from ambient.common.json_text import parsed
from projects_app.access import access_of
from projects_app.choices import BUILTIN_ROLES, expand
from projects_app.models import Role, RoleBinding
from projects_app.services.grants import Subject, recompute

CUSTOM_LEVEL = 1
"""Roles made over the API: only the highest level, 0, may grant them."""
LONGEST_TOLD = 100
BUILT_IN = "Built-in roles cannot be changed"
NOT_PERMITTED = "Not permitted"


@transactional
def seed_builtin_roles() -> list[str]:
    """Create or bring up to date the built-in roles; returns the names that were changed. Safe to re-run."""
    changed = []
    for name, (level, description, entries) in BUILTIN_ROLES.items():
        wanted = {
            "display_name": name.replace(":", " ").title(),
            "description": description,
            "permissions": json.dumps(entries.split()),
            "built_in": True,
            "level": level,
            "deleted_at": None,
        }
        role, created = Role.objects.get_or_create(name=name, defaults=wanted)
        differs = {field for field, value in wanted.items() if getattr(role, field) != value}
        if differs:
            for field in differs:
                setattr(role, field, wanted[field])
            role.save(update_fields=[*differs, "updated_at"])
            recompute_holders(role)
        if created or differs:
            changed.append(name)
    return changed


def recompute_holders(role: Role) -> None:
    """The grants of everybody who holds the role, after it changed."""
    bindings = RoleBinding.objects.live().filter(role=role).exclude(user_id=None, group=None)
    recompute({subject for binding in bindings if (subject := Subject.of(binding)) is not None})


def check_permissions(text: str) -> None:
    """`permissions` must be a JSON array of `resource:action`, each of which means something."""
    entries = parsed(text)
    if not isinstance(entries, list) or not all(
        isinstance(entry, str) and entry.count(":") == 1 and all(entry.split(":")) for entry in entries
    ):
        raise InvalidField("permissions must be a JSON array of resource:action")
    unknown = next((entry for entry in entries if not expand([entry])), None)
    if unknown is not None:
        raise InvalidField(f"permissions has {json.dumps(unknown[:LONGEST_TOLD])}, which there is not")


def require_may_give(actor: Any, values: Mapping[str, Any]) -> None:
    """Nobody writes a role with a permission that they do not hold everywhere: they may hold the role."""
    text = values.get("permissions")
    if not text:
        return
    check_permissions(text)
    access = access_of(actor)
    if not all(access.everywhere(permission) for permission in expand(parsed(text))):
        raise Forbidden(NOT_PERMITTED)


@transactional
def role_create(*, values: Mapping[str, Any]) -> Role:
    """A role of one's own. Its name is taken for ever, since bindings may name it."""
    if values.get("permissions"):
        check_permissions(values["permissions"])
    try:
        with transaction.atomic():
            return Role.objects.create(level=CUSTOM_LEVEL, **values)
    except IntegrityError as exc:
        raise Conflict("This Role already exists") from exc


def _locked(role: Role) -> Role:
    locked = Role.objects.select_for_update(no_key=True).filter(pk=role.pk, deleted_at=None).first()
    if locked is None:
        raise not_found("Role", role.pk)
    if locked.built_in:
        raise Forbidden(BUILT_IN)
    return locked


@transactional
def role_update(*, role: Role, changes: Mapping[str, Any]) -> Role:
    """Change a role; everybody who holds it has the new permissions at once."""
    if changes.get("permissions"):
        check_permissions(changes["permissions"])
    role = _locked(role)
    for name, value in changes.items():
        setattr(role, name, value)
    role.save(update_fields=[*changes, "updated_at"])
    recompute_holders(role)
    return role


@transactional
def role_delete(*, role: Role) -> None:
    """Soft delete; what it granted is gone at once."""
    role = _locked(role)
    role.deleted_at = timezone.now()
    role.save(update_fields=["deleted_at", "updated_at"])
    recompute_holders(role)
