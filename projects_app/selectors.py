"""Reads that span models: totals from the kept counters, levels of a granter."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, Min, Q, QuerySet, Sum

from projects_app.access import access_of
from projects_app.choices import PERMISSIONS, Scope
from projects_app.models import Credential, Project, Role, RoleBinding, RowCount


def kept_total(
    *, kind: str, user: Any, permission: str, narrower: Iterable[str], project: str | None = None
) -> int | None:
    """How many rows of `kind` the user sees, without counting them; None where they must be counted."""
    whole = access_of(user).whole_projects(permission, narrower)
    if whole is None:
        return None
    counters = RowCount.objects.filter(whole, kind=kind)
    if project is not None:
        counters = counters.filter(project=project)
    return counters.aggregate(total=Sum("rows"))["total"] or 0


def visible_project(user: Any, pk: str) -> Project | None:
    """The live project, if the user may read it."""
    return Project.objects.visible_to(user).filter(pk=pk).first()


def bindings_of(user: Any) -> QuerySet[RoleBinding, RoleBinding]:
    """Live bindings with live roles of a user and of their groups."""
    subject = Q(user_id=user.username) | Q(group__in=user.groups.values("pk"))
    return RoleBinding.objects.live().filter(subject, role__deleted_at=None)


def covering(scopes: Mapping[str, str | None]) -> Q:
    """Filter of bindings: those that reach an object with these scopes, from wherever they stand."""
    found = Q(scope=Scope.GLOBAL)
    for scope, pk in scopes.items():
        if pk is not None:
            found |= Q(scope=scope, **{f"{scope}_id": pk})
    return found


def level_on(user: Any, scopes: dict[str, str | None]) -> int | None:
    """The user's best level among bindings that cover an object with these scopes; None: none at all.

    Lower is better. A superuser has level 0. Roles that are not built in give none: with them one works, and
    grants nothing. An API key's role caps the level, its project the reach.
    """
    if not getattr(user, "pk", None):
        return None
    key = getattr(access_of(user), "api_key", None)
    if key is not None and key.project_id is not None and scopes.get("project") != key.project_id:
        return None
    levels = bindings_of(user).filter(covering(scopes), role__built_in=True)
    best = 0 if user.is_superuser else levels.aggregate(n=Min("role__level"))["n"]
    if best is None or key is None or key.role is None:
        return best
    return max(best, key.role.level) if key.role.built_in and key.role.level is not None else None


def permissions_on(user: Any, scopes: dict[str, str | None]) -> frozenset[str]:
    """All that the user may do on an object with these scopes, before the project of a key is asked."""
    if user.is_superuser:
        held = frozenset(PERMISSIONS)
    else:
        roles = Role.objects.filter(pk__in=bindings_of(user).filter(covering(scopes)).values("role"))
        held = frozenset().union(*(role.granted() for role in roles))
    key = getattr(access_of(user), "api_key", None)
    return held if key is None or key.role is None else held & key.role.granted()


def urls_of(credentials: Mapping[str, str]) -> dict[str, str]:
    """Provider -> address, of those of these credentials (provider -> id) that have one."""
    rows = Credential.objects.live().filter(pk__in=credentials.values()).exclude(url=None).exclude(url="")
    urls = dict(rows.values_list("pk", "url"))
    return {provider: urls[pk] for provider, pk in credentials.items() if pk in urls}


def credentials_for(*, project_id: str, agent_id: str | None) -> dict[str, str]:
    """Provider -> id of the credential that a session of this agent and project uses.

    The most specific binding wins: of project and agent, of the project, of the whole platform; of several
    the oldest. Only bindings without a subject count: those with one say who holds a role on the credential.
    """
    here = Q(project_id=None, agent_id=None) | Q(project_id=project_id, agent_id=None)
    if agent_id is not None:
        here |= Q(project_id=project_id, agent_id=agent_id)
    rows = (
        RoleBinding.objects.live()
        .filter(here, scope=Scope.CREDENTIAL, user_id=None, group=None, session_id=None)
        .filter(role__deleted_at=None, credential__deleted_at=None)
        .exclude(role__name="credential:owner")
        .order_by(
            F("agent_id").asc(nulls_last=True), F("project_id").asc(nulls_last=True), "created_at", "id"
        )
    )
    found: dict[str, str] = {}
    for provider, credential_id in rows.values_list("credential__provider", "credential_id"):
        found.setdefault(provider, credential_id)
    return found
