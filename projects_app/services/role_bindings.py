"""Who may give which role to whom, and the writes themselves (docs/architecture.md, access)."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ambient.common.database import transactional
from ambient.common.exceptions import BadRequest, Conflict, Forbidden, InvalidField, not_found
from projects_app.access import RUNNER_PREFIX, SCOPED_MODELS, access_of
from projects_app.choices import Scope
from projects_app.models import Agent, Credential, Project, Role, RoleBinding, User
from projects_app.selectors import bindings_of, level_on, permissions_on
from projects_app.services.grants import TARGETS, Subject, Target, recompute
from projects_app.services.owners import LAST_OWNER, has_owner, is_owner, lock_target
from projects_app.usernames import RESERVED, normalised

HIGHEST = 0
NOT_PERMITTED = "Not permitted"
TAKEN = "This RoleBinding already exists"
TARGET_FIELDS = ("project_id", "agent_id", "session_id", "credential_id")


def role_by_reference(reference: str) -> Role | None:
    """A live role by id or by name."""
    live = Role.objects.live()
    return live.filter(pk=reference).first() or live.filter(name=reference).first()


def share_role(role: Role) -> None:
    """Keep a role as it is until the transaction ends: its change would have to see the new binding."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deleted_at FROM projects_app_role WHERE id = %s FOR SHARE", [role.pk])
        row = cursor.fetchone()
    if row is None or row[0] is not None:
        raise Forbidden("target role not found")


def _scopes(values: Mapping[str, Any]) -> dict[str, str | None]:
    """What a binding's target belongs to, nearest first, as `access_scopes` of the models has it."""
    scope = values["scope"]
    if scope == Scope.GLOBAL:
        return {}
    target = _target_object(scope, values)
    return dict(target.access_scopes) if target is not None else {scope: values.get(TARGETS[scope] or "")}


def _target_object(scope: str, values: Mapping[str, Any]) -> Any:
    pk = values.get(TARGETS[scope] or "")
    if not pk:
        return None
    return apps.get_model(SCOPED_MODELS[scope]).objects.filter(pk=pk, deleted_at=None).first()


def _require_grantable(actor: Any, role: Role, scopes: dict[str, str | None], scope: str) -> None:
    """Internal roles by nobody; others strictly below one's own level, with no permission that one lacks.

    The highest may give any.
    """
    level = level_on(actor, scopes)
    if role.level is None or level is None:
        raise Forbidden(NOT_PERMITTED)
    if level != HIGHEST and (role.level <= level or not role.granted() <= permissions_on(actor, scopes)):
        raise Forbidden(NOT_PERMITTED)
    if scope == Scope.GLOBAL and level != HIGHEST:
        raise Forbidden(NOT_PERMITTED)


def require_may_act_for(actor: Any, account: User) -> None:
    """Forbidden when an account holds, or waits for, what the actor could not give, and would gain."""
    require_may_change(actor, account)
    if level_on(actor, {}) == HIGHEST:
        return
    for binding in bindings_of(account).select_related("role"):
        values = {name: getattr(binding, name) for name in TARGET_FIELDS} | {"scope": binding.scope}
        _require_grantable(actor, binding.role, _scopes(values), binding.scope)


def require_may_change(actor: Any, account: User) -> None:
    """Forbidden for accounts of administrators, also of those to come, but to administrators and oneself."""
    if account.pk == actor.pk or level_on(actor, {}) == HIGHEST:
        return
    if account.is_superuser or account.is_controller or level_on(account, {}) == HIGHEST:
        raise Forbidden(NOT_PERMITTED)


def _require_credential_rules(actor: Any, values: Mapping[str, Any]) -> None:
    """A credential is shared by its owner, into projects that the owner may work in."""
    project_id, agent_id = values.get("project_id"), values.get("agent_id")
    if project_id == "" or agent_id == "":
        raise BadRequest("project_id and agent_id must not be empty")
    if agent_id and not project_id:
        raise BadRequest("agent_id needs project_id")
    if agent_id and not Agent.objects.live().filter(pk=agent_id, project_id=project_id).exists():
        raise BadRequest("the agent does not exist in the project")
    if not _owns_credential(actor, values["credential_id"]):
        raise Forbidden(NOT_PERMITTED)
    highest = level_on(actor, {}) == HIGHEST
    if project_id and not highest:
        if not _works_in(actor, project_id):
            raise Forbidden(NOT_PERMITTED)
    if not project_id and not highest:
        raise Forbidden(NOT_PERMITTED)


