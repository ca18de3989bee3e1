"""Who may do what. The one place where a permission is decided, for one object and for whole lists.

A grant is a row on the object of the binding's scope (a guardian table) or holds everywhere (`GlobalGrant`).
A permission on an object is looked for on the object itself, then its agent, its project, then everywhere.
`visible_to(user)` of the querysets is the same rule in SQL: both go through `access_of(user)`.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol

from django.apps import apps
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from projects_app.choices import PERMISSIONS, expand

SCOPED_MODELS = {
    "project": "projects_app.Project",
    "agent": "projects_app.Agent",
    "session": "sessions_app.Session",
    "credential": "projects_app.Credential",
}
RUNNER_PREFIX = "session:"
"""A runner is called so, with its session's id; nobody else may be."""
FETCH_TOKEN = "credential:fetch_token"  # noqa: S105 - a permission
TOKEN_READER = "credential:token-reader"  # noqa: S105 - a role
"""Role of a session on the credentials that it uses."""
NOTHING = Q(pk__in=())
EVERYTHING = ~NOTHING  # an empty Q would vanish in an OR


class Access(Protocol):
    """What one caller may do. Made once a request."""

    def everywhere(self, permission: str) -> bool:
        """Whether the permission holds on every object."""

    def covers(self, permission: str, scopes: Mapping[str, str | None]) -> bool:
        """Whether the permission holds on an object with these scopes (`access_scopes` of the models)."""

    def rows(self, permission: str, paths: Mapping[str, str]) -> Q:
        """The same as a filter; `paths` gives, per scope, the lookup of that scope's id."""

    def as_person(self, permission: str, project: str | None = None) -> bool:
        """Whether the caller may do what every signed-in person may; a narrowed key may not."""

    def whole_projects(self, permission: str, narrower: Iterable[str]) -> Q | None:
        """Filter on a column `project` if the rows seen are those of whole projects; None if not.

        `narrower` are the kind's scopes below a project.
        """


def grant_tables(scope: str) -> tuple[Any, Any]:
    """The scope's guardian tables: of users, of groups."""
    from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model  # needs the models loaded

    model: Any = apps.get_model(SCOPED_MODELS[scope])
    return get_user_obj_perms_model(model), get_group_obj_perms_model(model)


_permission_ids: dict[tuple[str, str], int] = {}


def permission_ids() -> dict[tuple[str, str], int]:
    """(scope, permission) -> id of guardian's permission. Kept once all are there; migrations make them."""
    global _permission_ids
    if _permission_ids:
        return _permission_ids
    from django.contrib.auth.models import Permission  # needs the models loaded

    scopes = {label.lower(): scope for scope, label in SCOPED_MODELS.items()}
    rows = Permission.objects.filter(codename__in=PERMISSIONS)
    columns = ("content_type__app_label", "content_type__model", "codename", "pk")
    found = {
        (scopes[f"{app}.{model}"], codename): pk
        for app, model, codename, pk in rows.values_list(*columns)
        if f"{app}.{model}" in scopes
    }
    if len(found) == len(scopes) * len(PERMISSIONS):
        _permission_ids = found
    return found


def forget_permission_ids(**kwargs: Any) -> None:
    """post_migrate receiver: a database that was emptied has new ones."""
    global _permission_ids
    _permission_ids = {}


class PersonAccess:
    """A person or service account, perhaps narrowed by the API key they came with."""

    def __init__(self, user: Any, api_key: Any = None) -> None:
        self.user = user
        self.api_key = api_key

    @cached_property
    def _groups(self) -> list[int]:
        return list(
            self.user.groups.through.objects.filter(user_id=self.user.pk).values_list("group_id", flat=True)
        )

    @cached_property
    def _everywhere(self) -> frozenset[str]:
        if self.user.is_superuser:
            return frozenset(PERMISSIONS)
        grants = apps.get_model("projects_app.GlobalGrant").objects
        held = grants.filter(Q(user_id=self.user.pk) | Q(group_id__in=self._groups))
        return frozenset(held.values_list("permission", flat=True))

    @cached_property
    def _key_permissions(self) -> frozenset[str] | None:
        if self.api_key is None or self.api_key.role is None:
            return None
        return self.api_key.role.granted()

    @property
    def _key_project(self) -> str | None:
        return self.api_key.project_id if self.api_key else None

    def _key_forbids(self, permission: str) -> bool:
        return self._key_permissions is not None and permission not in self._key_permissions

    def _grants(self, scope: str, permission: str) -> list[QuerySet[Any, Any]]:
        """Guardian's rows that give the caller the permission on objects of the scope.

        By its id, so that one index has them, and those of groups only for who is in any.
        """
        permission_id = permission_ids().get((scope, permission))
        if permission_id is None:
            return []
        users, groups = grant_tables(scope)
        found = [users.objects.filter(user_id=self.user.pk, permission_id=permission_id)]
        if self._groups:
            found.append(groups.objects.filter(group_id__in=self._groups, permission_id=permission_id))
        return found

    def everywhere(self, permission: str) -> bool:
        return (
            permission in self._everywhere and not self._key_forbids(permission) and self._key_project is None
        )

    def covers(self, permission: str, scopes: Mapping[str, str | None]) -> bool:
        if self._key_forbids(permission):
            return False
        if self._key_project is not None and scopes.get("project") != self._key_project:
            return False
        if permission in self._everywhere:
            return True
        return _any(
            grants.filter(content_object_id=pk)
            for scope, pk in scopes.items()
            if pk is not None
            for grants in self._grants(scope, permission)
        )

    def rows(self, permission: str, paths: Mapping[str, str]) -> Q:
        if self._key_forbids(permission):
            return NOTHING
        if permission in self._everywhere:
            allowed = EVERYTHING
        else:
            allowed = NOTHING
            for scope, path in paths.items():
                for grants in self._grants(scope, permission):
                    # Not `IN`: the database then reads one grant for one row, and all of them for a list.
                    allowed |= Q(Exists(grants.filter(content_object_id=OuterRef(path))))
        if self._key_project is not None:
            allowed &= Q(**{paths["project"]: self._key_project}) if "project" in paths else NOTHING
        return allowed

    def as_person(self, permission: str, project: str | None = None) -> bool:
        return not self._key_forbids(permission) and self._key_project in (None, project)

    def whole_projects(self, permission: str, narrower: Iterable[str]) -> Q | None:
        if self._key_forbids(permission):
            return Q(project__in=())
        if permission in self._everywhere:
            seen = Q()
        else:
            if _any(grants for scope in narrower for grants in self._grants(scope, permission)):
                return None
            seen = self.rows(permission, {"project": "project"})
        return seen & Q(project=self._key_project) if self._key_project is not None else seen


