"""`group_access` of project settings: which groups may work in the project.

A JSON array of `{"groupName": ..., "role": "admin" | "edit" | "view"}`. The text is kept as it was sent; what
in it cannot be understood gives nobody anything.
"""

from typing import Any

from django.contrib.auth.models import Group

from ambient.common.database import transactional
from ambient.common.exceptions import InvalidField
from ambient.common.json_text import parsed
from projects_app.choices import Scope
from projects_app.models import Project, RoleBinding
from projects_app.services.role_bindings import (
    require_may_create,
    require_may_delete,
    role_binding_create,
    role_binding_delete,
)

ROLES = {"admin": "project:owner", "edit": "project:editor", "view": "project:viewer"}
MAX_ENTRIES = 100
NAME_LIMIT = 150  # of Django's groups
Entry = tuple[str, str]
"""Group name, role name."""


def group_entries(text: str | None) -> set[Entry]:
    """The entries of a text that can be understood."""
    entries = parsed(text)
    found = set()
    for entry in entries if isinstance(entries, list) else ():
        name, role = (entry.get("groupName"), entry.get("role")) if isinstance(entry, dict) else (None, None)
        if isinstance(name, str) and 0 < len(name) <= NAME_LIMIT and isinstance(role, str) and role in ROLES:
            found.add((name, ROLES[role]))
    return found


def _can_be_stored(name: str) -> bool:
    return "\0" not in name and not any("\ud800" <= char <= "\udfff" for char in name)


@transactional
def group_access_change(*, actor: Any, project: Project, before: str | None, after: str | None) -> None:
    """Bring the groups' bindings from one text to another, by the rules of granting for `actor`."""
    old, new = group_entries(before), group_entries(after)
    if len(new) > MAX_ENTRIES:
        raise InvalidField(f"group_access may have at most {MAX_ENTRIES} groups")
    if not all(_can_be_stored(name) for name, _ in new):
        raise InvalidField("group_access has a groupName with a NUL or half of a surrogate pair")
    for name, role_name in sorted(old - new):
        held = RoleBinding.objects.live().filter(
            scope=Scope.PROJECT, project=project, group__name=name, role__name=role_name
        )
        for binding in held:
            require_may_delete(actor, binding)
            role_binding_delete(binding=binding)
    for name, role_name in sorted(new - old):
        wanted = {"role_id": role_name, "scope": Scope.PROJECT, "project_id": project.pk}
        role = require_may_create(actor, wanted)
        group, _ = Group.objects.get_or_create(name=name)
        there = RoleBinding.objects.live().filter(
            scope=Scope.PROJECT, project=project, group=group, role=role
        )
        if not there.exists():
            role_binding_create(role=role, values=wanted | {"group_id": group.pk})
