"""Who may do what on one object, and which bindings that comes from: for those who ask.

Deciding is `access.py`, from the grants; this reads the bindings that the grants follow from, so that an
answer can say why. `manage.py verify_access` is for when the two differ.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast

from projects_app.access import SCOPED_MODELS, PersonAccess
from projects_app.choices import PERMISSIONS, Scope
from projects_app.models import Role, RoleBinding, User
from projects_app.selectors import covering

Scopes = Mapping[str, str | None]
PERSON, GROUP = "user", "group"
NO_ROLE = "no role there"
ASLEEP = "deactivated, or a name that no user has yet"
_BELOW = {
    Scope.PROJECT: {"project", "project_document", "role_binding", "application", "agent", "session"},
    Scope.AGENT: {"agent", "role_binding", "session"},
    Scope.SESSION: {"session", "role_binding"},
    Scope.CREDENTIAL: {"credential", "role_binding"},
}
_OF_SESSION = {"session_message", "blackboard"}


def meant_on(scope: str) -> frozenset[str]:
    """Permissions that mean something on an object of the scope, or on what belongs to it."""
    resources = _BELOW[Scope(scope)]
    if "session" in resources:
        resources = resources | _OF_SESSION
    return frozenset(each for each in PERMISSIONS if each.split(":")[0] in resources)


@dataclass(frozen=True)
class Source:
    """One binding as a reason: which role, on what, and through which group."""

    id: str
    role: str
    scope: str
    target: str | None
    group: str | None

    @classmethod
    def of(cls, binding: RoleBinding) -> "Source":
        target = {
            Scope.PROJECT: binding.project_id,
            Scope.AGENT: binding.agent_id,
            Scope.SESSION: binding.session_id,
            Scope.CREDENTIAL: binding.credential_id,
        }.get(Scope(binding.scope))
        group = binding.group.name if binding.group else None
        return cls(binding.pk, binding.role.name, binding.scope, target, group)

    def __str__(self) -> str:
        where = "everywhere" if self.target is None else f"on {self.scope} {self.target}"
        return f"role {self.role} {where}" + (f" through group {self.group}" if self.group else "")


@dataclass(frozen=True)
class Holder:
    """A person or group with what it may do on the object.

    `active` is False for a deactivated person and for a name that no user has yet: those may do nothing now.
    """

    subject_type: str
    subject: str
    active: bool
    administrator: bool
    permissions: list[str]
    bindings: list[Source] = field(default_factory=list)


def _subject_bindings(scopes: Scopes) -> QuerySet[RoleBinding, RoleBinding]:
    return (
        RoleBinding.objects.live()
        .filter(covering(scopes), role__deleted_at=None)
        .exclude(user_id=None, group=None)
        .exclude(user_id="")
    )


def shown_bindings(scopes: Scopes, meant: frozenset[str]) -> QuerySet[RoleBinding, RoleBinding]:
    """Those of a role that gives some of `meant`, and all that stand on the object or what it belongs to.

    A role everywhere that means nothing there is not the business of who looks after the object.
    """
    useful = [role.pk for role in Role.objects.live() if role.granted() & meant]
    return _subject_bindings(scopes).filter(~Q(scope=Scope.GLOBAL) | Q(role__in=useful))


def holders(bound: QuerySet[RoleBinding, RoleBinding]) -> QuerySet[Any, Any]:
    """Whom these bindings are for (`shown_bindings`), and administrators.

    As rows of `subject_type` and `subject`: groups, people of their own or by a group, administrators, and
    names that wait for their user; in order.
    """
    people = User.objects.live().filter(
        Q(username__in=bound.exclude(user_id=None).values("user_id"))
        | Q(groups__in=bound.exclude(group=None).values("group"))
        | Q(is_superuser=True)
    )
    waiting = bound.exclude(user_id=None).exclude(user_id__in=User.objects.live().values("username"))
    groups = Group.objects.filter(bindings__in=bound)

    def rows(of: QuerySet[Any, Any], kind: str, name: str) -> QuerySet[Any, Any]:
        text = CharField()
        named = of.order_by().annotate(subject_type=Value(kind, text), subject=Cast(name, text))
        return named.values("subject_type", "subject").distinct()

    found = rows(groups, GROUP, "name").union(
        rows(people, PERSON, "username"), rows(waiting, PERSON, "user_id")
    )
    return found.order_by("subject_type", "subject")


def described(
    rows: Iterable[Mapping[str, str]], bound: QuerySet[RoleBinding, RoleBinding], meant: frozenset[str]
) -> list[Holder]:
    """The holders of one page of `holders`, each with its permissions among `meant` and its bindings."""
    wanted = [(row["subject_type"], row["subject"]) for row in rows]
    names = {name for kind, name in wanted if kind == PERSON}
    users = {u.username: u for u in User.objects.live().filter(username__in=names).prefetch_related("groups")}
    group_names = {name for kind, name in wanted if kind == GROUP}
    groups_of = {name: {group.name for group in user.groups.all()} for name, user in users.items()}
    every_group = group_names.union(*groups_of.values())
    bindings = (
        bound.filter(Q(user_id__in=names) | Q(group__name__in=every_group))
        .select_related("role", "group")
        .order_by("created_at", "id")
    )
    by_subject: dict[tuple[str, str], list[RoleBinding]] = defaultdict(list)
    for binding in bindings:
        key = (GROUP, binding.group.name) if binding.group else (PERSON, binding.user_id or "")
        by_subject[key].append(binding)

    def holder(kind: str, name: str) -> Holder:
        user = users.get(name) if kind == PERSON else None
        mine = list(by_subject[(kind, name)])
        for group in sorted(groups_of.get(name, ())) if kind == PERSON else ():
            mine += by_subject[(GROUP, group)]
        active = kind == GROUP or (user is not None and user.is_active)
        administrator = user is not None and user.is_superuser
        held = meant if administrator else meant & _granted(mine)
        return Holder(
            kind, name, active, administrator, sorted(held) if active else [], [Source.of(b) for b in mine]
        )

    return [holder(kind, name) for kind, name in wanted]


def _granted(bindings: Iterable[RoleBinding]) -> frozenset[str]:
    return frozenset().union(*(binding.role.granted() for binding in bindings))


@dataclass(frozen=True)
class Explained:
    """Whether somebody may do something, in words, and the bindings that it comes from.

    Allowed: those that grant it. Not allowed: those that reach the object and do not suffice.
    """

    allowed: bool
    reason: str
    bindings: list[Source]


def explain(user: User, permission: str, scopes: Scopes) -> Explained:
    """May this person do this on an object with these scopes (none: everywhere)?"""
    bindings = _of_person(user, scopes)
    if not user.is_active:
        return Explained(False, f"{user.username} is deactivated", [])
    if user.is_superuser:
        return Explained(True, f"{user.username} is an administrator", [])
    access = PersonAccess(user)
    allowed = access.covers(permission, scopes) if scopes else access.everywhere(permission)
    granting = [binding for binding in bindings if permission in binding.role.granted()]
    if allowed and not granting:
        return Explained(True, "a grant that no binding explains: manage.py verify_access", [])
    if granting and not allowed:
        return Explained(False, "a binding without its grant: manage.py verify_access", [])
    return _told(allowed, granting if allowed else bindings)


def explain_name(
    name: str, user: User | None, permission: str, scopes: Scopes, meant: frozenset[str]
) -> Explained:
    """The same of a name, for who may not read users: what `holders` shows them too, and no more.

    A name that nobody has is answered as that of a person without rights there.
    """
    mine = Q(user_id=name) | (Q(group__in=user.groups.values("pk")) if user else Q(pk__in=()))
    rows = shown_bindings(scopes, meant).filter(mine).select_related("role", "group")
    sources = [Source.of(binding) for binding in rows.order_by("created_at", "id")]
    if user is not None and user.is_active and (sources or user.is_superuser):
        return explain(user, permission, scopes)
    return Explained(False, ASLEEP if sources else NO_ROLE, sources)


def explain_group(group: Group, permission: str, scopes: Scopes, meant: frozenset[str]) -> Explained:
    """The same for whoever is in a group, by that alone."""
    rows = shown_bindings(scopes, meant).filter(group=group).select_related("role", "group")
    bindings = list(rows.order_by("created_at", "id"))
    granting = [binding for binding in bindings if permission in binding.role.granted()]
    return _told(bool(granting), granting or bindings)


def _told(allowed: bool, bindings: list[RoleBinding]) -> Explained:
    sources = [Source.of(binding) for binding in bindings]
    if allowed:
        return Explained(True, str(sources[0]), sources)
    held = "; ".join(map(str, sources[:3])) + ("; ..." if len(sources) > 3 else "")
    return Explained(False, f"not enough: {held}" if sources else NO_ROLE, sources)


def _of_person(user: User, scopes: Scopes) -> list[RoleBinding]:
    subject = Q(user_id=user.username) | Q(group__in=user.groups.values("pk"))
    rows = _subject_bindings(scopes).filter(subject).select_related("role", "group")
    return list(rows.order_by("created_at", "id"))


def object_of(scope: str, pk: str) -> Any:
    """The live object of a scope, whoever asks; None without one."""
    rows = apps.get_model(SCOPED_MODELS[scope])._default_manager.live()
    return rows.filter(pk=pk).first()


def is_seen(user: Any, scope: str, pk: str) -> bool:
    """Whether the caller may read the object."""
    rows = apps.get_model(SCOPED_MODELS[scope])._default_manager.visible_to(user)
    return bool(rows.filter(pk=pk).exists())