def _any(querysets: Iterable[QuerySet[Any, Any]]) -> bool:
    """Whether one of them has a row; one query, whatever their number."""
    rows = [queryset.order_by().values("content_object_id") for queryset in querysets]
    return bool(rows) and rows[0].union(*rows[1:], all=True).exists()


class RunnerAccess:
    """A runner's session token: it reads its own session, the tokens of its credentials, and nothing else.

    What it may write (its status, its agent's own entries) those views allow it by name, so that an agent
    cannot answer its own questions or send itself messages.
    """

    permissions = expand(
        ["session:read", "session_message:read", "session_message:list", "session_message:watch"]
    )

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id

    def everywhere(self, permission: str) -> bool:
        return False

    def _credentials(self) -> QuerySet[Any, Any]:
        held = apps.get_model("projects_app.RoleBinding").objects.held_by_session(self.session_id)
        return held.values("credential_id")

    def covers(self, permission: str, scopes: Mapping[str, str | None]) -> bool:
        if permission == FETCH_TOKEN:
            return self._credentials().filter(credential_id=scopes.get("credential")).exists()
        return permission in self.permissions and scopes.get("session") == self.session_id

    def rows(self, permission: str, paths: Mapping[str, str]) -> Q:
        if permission == FETCH_TOKEN and "credential" in paths:
            return Q(**{f"{paths['credential']}__in": self._credentials()})
        if permission not in self.permissions or "session" not in paths:
            return NOTHING
        return Q(**{paths["session"]: self.session_id})

    def as_person(self, permission: str, project: str | None = None) -> bool:
        return False

    def whole_projects(self, permission: str, narrower: Iterable[str]) -> Q | None:
        return None


class NoAccess:
    """Nobody signed in, or somebody who was deactivated."""

    def everywhere(self, permission: str) -> bool:
        return False

    def covers(self, permission: str, scopes: Mapping[str, str | None]) -> bool:
        return False

    def rows(self, permission: str, paths: Mapping[str, str]) -> Q:
        return NOTHING

    def as_person(self, permission: str, project: str | None = None) -> bool:
        return False

    def whole_projects(self, permission: str, narrower: Iterable[str]) -> Q | None:
        return Q(project__in=())


class RunnerIdentity:
    """`request.user` of a runner: it proved that it runs this session now."""

    is_authenticated = True
    is_active = True
    is_anonymous = False
    is_staff = False
    is_superuser = False
    pk = None

    def __init__(self, session_id: str, attempt: int = 0) -> None:
        self.session_id = session_id
        self.attempt = attempt
        self.username = f"{RUNNER_PREFIX}{session_id}"
        self.access = RunnerAccess(session_id)
        self.came_by = ("session", session_id)

    def has_perm(self, permission: str, obj: Model | None = None) -> bool:
        return allows(self, permission, obj)


def access_of(user: Any) -> Access:
    """The caller's access; kept on the user object, which lives as long as the request."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return NoAccess()
    if not hasattr(user, "access"):
        user.access = PersonAccess(user)
    access: Access = user.access
    return access


def allows(user: Any, permission: str, obj: Any = None) -> bool:
    """Whether the caller holds the permission on this object, or (without one) everywhere."""
    if obj is None:
        return access_of(user).everywhere(permission)
    return access_of(user).covers(permission, obj.access_scopes)
