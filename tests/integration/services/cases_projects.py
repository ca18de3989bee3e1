"""Every writing service of `projects_app`, each with rows that make it write all it can."""

import datetime
import json
from dataclasses import replace

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from projects_app.credentials.base import Access, Reason
from projects_app.models import (
    BrowserSignIn,
    CredentialState,
    ExternalIdentity,
    GlobalGrant,
    ProjectSettings,
    ProjectUserObjectPermission,
    Role,
)
from projects_app.oidc.tokens import Identity
from projects_app.services.agents import (
    agent_create,
    agent_delete,
    agent_update,
    inbox_message_create,
    inbox_message_delete,
    inbox_message_update,
)
from projects_app.services.api_keys import api_key_create, api_key_issue, api_key_revoke
from projects_app.services.applications import (
    application_create,
    application_delete,
    application_refresh,
    application_sync,
    application_update,
)
from projects_app.services.audit import audit_prune
from projects_app.services.browser_sign_ins import (
    KeptTokens,
    browser_sign_in_claim,
    browser_sign_in_create,
    browser_sign_in_end,
    browser_sign_in_release,
    browser_sign_in_renew,
)
from projects_app.services.controller import controller_ensure
from projects_app.services.credential_access import (
    TestResult,
    credential_access_fail,
    credential_access_store,
    credential_test_store,
)
from projects_app.services.credentials import credential_create, credential_delete, credential_update
from projects_app.services.group_access import group_access_change
from projects_app.services.groups import (
    group_create,
    group_delete,
    group_update,
    user_groups_follow,
    user_groups_set,
)
from projects_app.services.identities import identity_link, identity_sign_in, identity_unlink
from projects_app.services.projects import (
    project_create,
    project_delete,
    project_settings_create,
    project_settings_delete,
    project_settings_update,
    project_update,
)
from projects_app.services.role_bindings import (
    role_binding_create,
    role_binding_delete,
    role_binding_update,
)
from projects_app.services.roles import role_create, role_delete, role_update, seed_builtin_roles
from projects_app.services.session_credentials import (
    session_credentials_bind,
    session_credentials_release,
)
from projects_app.services.users import user_create, user_delete, user_ensure, user_update
from projects_app.services.verify import access_verify
from tests.factories import (
    AgentFactory,
    InboxMessageFactory,
    ProjectFactory,
    RoleFactory,
    UserFactory,
)
from tests.integration.services.cases import Arguments, bind, case

LABELS = '{"team": "x"}'
TOKENS = KeptTokens(id_token="i", refresh_token="r", nonce="n")


def _administrator():
    user = UserFactory()
    bind("platform:admin", user_id=user.username)
    return user


def _agent_to_create() -> Arguments:
    parent = AgentFactory()
    values = {"name": "new", "parent_agent_id": parent.pk, "labels": LABELS}
    return {"actor": "alice", "project": parent.project, "values": values}


def _inbox_message_to_create() -> Arguments:
    sender = AgentFactory()
    values = {"from_agent_id": sender.pk, "body": "hello"}
    return {"agent": AgentFactory(project=sender.project), "values": values}


def _api_key_to_issue() -> Arguments:
    actor, project = _administrator(), ProjectFactory()
    return {"actor": actor, "name": "ci", "project_id": project.pk, "role_id": "project:viewer"}


def _controller() -> Arguments:
    return {"user": UserFactory(username=settings.SERVICE_ACCOUNT)}


def _claimed() -> Arguments:
    """A credential whose provider is being asked."""
    credential = _credential()["credential"]
    return {"state": CredentialState.objects.create(credential=credential, claim="c")}


def _renewed() -> Arguments:
    state = _claimed()["state"]
    access = Access("short", timezone.now() + datetime.timedelta(hours=1), secret="next")
    return {"credential": state.credential, "state": state, "access": access}


def _tested() -> Arguments:
    now = timezone.now()
    state = _claimed()["state"]
    CredentialState.objects.filter(pk=state.pk).update(tested_at=now)
    return {"credential": state.credential, "result": TestResult(Reason.WORKS, now)}


def _session_to_bind() -> Arguments:
    """A session of a project that uses a credential."""
    made = _credential_to_create()
    credential_create(**made)
    return {"session_id": "2ZQ", "project_id": made["project"].pk, "agent_id": None}


def _session_to_release() -> Arguments:
    made = _session_to_bind()
    session_credentials_bind(**made)
    return {"session_id": made["session_id"]}


