"""A project or credential keeps an owner who can act: an active user, or a group with one in it.

A binding for a name that nobody has yet, of a deactivated person or of an empty group owns nothing: nobody
could come and use it. Who takes an owner's powers away names what is owned before, which locks it, and
requires an owner after, so that of two last owners that go at the same time one stays.
"""

from collections.abc import Iterable

import structlog
from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from ambient.common.exceptions import Conflict
from projects_app.access import SCOPED_MODELS
from projects_app.choices import Scope
from projects_app.models import RoleBinding, User
from projects_app.services.grants import TARGETS, Target

OWNER_ROLES = {Scope.PROJECT: "project:owner", Scope.CREDENTIAL: "credential:owner"}
WAY_OUT = "an administrator first moves that binding to somebody else (PATCH its user_id)"
LAST_OWNER = "cannot delete the last owner binding"
"""Clients know it by these words; docs/access.md says what to do instead."""

log = structlog.get_logger(__name__)


def last_owner_of(target: Target) -> str:
    """Why a person or group may not lose their powers, for who may take them."""
    return f"this would take the last owner of {target.scope} {target.pk}; {WAY_OUT}"


def is_owner(binding: RoleBinding) -> bool:
    """Whether the binding makes somebody an owner, if they can act."""
    return OWNER_ROLES.get(Scope(binding.scope)) == binding.role.name and bool(
        binding.user_id or binding.group_id
    )


def owner_bindings() -> QuerySet[RoleBinding, RoleBinding]:
    """Live bindings that make somebody an owner, if they can act."""
    owning = Q()
    for scope, role in OWNER_ROLES.items():
        owning |= Q(scope=scope, role__name=role)
    return RoleBinding.objects.live().filter(owning)


def able(bindings: QuerySet[RoleBinding, RoleBinding]) -> QuerySet[RoleBinding, RoleBinding]:
    """Those of the bindings that somebody can act by."""
    people = User.objects.live().filter(is_active=True)
    members = User.groups.through.objects.filter(user__in=people)
    return bindings.filter(Q(user_id__in=people.values("username")) | Q(group__in=members.values("group")))


def owned_by_user(user: User) -> list[Target]:
    """What a person owns now, by themselves or by a group; nothing when they cannot act. Locks it."""
    if not user.is_active or user.deleted_at is not None:
        return []
    subject = Q(user_id=user.username) | Q(group__in=user.groups.values("pk"))
    return _locked(owner_bindings().filter(subject))


def owned_by_groups(groups: Iterable[Group]) -> list[Target]:
    """What these groups own now, as far as somebody in them can act. Locks it."""
    return _locked(able(owner_bindings().filter(group__in=[group.pk for group in groups])))


def _locked(bindings: Iterable[RoleBinding]) -> list[Target]:
    targets = sorted({Target.of(binding) for binding in bindings})
    return [target for target in targets if lock_target(target)]


def lock_target(target: Target) -> bool:
    """Lock what is owned until the transaction ends; False when it is deleted and needs no owner."""
    model = apps.get_model(SCOPED_MODELS[target.scope])
    row = model._default_manager.select_for_update(no_key=True).filter(pk=target.pk, deleted_at=None)
    return row.exists()


def has_owner(target: Target) -> bool:
    """Whether somebody who can act owns it."""
    return able(
        owner_bindings().filter(scope=target.scope, **{str(TARGETS[target.scope]): target.pk})
    ).exists()


def require_owners(targets: Iterable[Target]) -> None:
    """Each has an owner still. Raises Conflict."""
    for target in targets:
        if not has_owner(target):
            raise Conflict(last_owner_of(target))


def report_ownerless(targets: Iterable[Target]) -> None:
    """What cannot be refused is told: the identity provider has decided it."""
    for target in targets:
        if not has_owner(target):
            log.warning("nobody who can act owns this any more", scope=target.scope, id=target.pk)


def ownerless() -> list[Target]:
    """Live projects and credentials without an owner who can act; administrators give them to somebody."""
    found = set()
    for scope in OWNER_ROLES:
        column = str(TARGETS[scope])
        owned = able(owner_bindings().filter(scope=scope)).values(column)
        rows = apps.get_model(SCOPED_MODELS[scope])._default_manager.live().exclude(pk__in=owned)
        found |= {Target(scope, pk) for pk in rows.values_list("pk", flat=True)}
    return sorted(found)
