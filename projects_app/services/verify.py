"""Do the grants say what the bindings say? They follow in one transaction, so a difference is a fault."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction

from ambient.common import hints
from projects_app.access import SCOPED_MODELS, grant_tables
from projects_app.models import GlobalGrant, RoleBinding, User
from projects_app.services.grants import (
    Subject,
    Target,
    held_on,
    lock_subjects,
    set_grants,
    targets_of,
    wanted_on,
)

NOBODY = Subject()
"""The subject of a deleted user: no binding names it, so no grant may stay."""


@dataclass(frozen=True)
class Drift:
    """One subject's difference on one target."""

    who: str
    target: Target
    missing: frozenset[str]
    extra: frozenset[str]

    def __str__(self) -> str:
        where = f"{self.target.scope} {self.target.pk}".strip()
        parts = [f"missing {' '.join(sorted(self.missing))}"] if self.missing else []
        parts += [f"extra {' '.join(sorted(self.extra))}"] if self.extra else []
        return f"{self.who} on {where}: {'; '.join(parts)}"


def _holders() -> Iterator[tuple[str, Subject, User | Group]]:
    """Everybody who holds a grant, or should."""
    users: set[str] = set(GlobalGrant.objects.exclude(user=None).values_list("user_id", flat=True))
    groups: set[int] = set(GlobalGrant.objects.exclude(group=None).values_list("group_id", flat=True))
    for scope in SCOPED_MODELS:
        of_users, of_groups = grant_tables(scope)
        users |= set(of_users.objects.values_list("user_id", flat=True).distinct())
        groups |= set(of_groups.objects.values_list("group_id", flat=True).distinct())
    live = RoleBinding.objects.live()
    names = live.exclude(user_id=None).values("user_id")
    users |= set(User.objects.live().filter(username__in=names).values_list("pk", flat=True))
    groups |= set(live.exclude(group=None).values_list("group_id", flat=True).distinct())
    for user in User.objects.filter(pk__in=users).order_by("username", "pk"):
        if user.deleted_at is None:
            yield user.username, Subject(username=user.username), user
        else:
            yield f"{user.username} (deleted)", NOBODY, user
    for group in Group.objects.filter(pk__in=groups).order_by("name"):
        yield f"group {group.name}", Subject(group_id=group.pk), group


def access_verify(*, fix: bool = False) -> list[Drift]:
    """Every difference that was found; with `fix` the grants are brought in line with the bindings.

    One subject at a time, under its lock, so that a binding that is just being written is no difference.
    """
    found: list[Drift] = []
    for who, subject, holder in _holders():
        with transaction.atomic():
            lock_subjects([subject])
            drift = [_drift(who, subject, holder, target) for target in targets_of(subject, holder)]
            wrong = [entry for entry in drift if entry.missing or entry.extra]
            if fix and wrong:
                for entry in wrong:
                    set_grants(holder, entry.target, wanted_on(subject, entry.target))
                hints.publish_on_commit(hints.ACCESS, str(holder.pk) if isinstance(holder, User) else "*")
        found += wrong
    return found


def _drift(who: str, subject: Subject, holder: User | Group, target: Target) -> Drift:
    wanted, held = wanted_on(subject, target), held_on(holder, target)
    return Drift(who, target, wanted - held, held - wanted)