def _api_key() -> Arguments:
    return {"key": api_key_create(user=UserFactory())[0]}


def _application_values() -> Arguments:
    return {
        "name": "fleet",
        "source_repo_url": "https://x/y.git",
        "source_path": "envs",
        "destination_project": ProjectFactory().pk,
        "labels": LABELS,
    }


def _application() -> Arguments:
    return {"application": application_create(values=_application_values())}


def _credential_to_create() -> Arguments:
    values = {"name": "gh", "provider": "github", "token": "s3cr3t", "labels": LABELS}
    return {"actor": _administrator(), "values": values, "project": ProjectFactory()}


def _credential() -> Arguments:
    """Owned by its maker, used in a project."""
    return {"credential": credential_create(**_credential_to_create())}


def _group_access(**groups: str) -> str:
    return json.dumps([{"groupName": name, "role": role} for name, role in groups.items()])


def _settings(**groups: str) -> Arguments:
    """Settings of a project whose groups have members and their roles."""
    actor, project = _administrator(), ProjectFactory()
    for name in groups:
        UserFactory().groups.add(Group.objects.create(name=name))
    values = {"group_access": _group_access(**groups)}
    return {"actor": actor, "row": project_settings_create(actor=actor, project=project, values=values)}


def _group_access_to_change() -> Arguments:
    made = _settings(leaves="edit", stays="view")
    before, after = made["row"].group_access, _group_access(stays="view", comes="admin")
    return {"actor": made["actor"], "project": made["row"].project, "before": before, "after": after}


def _settings_to_create() -> Arguments:
    """There were settings before, which were deleted."""
    project = ProjectFactory()
    ProjectSettings.objects.create(project=project, deleted_at="2026-01-01T00:00:00Z")
    values = {"runner_type": "demo", "group_access": _group_access(devs="edit")}
    return {"actor": _administrator(), "project": project, "values": values}


def _group() -> Group:
    """With a member, permissions of the admin, and a role in two projects."""
    group = Group.objects.create(name="devs")
    group.permissions.set(Permission.objects.all()[:2])
    UserFactory().groups.add(group)
    for _ in range(2):
        bind("project:viewer", ProjectFactory(), group_id=group.pk)
    return group


def _group_to_update() -> Arguments:
    return {"group": _group(), "changes": {"name": "ops", "permissions": list(Permission.objects.all()[1:4])}}


def _user_groups() -> Arguments:
    user = UserFactory()
    user.groups.add(Group.objects.create(name="leaves"))
    return {"user": user, "groups": [Group.objects.create(name="joins")]}


def _bindings_of_one_user() -> Arguments:
    """A user who waits in bindings on a project, an agent and everywhere."""
    agent = AgentFactory()
    bind("project:editor", agent.project, user_id="late")
    bind("agent:observer", agent, user_id="late")
    bind("platform:viewer", user_id="late")
    return {"values": {"username": "late", "name": "Late"}}


def _user():
    """With rights and keys."""
    user = user_create(**_bindings_of_one_user())
    for _ in range(2):
        api_key_create(user=user)
    return user


def _user_to_rename() -> Arguments:
    """The new name has rights that wait for it too."""
    bind("project:viewer", ProjectFactory(), user_id="renamed")
    return {"user": _user(), "changes": {"username": "renamed", "name": "Renamed"}}


def _user_to_ensure() -> Arguments:
    _bindings_of_one_user()
    return {"username": "late", "email": "late@corp"}


def _binding_to_create() -> Arguments:
    values = {"scope": "project", "user_id": UserFactory().username, "project_id": ProjectFactory().pk}
    return {"role": Role.objects.get(name="project:editor"), "values": values}


def _binding_to_move() -> Arguments:
    """From one project, role and user to another."""
    binding = bind("project:viewer", ProjectFactory(), user_id=UserFactory().username)
    changes = {"role_id": "project:editor", "user_id": UserFactory().username, "project_id": "there"}
    ProjectFactory(id="there")
    return {"actor": _administrator(), "binding": binding, "changes": changes}


def _binding_to_delete() -> Arguments:
    return {"binding": bind("project:editor", ProjectFactory(), user_id=UserFactory().username)}


def _held_role() -> Role:
    """A role of one's own that a user and a group hold."""
    role = RoleFactory(permissions='["project:read", "session:stop"]')
    project, group = ProjectFactory(), Group.objects.create(name="devs")
    bind(role.name, project, user_id=UserFactory().username)
    bind(role.name, project, group_id=group.pk)
    return role