def _owns_credential(actor: Any, pk: str) -> bool:
    return _holds_role(actor, ["credential:owner"], scope=Scope.CREDENTIAL, credential_id=pk)


def _works_in(actor: Any, pk: str) -> bool:
    """Owner or editor of the project itself: a role on one agent of it that names the project is none."""
    return _holds_role(actor, ["project:owner", "project:editor"], scope=Scope.PROJECT, project_id=pk)


def _holds_role(actor: Any, names: list[str], **target: str) -> bool:
    return bool(
        getattr(actor, "pk", None) and bindings_of(actor).filter(role__name__in=names, **target).exists()
    )


def _require_target_set(values: Mapping[str, Any]) -> None:
    column = TARGETS[values["scope"]]
    if column is not None and not values.get(column):
        raise InvalidField(f"{column} must be set for scope {values['scope']}")


def _require_targets(actor: Any, values: Mapping[str, Any], *, known: Iterable[str] = ()) -> None:
    """Every named target exists for the actor, and they belong together: what is hidden is not there.

    Those that are `known` are in the binding that the actor sees, and need no more than exist.
    """
    for scope, name in TARGETS.items():
        if name is None or values.get(name) is None:
            continue
        found = _target_object(scope, values)
        if found is None or (name not in known and not _is_visible(actor, found)):
            raise InvalidField(f"{name} names nothing that exists")
        if scope in (Scope.AGENT, Scope.SESSION) and values.get("project_id") not in (None, found.project_id):
            raise InvalidField(f"{name} names something outside the project")


def _is_visible(actor: Any, target: Any) -> bool:
    return bool(type(target).objects.visible_to(actor).filter(pk=target.pk).exists())


def _require_free_name(username: str | None) -> None:
    """People give nothing to a session; its runner's bindings are the platform's."""
    if normalised(username or "").startswith(RUNNER_PREFIX):
        raise InvalidField(f"user_id: {RESERVED}")


def require_may_create(actor: Any, values: Mapping[str, Any]) -> Role:
    """The rules of a new binding, in the order that clients know; returns the role."""
    if values["scope"] not in Scope.values:
        raise BadRequest("invalid scope")
    role = role_by_reference(values["role_id"])
    if role is None:
        raise Forbidden("target role not found")
    scope, scopes = values["scope"], _scopes(values)
    project = scopes.get("project") or values.get("project_id")
    if not access_of(actor).as_person("role_binding:create", project):
        raise Forbidden(NOT_PERMITTED)
    _require_target_set(values)
    _require_grantable(actor, role, scopes, scope)
    if scope == Scope.CREDENTIAL:
        _require_credential_rules(actor, values)
    _require_targets(actor, values)
    _require_free_name(values.get("user_id"))
    return role


@transactional
def role_binding_create(*, role: Role, values: Mapping[str, Any]) -> RoleBinding:
    """Store a binding and the grants that follow from it. Asks no rules: see `require_may_create`."""
    share_role(role)
    binding = RoleBinding(
        role=role,
        scope=values["scope"],
        user_id=normalised(values.get("user_id") or "") or None,
        group_id=values.get("group_id"),
        **{name: values.get(name) for name in TARGET_FIELDS},
    )
    require_one_per_provider(binding)
    _save(binding)
    _follow([binding])
    return binding


def _save(binding: RoleBinding) -> None:
    try:
        with transaction.atomic():
            binding.save()
    except IntegrityError as exc:
        raise Conflict(TAKEN) from exc


def require_one_per_provider(binding: RoleBinding) -> None:
    """One credential of a provider per project or agent, so that it is clear which one a session gets.

    The credential's lock keeps its provider as it is, and the credential from being deleted meanwhile.
    """
    if binding.scope != Scope.CREDENTIAL or binding.user_id or not binding.project_id:
        return
    rows = Credential.objects.live().filter(pk=binding.credential_id)
    credential = rows.select_for_update(no_key=True).first()
    if credential is None:
        raise InvalidField("credential_id names nothing that exists")
    Project.objects.select_for_update(no_key=True).get(pk=binding.project_id)
    others = RoleBinding.objects.live().filter(
        scope=Scope.CREDENTIAL,
        project_id=binding.project_id,
        agent_id=binding.agent_id,
        user_id=None,
        credential__provider=credential.provider,
        credential__deleted_at=None,
    )
    if others.exclude(credential_id=binding.credential_id).exclude(pk=binding.pk).exists():
        raise Conflict(f"another {credential.provider} credential is already bound there")


