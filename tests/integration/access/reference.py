"""Who may do what, worked out the slow way from `RoleBinding` rows and the table of roles.

A second opinion: it knows nothing of guardian, of `projects_app.access` or of any filter in SQL. One binding
after the other is read, one row after the other is looked at.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group

from projects_app.choices import PERMISSIONS
from projects_app.models import (
    Agent,
    ApiKey,
    Application,
    Credential,
    InboxMessage,
    Project,
    ProjectSettings,
    Role,
    RoleBinding,
    User,
)
from sessions_app.models import ScheduledSession, Session

HIGHEST = 0
KINDS: dict[str, Any] = {
    "project": Project,
    "settings": ProjectSettings,
    "agent": Agent,
    "inbox": InboxMessage,
    "session": Session,
    "schedule": ScheduledSession,
    "credential": Credential,
    "application": Application,
    "user": User,
    "role": Role,
    "binding": RoleBinding,
    "key": ApiKey,
}
SCOPED = ("project", "agent", "session", "credential")
"""Kinds that a binding can be scoped to."""
RUNNER_MAY = ("session:read", "session_message:read", "session_message:list", "session_message:watch")


def meaning(role: Role) -> frozenset[str]:
    """The permissions of a role; each half of an entry is a word or a star."""
    found = set()
    for entry in json.loads(role.permissions or "[]"):
        resource, verb = entry.split(":")
        for permission in PERMISSIONS:
            its_resource, its_verb = permission.split(":")
            if resource in ("*", its_resource) and verb in ("*", its_verb):
                found.add(permission)
    return frozenset(found)


def scopes_of(kind: str, row: Any) -> dict[str, str | None]:
    """What a row belongs to: a binding on any of these reaches it."""
    match kind:
        case "project":
            return {"project": row.pk}
        case "settings" | "schedule":
            return {"project": row.project_id}
        case "agent":
            return {"project": row.project_id, "agent": row.pk}
        case "inbox":
            return scopes_of("agent", row.agent)
        case "session":
            return {"project": row.project_id, "agent": row.agent_id, "session": row.pk}
        case "credential":
            return {"credential": row.pk}
        case "application" if not row.destination_ambient_url:
            return {"project": row.destination_project}
        case "binding":
            named = {"project": row.project_id, "agent": row.agent_id, "credential": row.credential_id}
            return named | belongings(row)
    return {}


def belongings(binding: RoleBinding) -> dict[str, str | None]:
    """What the agent or session that a binding is scoped to belongs to (contract 4.1), deleted or not."""
    if binding.scope not in ("agent", "session"):
        return {}
    target = KINDS[binding.scope].objects.filter(pk=getattr(binding, f"{binding.scope}_id")).first()
    return {} if target is None else scopes_of(binding.scope, target)


@dataclass(frozen=True)
class Held:
    """One binding as it counts for one caller."""

    scope: str
    target: str | None
    role: str
    level: int | None
    permissions: frozenset[str]

    @classmethod
    def by(cls, binding: RoleBinding) -> "Held":
        target = None if binding.scope == "global" else getattr(binding, f"{binding.scope}_id")
        role = binding.role
        level = role.level if role.built_in else None
        return cls(binding.scope, target, role.name, level, meaning(role))

    def covers(self, scopes: dict[str, str | None]) -> bool:
        return self.scope == "global" or (self.target is not None and scopes.get(self.scope) == self.target)


def live_bindings() -> list[RoleBinding]:
    """Every binding that counts: not taken away, with a role that still is one."""
    rows = RoleBinding.objects.filter(deleted_at=None).select_related("role", "agent").order_by("pk")
    return [binding for binding in rows if binding.role.deleted_at is None]


class Person:
    """A user (perhaps narrowed by the API key they came with) and what they hold."""

    def __init__(
        self,
        user: User,
        *,
        key_project: str | None = None,
        key_role: Role | None = None,
        bindings: Iterable[RoleBinding] | None = None,
    ) -> None:
        self.username = user.username
        self.key_project = key_project
        self.key_level = key_role.level if key_role and key_role.built_in else None
        self.key_permissions = meaning(key_role) if key_role else None
        groups = {group.pk for group in Group.objects.filter(user=user)}
        self.held = [
            Held.by(binding)
            for binding in (live_bindings() if bindings is None else bindings)
            if binding.user_id == user.username or binding.group_id in groups
        ]
        if user.is_superuser:
            self.held.append(Held("global", None, "superuser", HIGHEST, frozenset(PERMISSIONS)))
        if not user.is_active:
            self.held = []

    def _key_allows(self, permission: str, project: str | None) -> bool:
        if self.key_permissions is not None and permission not in self.key_permissions:
            return False
        return self.key_project is None or project == self.key_project

    def holds(self, permission: str, scopes: dict[str, str | None]) -> bool:
        """The one rule: some binding that covers the object gives the permission, and the key lets it."""
        if not self._key_allows(permission, scopes.get("project")):
            return False
        return any(permission in held.permissions and held.covers(scopes) for held in self.held)

    def everywhere(self, permission: str) -> bool:
        return self.holds(permission, {})

    def as_person(self, permission: str, project: str | None = None) -> bool:
        """May do what every person may: a narrowed key only what it is for."""
        return self._key_allows(permission, project)

    def has_role(self, names: set[str], scope: str, target: str | None) -> bool:
        """Holds one of these roles on exactly this object."""
        return any(held.role in names and (held.scope, held.target) == (scope, target) for held in self.held)

    def level(self, scopes: dict[str, str | None]) -> int | None:
        """The best (smallest) level among bindings that cover the object; a key's role caps it."""
        if self.key_project is not None and scopes.get("project") != self.key_project:
            return None
        levels = [held.level for held in self.held if held.covers(scopes) and held.level is not None]
        if not levels:
            return None
        if self.key_permissions is None:
            return min(levels)
        return None if self.key_level is None else max(min(levels), self.key_level)

    def sees(self, kind: str, row: Any) -> bool:
        """Whether a live row is there for this caller (contract 4.5)."""
        scopes = scopes_of(kind, row)
        match kind:
            case "project" | "settings":
                return self.holds("project:read", scopes)
            case "agent" | "inbox":
                return self.holds("agent:read", scopes)
            case "session" | "schedule":
                return self.holds("session:read", scopes)
            case "credential":
                return self.holds("credential:read", scopes)
            case "application":
                local = "project" in scopes and self.holds("project:read", scopes)
                return local or self.holds("application:read", scopes)
            case "user":
                return row.username == self.username or self.everywhere("user:read")
            case "role":
                return True
            case "binding":
                return self._sees_binding(row)
            case "key":
                own = row.user.username == self.username and self.key_project in (None, row.project_id)
                return self.everywhere("api_key:read") or (
                    own and self.as_person("api_key:read", self.key_project)
                )
        raise AssertionError(kind)

    def _sees_binding(self, row: RoleBinding) -> bool:
        agent = {} if row.agent is None else scopes_of("agent", row.agent)
        return (
            (row.user_id == self.username and self.key_project in (None, row.project_id))
            or self.holds("role_binding:read", {"project": row.project_id, "credential": row.credential_id})
            or self.holds("project:read", {"project": row.project_id})
            or self.holds("agent:read", agent)
            or self.holds("credential:read", {"credential": row.credential_id})
            or (row.scope == "session" and self.holds("session:read", belongings(row) | {"session": None}))
        )

    def seen(self, kind: str, rows: Iterable[Any] | None = None) -> set[str]:
        """Ids of all live rows of the kind that the caller sees."""
        return {row.pk for row in (live(kind) if rows is None else rows) if self.sees(kind, row)}

    def may_give(self, role: Role, scope: str, scopes: dict[str, str | None]) -> bool:
        """A role (no internal one) strictly below one's own level, with no permission that one lacks there.

        Level 0 gives any, and alone globally.
        """
        mine = self.level(scopes)
        if mine is None or role.level is None:
            return False
        if mine == HIGHEST:
            return True
        mine_there = frozenset().union(*(held.permissions for held in self.held if held.covers(scopes)))
        if self.key_permissions is not None:
            mine_there &= self.key_permissions
        return scope != "global" and role.level > mine and meaning(role) <= mine_there


class Runner(Person):
    """A session's own runner: it reads that session."""

    def __init__(self, session: Session) -> None:
        self.username = f"session:{session.pk}"
        self.key_project, self.key_permissions, self.key_level = None, None, None
        self.held = [Held("session", session.pk, "runner", None, frozenset(RUNNER_MAY))]

    def as_person(self, permission: str, project: str | None = None) -> bool:
        return False

    def _sees_binding(self, row: RoleBinding) -> bool:
        return False  # it reads its session, and not who else may


def live(kind: str) -> list[Any]:
    """Every row of the kind that is not deleted."""
    rows = KINDS[kind].objects.filter(deleted_at=None)
    if kind in ("inbox", "binding"):
        rows = rows.select_related("agent")
    if kind == "key":
        rows = rows.select_related("user")
    return list(rows)