def _changed_builtin_role() -> Arguments:
    """One built-in role, held by somebody, is not as the code has it; another is missing."""
    bind("project:viewer", ProjectFactory(), user_id=UserFactory().username)
    Role.objects.filter(name="project:viewer").update(permissions='["session:stop"]', level=9)
    Role.objects.filter(name="gitops:viewer").delete()
    return {}


def _drifted_grants() -> Arguments:
    """One user's grants on two targets are not what the bindings say."""
    user = UserFactory()
    bind("project:viewer", ProjectFactory(), user_id=user.username)
    ProjectUserObjectPermission.objects.filter(permission__codename="session:read").delete()
    GlobalGrant.objects.create(user=user, permission="role:delete")
    return {"fix": True}


def _identity(username: str) -> Identity:
    """Somebody with another name, in a group, who is an administrator now."""
    Group.objects.create(name="team")
    return Identity(
        issuer="https://idp.example",
        subject=username,
        username=username,
        name="Another Name",
        email="a@example.org",
        groups=frozenset({"team"}),
        is_administrator=True,
        expires=0.0,
    )


def _known() -> str:
    identity_link(user=UserFactory(username="known"), issuer="https://idp.example", subject="known")
    return "known"


def _old_entries() -> Arguments:
    """As every row that is made here has left some."""
    UserFactory()
    return {"older_than": timezone.now()}


def _administrator_of_the_provider() -> ExternalIdentity:
    """A link whose provider has given a group and the powers of an administrator."""
    user = identity_sign_in(identity=_identity(_known()))
    return ExternalIdentity.objects.get(user=user)


def _old_sign_in(refresh_token: str | None = "r") -> BrowserSignIn:
    """A browser of somebody known, whose time was over long ago."""
    identity = _identity(_known())
    Group.objects.filter(name="team").delete()
    tokens = replace(TOKENS, refresh_token=refresh_token)
    return browser_sign_in_create(identity=replace(identity, groups=frozenset()), tokens=tokens, until=1.0)


def _sign_in_that_is_renewed() -> BrowserSignIn:
    """One that a request is renewing."""
    sign_in = _old_sign_in()
    browser_sign_in_claim(pk=sign_in.pk)
    return sign_in


