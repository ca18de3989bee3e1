"""Built-in roles: rows that follow from the catalogue in code."""

import json
from typing import Any

from projects_app.choices import BUILTIN_ROLES
from projects_app.models import Role


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
        if created or differs:
            changed.append(name)
    return changed


def seed_after_migrate(sender: Any, plan: Any = None, **kwargs: Any) -> None:
    """post_migrate receiver: a migrated database always has the roles that its code knows."""
    seed_builtin_roles()
