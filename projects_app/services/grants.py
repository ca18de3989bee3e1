"""Grants follow from role bindings: recomputed per subject and scope object, in the same transaction.

A subject's bindings are read and its rows written under one advisory lock, so that two transactions cannot
each miss what the other adds. Grants stand on the object of the scope only (docs/architecture.md, access).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from ambient.common import hints
from projects_app.access import SCOPED_MODELS, grant_tables
from projects_app.choices import Scope
from projects_app.models import GlobalGrant, RoleBinding, User

TARGETS: dict[str, str | None] = {
    Scope.GLOBAL: None,
    Scope.PROJECT: "project_id",
    Scope.AGENT: "agent_id",
    Scope.SESSION: "session_id",
    Scope.CREDENTIAL: "credential_id",
}
"""Scope -> the column that names its object."""


@dataclass(frozen=True, order=True)
class Subject:
    """Whom a binding is for: a username, which need not exist yet, or a group."""

    username: str = ""
    group_id: int = 0

    @classmethod
    def of(cls, binding: RoleBinding) -> "Subject | None":
        """None for a binding without a subject: it grants nothing by itself."""
        if binding.user_id:
            return cls(username=binding.user_id)
        return cls(group_id=binding.group_id) if binding.group_id else None


@dataclass(frozen=True, order=True)
class Target:
    """One object that bindings can be scoped to, or everything (`global`, no id)."""

    scope: str
    pk: str = ""

    @classmethod
    def of(cls, binding: RoleBinding) -> "Target":
        column = TARGETS[binding.scope]
        return cls(binding.scope, getattr(binding, column) if column else "")


def lock_subjects(subjects: Iterable[Subject]) -> None:
    """Serialise recomputing per subject until the transaction ends; in one order, so that none deadlocks."""
    with connection.cursor() as cursor:
        for subject in sorted(set(subjects)):
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7238))",
                [f"grants:{subject.username}:{subject.group_id}"],
            )


def recompute(subjects: Iterable[Subject], targets: Iterable[Target] | None = None) -> None:
    """Bring the grants of the subjects in line with their live bindings, on these targets or on all."""
    wanted_targets = None if targets is None else sorted(set(targets))
    everyone = sorted(set(subjects))
    lock_subjects(everyone)
    for subject in everyone:
        holder = _holder(subject)
        if holder is None:
            continue  # its bindings take effect when the user appears
        for target in wanted_targets if wanted_targets is not None else _all_targets(subject, holder):
            _recompute_one(subject, holder, target)
        hints.publish_on_commit(hints.ACCESS, str(holder.pk) if isinstance(holder, User) else "*")


def _holder(subject: Subject) -> User | Group | None:
    if subject.username:
        return User.objects.live().filter(username=subject.username).first()
    return Group.objects.filter(pk=subject.group_id).first()


def _bindings(subject: Subject):  # type: ignore[no-untyped-def]  # a queryset of one model
    rows = RoleBinding.objects.live().filter(role__deleted_at=None)
    if subject.username:
        return rows.filter(user_id=subject.username)
    return rows.filter(group_id=subject.group_id)


def _all_targets(subject: Subject, holder: User | Group) -> list[Target]:
    """Where the subject should have grants or has some."""
    targets = {Target.of(binding) for binding in _bindings(subject)} | {Target(Scope.GLOBAL)}
    for scope in SCOPED_MODELS:
        table, column = _table(scope, holder)
        ids = table.objects.filter(**{column: holder.pk}).values_list("content_object_id", flat=True)
        targets |= {Target(scope, pk) for pk in ids.distinct()}
    return sorted(targets)


def _table(scope: str, holder: User | Group):  # type: ignore[no-untyped-def]  # one of the guardian models
    users, groups = grant_tables(scope)
    return (users, "user_id") if isinstance(holder, User) else (groups, "group_id")


def wanted_on(subject: Subject, target: Target) -> frozenset[str]:
    """The permissions that the subject's live bindings give on one target."""
    bindings = _bindings(subject).filter(scope=target.scope).select_related("role")
    column = TARGETS[target.scope]
    if column is not None:
        bindings = bindings.filter(**{column: target.pk})
    return frozenset[str]().union(*(binding.role.granted() for binding in bindings))


def _recompute_one(subject: Subject, holder: User | Group, target: Target) -> None:
    set_grants(holder, target, wanted_on(subject, target))


def set_grants(holder: User | Group, target: Target, wanted: frozenset[str]) -> None:
    """Make the holder's rows on one target exactly these."""
    if target.scope == Scope.GLOBAL:
        _set_global(holder, wanted)
    else:
        _set_on_object(holder, target, wanted)


def held_on(holder: User | Group, target: Target) -> frozenset[str]:
    """The permissions that the holder's rows say on one target."""
    if target.scope == Scope.GLOBAL:
        column = "user_id" if isinstance(holder, User) else "group_id"
        return frozenset(
            GlobalGrant.objects.filter(**{column: holder.pk}).values_list("permission", flat=True)
        )
    table, column = _table(target.scope, holder)
    rows = table.objects.filter(**{column: holder.pk}, content_object_id=target.pk)
    return frozenset(rows.values_list("permission__codename", flat=True))


def targets_of(subject: Subject, holder: User | Group) -> list[Target]:
    """Where the subject should have grants or has some."""
    return _all_targets(subject, holder)


def _set_global(holder: User | Group, wanted: frozenset[str]) -> None:
    column = "user_id" if isinstance(holder, User) else "group_id"
    rows = GlobalGrant.objects.filter(**{column: holder.pk})
    held = set(rows.values_list("permission", flat=True))
    rows.filter(permission__in=held - wanted).delete()
    GlobalGrant.objects.bulk_create(
        GlobalGrant(**{column: holder.pk}, permission=permission) for permission in sorted(wanted - held)
    )


def _set_on_object(holder: User | Group, target: Target, wanted: frozenset[str]) -> None:
    table, column = _table(target.scope, holder)
    rows = table.objects.filter(**{column: holder.pk}, content_object_id=target.pk)
    held = set(rows.values_list("permission__codename", flat=True))
    if held - wanted:
        rows.filter(permission__codename__in=held - wanted).delete()
    if wanted - held:
        model = apps.get_model(SCOPED_MODELS[target.scope])
        permissions = Permission.objects.filter(
            content_type=ContentType.objects.get_for_model(model), codename__in=wanted - held
        )
        table.objects.bulk_create(
            table(**{column: holder.pk}, content_object_id=target.pk, permission=permission)
            for permission in permissions
        )
