"""Writes to groups of users. Whoever joins or leaves has other rights at once, also in open streams."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction

from ambient.common import hints
from ambient.common.database import transactional
from ambient.common.exceptions import Conflict
from projects_app.models import RoleBinding, User
from projects_app.services.grants import Target
from projects_app.services.owners import owned_by_groups, report_ownerless, require_owners
from projects_app.services.role_bindings import role_binding_delete

TAKEN = "This Group already exists"


def _save(group: Group) -> None:
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError as exc:
        raise Conflict(TAKEN) from exc


@transactional
def group_create(*, name: str, permissions: Iterable[Permission] = ()) -> Group:
    """A new group. `permissions` are Django's own, for the admin; roles are given by bindings."""
    group = Group(name=name)
    _save(group)
    group.permissions.set(permissions)
    return group


@transactional
def group_update(*, group: Group, changes: Mapping[str, Any]) -> Group:
    """Change a group's name or its permissions in the admin."""
    group = Group.objects.select_for_update().get(pk=group.pk)
    if "name" in changes:
        group.name = changes["name"]
        _save(group)
    if "permissions" in changes:
        group.permissions.set(changes["permissions"])
    return group


@transactional
def group_delete(*, group: Group) -> None:
    """Delete a group, its bindings first. A binding that is a project's last owner keeps the group."""
    for binding in RoleBinding.objects.live().filter(group=group).order_by("pk"):
        role_binding_delete(binding=binding)
    group.delete()
    hints.publish_on_commit(hints.ACCESS, "*")


@transactional
def user_groups_set(*, user: User, groups: Iterable[Group]) -> None:
    """Bring a user's groups to exactly these. A group that is something's last owner is not emptied."""
    with transaction.atomic():
        require_owners(_set(user, groups))


@transactional
def user_groups_follow(*, user: User, groups: Iterable[Group]) -> None:
    """The same as an identity provider says it, which is not to be refused: what it ends is logged."""
    report_ownerless(_set(user, groups))


def _set(user: User, groups: Iterable[Group]) -> list[Target]:
    """Returns what the groups that are left own."""
    wanted = list(groups)
    owned = owned_by_groups(set(user.groups.all()) - set(wanted))
    user.groups.set(wanted)
    hints.publish_on_commit(hints.ACCESS, str(user.pk))
    return owned