CASES = [
    case(audit_prune, _old_entries),
    case(agent_create, _agent_to_create),
    case(agent_update, lambda: {"agent": AgentFactory(), "changes": {"name": "new", "labels": LABELS}}),
    case(agent_delete, lambda: {"agent": AgentFactory()}),
    case(inbox_message_create, _inbox_message_to_create),
    case(inbox_message_update, lambda: {"message": InboxMessageFactory(), "changes": {"read": True}}),
    case(inbox_message_delete, lambda: {"message": InboxMessageFactory()}),
    case(api_key_create, lambda: {"user": UserFactory(), "project": ProjectFactory()}),
    case(api_key_issue, _api_key_to_issue),
    case(api_key_revoke, _api_key),
    case(controller_ensure, _controller),
    case(credential_access_store, _renewed),
    case(credential_access_fail, lambda: _claimed() | {"reason": Reason.REJECTED}),
    case(credential_test_store, _tested),
    case(session_credentials_bind, _session_to_bind),
    case(session_credentials_release, _session_to_release),
    case(application_create, lambda: {"values": _application_values()}),
    case(application_update, lambda: _application() | {"changes": {"name": "new", "labels": "{}"}}),
    case(application_delete, _application),
    case(application_sync, _application),
    case(application_refresh, _application),
    case(credential_create, _credential_to_create),
    case(credential_update, lambda: _credential() | {"changes": {"provider": "jira", "token": "t"}}),
    case(credential_delete, _credential),
    case(group_access_change, _group_access_to_change),
    case(group_create, lambda: {"name": "devs", "permissions": list(Permission.objects.all()[:2])}),
    case(group_update, _group_to_update),
    case(group_delete, lambda: {"group": _group()}),
    case(user_groups_set, _user_groups),
    case(user_groups_follow, _user_groups),
    case(project_create, lambda: {"actor": UserFactory().username, "values": {"name": "boats"}}),
    case(project_update, lambda: {"project": ProjectFactory(), "changes": {"labels": LABELS}}),
    case(project_delete, lambda: {"project": ProjectFactory()}),
    case(project_settings_create, _settings_to_create),
    case(
        project_settings_update,
        lambda: _settings(devs="edit") | {"changes": {"group_access": _group_access(ops="view")}},
    ),
    case(
        project_settings_update,
        lambda: _settings(devs="edit") | {"changes": {"project_id": ProjectFactory().pk}},
        of="moved",
    ),
    case(project_settings_delete, lambda: _settings(devs="edit", ops="view")),
    case(role_binding_create, _binding_to_create),
    case(role_binding_update, _binding_to_move),
    case(role_binding_delete, _binding_to_delete),
    case(seed_builtin_roles, _changed_builtin_role),
    case(role_create, lambda: {"values": {"name": "mine", "permissions": '["project:read"]'}}),
    case(role_update, lambda: {"role": _held_role(), "changes": {"permissions": '["session:start"]'}}),
    case(role_delete, lambda: {"role": _held_role()}),
    case(user_create, _bindings_of_one_user),
    case(user_ensure, _user_to_ensure),
    case(user_update, _user_to_rename),
    case(identity_sign_in, lambda: {"identity": _identity(_known())}, of="known"),
    case(identity_sign_in, lambda: {"identity": _identity("new")}, of="first sight"),
    case(identity_link, lambda: {"user": _user(), "issuer": "https://idp.example", "subject": "s"}),
    case(identity_unlink, lambda: {"link": _administrator_of_the_provider()}),
    case(
        browser_sign_in_create,
        lambda: {"identity": _identity(_old_sign_in().identity.subject), "tokens": TOKENS, "until": 9e8},
    ),
    case(browser_sign_in_claim, lambda: {"pk": _old_sign_in().pk}, of="to renew"),
    case(browser_sign_in_claim, lambda: {"pk": _old_sign_in(None).pk}, of="that ends"),
    case(
        browser_sign_in_renew,
        lambda: {"sign_in": _old_sign_in(), "identity": _identity("known"), "tokens": TOKENS, "until": 2e9},
    ),
    case(browser_sign_in_release, lambda: {"pk": _sign_in_that_is_renewed().pk}),
    case(browser_sign_in_end, lambda: {"pk": _old_sign_in().pk}),
    case(user_delete, lambda: {"user": _user()}),
    case(access_verify, _drifted_grants),
]

READS = {
    "identities.claims_digest": "computes",
    "identities.is_older": "computes",
    "identities.is_told": "computes",
    "identities.may_sign_in": "reads a row",
    "identities.prefixes_of_others": "reads settings",
    "agents.lock_agent": "locks a row",
    "applications.lock_application": "locks a row",
    "applications.require_may_send": "asks a rule",
    "api_keys.end_of_key": "computes",
    "credential_access.credential_token": "asks a provider between services that have their rows",
    "credential_access.credential_test": "asks a provider between services that have their rows",
    "credentials.require_may_redirect": "asks a rule",
    "grants.held_on": "reads grants",
    "grants.lock_subjects": "locks subjects",
    "grants.targets_of": "reads bindings",
    "grants.wanted_on": "reads bindings",
    "group_access.group_entries": "reads a text",
    "labels.index_labels": "sets fields of an object that its caller saves",
    "labels.merged": "makes a text",
    "role_bindings.require_may_act_for": "asks the rules",
    "role_bindings.require_may_change": "asks the rules",
    "users.name_fault": "judges a text",
    "owners.able": "reads bindings",
    "owners.has_owner": "reads bindings",
    "owners.is_owner": "reads a binding",
    "owners.last_owner_of": "makes a text",
    "owners.lock_target": "locks a row",
    "owners.owned_by_groups": "reads bindings and locks what they are of",
    "owners.owned_by_user": "reads bindings and locks what they are of",
    "owners.owner_bindings": "reads bindings",
    "owners.ownerless": "reads bindings",
    "owners.report_ownerless": "logs",
    "owners.require_owners": "asks a rule",
    "projects.check_project_name": "asks a rule",
    "role_bindings.require_may_create": "asks rules",
    "roles.require_may_give": "asks a rule",
    "role_bindings.require_may_delete": "asks rules",
    "role_bindings.require_one_per_provider": "asks a rule, under locks",
    "role_bindings.role_by_reference": "reads a role",
    "role_bindings.share_role": "locks a row",
    "roles.check_permissions": "asks a rule",
}
"""Public functions that write nothing."""

PARTS = {"grants.recompute", "grants.set_grants", "roles.recompute_holders"}
"""Writes that are parts of a service's transaction, and are called by services alone."""