def _follow(*states: list[RoleBinding]) -> None:
    """Recompute the grants of every subject and target that the given states name."""
    for binding in (binding for state in states for binding in state):
        subject = Subject.of(binding)
        if subject is not None:
            recompute([subject], [Target.of(binding)])


def _locked(pk: str) -> RoleBinding:
    binding = RoleBinding.objects.select_for_update(no_key=True, of=("self",)).filter(pk=pk).first()
    if binding is None or binding.deleted_at is not None:
        raise not_found("RoleBinding", pk)
    return binding


def _save_keeping_owners(before: RoleBinding, after: RoleBinding) -> None:
    """Write a binding; where it made somebody an owner and does so no more, another one must be there."""
    ends = after.deleted_at is not None or not is_owner(after)
    moves = (Target.of(after), Subject.of(after)) != (Target.of(before), Subject.of(before))
    target = Target.of(before)
    owned = is_owner(before) and (ends or moves) and lock_target(target)
    with transaction.atomic():
        _save(after)
        if owned and not has_owner(target):
            raise Conflict(LAST_OWNER)


@transactional
def role_binding_update(*, actor: Any, binding: RoleBinding, changes: Mapping[str, Any]) -> RoleBinding:
    """Change a binding. People change the role of their own only; the highest level may change anything."""
    before, binding = _locked(binding.pk), _locked(binding.pk)
    present = {name: getattr(before, name) for name in ("user_id", *TARGET_FIELDS)} | {
        "scope": before.scope,
        "role_id": before.role_id,
    }
    wanted = present | dict(changes)
    if wanted["user_id"]:
        wanted["user_id"] = normalised(wanted["user_id"])
    if wanted["scope"] not in Scope.values:
        raise BadRequest("invalid scope")
    if level_on(actor, {}) != HIGHEST:
        moved = any(wanted[name] != present[name] for name in present if name != "role_id")
        if moved or before.user_id != actor.username:
            raise Forbidden(NOT_PERMITTED)
    role = role_by_reference(wanted["role_id"])
    if role is None:
        raise Forbidden("target role not found")
    _require_target_set(wanted)
    _require_grantable(actor, role, _scopes(wanted), wanted["scope"])
    _require_targets(actor, wanted, known=[name for name in TARGET_FIELDS if wanted[name] == present[name]])
    if wanted["user_id"] != present["user_id"]:
        _require_free_name(wanted["user_id"])
    share_role(role)
    binding.role = role
    if wanted["user_id"]:
        binding.group_id = None  # a binding has one subject
    for name in ("scope", "user_id", *TARGET_FIELDS):
        setattr(binding, name, wanted[name])
    require_one_per_provider(binding)
    _save_keeping_owners(before, binding)
    _follow([before, binding])
    return binding


def require_may_delete(actor: Any, binding: RoleBinding) -> None:
    """Who may take a binding away (contract of the delete route)."""
    if not access_of(actor).as_person("role_binding:delete", binding.access_scopes["project"]):
        raise Forbidden(NOT_PERMITTED)
    if level_on(actor, {}) == HIGHEST:
        return
    if binding.scope == Scope.CREDENTIAL:
        if binding.project_id and _works_in(actor, binding.project_id):
            return
        if binding.credential_id and _owns_credential(actor, binding.credential_id):
            return
        raise Forbidden(NOT_PERMITTED)
    values = {name: getattr(binding, name) for name in TARGET_FIELDS} | {"scope": binding.scope}
    level = level_on(actor, _scopes(values))
    if level is None or level > 1 or binding.role.level is None or binding.role.level < level:
        raise Forbidden(NOT_PERMITTED)
    if binding.role.level == level and binding.user_id != actor.username:
        raise Forbidden(NOT_PERMITTED)


@transactional
def role_binding_delete(*, binding: RoleBinding) -> None:
    """Take a binding away, with its grants. The last owner stays."""
    before, binding = _locked(binding.pk), _locked(binding.pk)
    binding.deleted_at = timezone.now()
    _save_keeping_owners(before, binding)
    _follow([binding])
