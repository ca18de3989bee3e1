"""Writes to users. A username's bindings may be older than its user: they take effect here."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ambient.common import hints
from ambient.common.database import transactional
from ambient.common.exceptions import Conflict, InvalidField, not_found
from projects_app.access import RUNNER_PREFIX
from projects_app.models import ApiKey, RoleBinding, User
from projects_app.services.grants import Subject, lock_subjects, recompute
from projects_app.services.owners import owned_by_user, require_owners
from projects_app.services.role_bindings import role_binding_delete
from projects_app.usernames import RESERVED, normalised, username_fault

CONFLICT = "Changes to User conflict with existing records"
POWERLESS = "a service account does not use the admin and is no superuser; give it a role"


def name_fault(username: str) -> str | None:
    """Why nobody may be called so; None when somebody may."""
    return RESERVED if username.startswith(RUNNER_PREFIX) else username_fault(username)


def _check_name(username: str) -> None:
    fault = name_fault(username)
    if fault:
        raise InvalidField(fault)


def _check(user: User) -> None:
    """What no user may be."""
    if user.service_account and (user.is_staff or user.is_superuser):
        raise InvalidField(POWERLESS)


@transactional
def user_create(*, values: Mapping[str, Any]) -> User:
    """A user without a password: they sign in with an identity provider or an API key."""
    user = User(**_named(values))
    _check_name(user.username)
    _check(user)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as exc:
        raise Conflict("This User already exists") from exc
    recompute([Subject(username=user.username)])
    return user


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the username in its one form."""
    name = values.get("username")
    return {**values, "username": normalised(name)} if name else dict(values)


@transactional
def user_ensure(*, username: str, name: str = "", email: str | None = None) -> User:
    """The live user of this name, made on first sight; it has the rights of bindings that wait for it."""
    username = normalised(username)
    lock_subjects([Subject(username=username)])
    found = User.objects.live().filter(username=username).first()
    return found or user_create(values={"username": username, "name": name or username, "email": email})


@transactional
def user_update(*, user: User, changes: Mapping[str, Any]) -> User:
    """Change a user. Bindings name the username, so another name means other rights.

    Neither a new name nor a deactivation may leave something without an owner.
    """
    changes = _named(changes)
    lock_subjects([Subject(username=user.username), Subject(username=changes.get("username", user.username))])
    locked = User.objects.select_for_update(no_key=True).filter(pk=user.pk, deleted_at=None).first()
    if locked is None:
        raise not_found("User", user.pk)
    renamed = changes.get("username", locked.username) != locked.username
    owned = owned_by_user(locked) if renamed or not changes.get("is_active", True) else []
    for name, value in changes.items():
        setattr(locked, name, value)
    if renamed:
        _check_name(locked.username)
    _check(locked)
    try:
        with transaction.atomic():
            locked.save(update_fields=[*changes, "updated_at"])
            require_owners(owned)
    except IntegrityError as exc:
        raise Conflict(CONFLICT) from exc
    if "username" in changes:
        recompute([Subject(username=locked.username)])
    if "is_active" in changes:
        hints.publish_on_commit(hints.ACCESS, str(locked.pk))  # open streams look again
    return locked


@transactional
def user_delete(*, user: User) -> None:
    """Soft delete: no sign-in, no keys, no bindings, so that a later user of the name has none."""
    locked = User.objects.select_for_update(no_key=True).filter(pk=user.pk, deleted_at=None).first()
    if locked is None:
        return
    owned = owned_by_user(locked)
    now = timezone.now()
    with transaction.atomic():
        for binding in RoleBinding.objects.live().filter(user_id=locked.username).order_by("pk"):
            role_binding_delete(binding=binding)
        ApiKey.objects.filter(user=locked, revoked_at=None).update(revoked_at=now, updated_at=now)
        locked.deleted_at = now
        locked.is_active = False
        locked.save(update_fields=["deleted_at", "is_active", "updated_at"])
        require_owners(owned)  # what a group owns through this person
