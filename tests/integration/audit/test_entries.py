"""What the audit log keeps of each kind, and what never."""

import datetime
import json
from dataclasses import dataclass
from typing import Any

import pghistory
import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.utils import timezone

from ambient.common.audit import KINDS
from ambient.common.sealed import SealedTextField, sealed_columns
from projects_app.models import (
    Agent,
    ApiKey,
    Application,
    AuditEntry,
    Credential,
    ExternalIdentity,
    Project,
    ProjectSettings,
    Role,
    RoleBinding,
    User,
)
from projects_app.services.api_keys import api_key_create, api_key_revoke
from projects_app.services.applications import application_create, application_delete
from projects_app.services.credentials import credential_create, credential_delete, credential_update
from projects_app.services.groups import group_create, group_delete, group_update, user_groups_set
from projects_app.services.projects import project_delete
from projects_app.services.role_bindings import role_binding_create, role_binding_delete
from projects_app.services.roles import role_create, role_delete, role_update
from projects_app.services.users import user_delete, user_update
from sessions_app.choices import Phase
from sessions_app.models import ScheduledSession, Session
from sessions_app.services.schedules import schedule_create, schedule_delete
from sessions_app.services.sessions import (
    session_create,
    session_delete,
    session_start,
    session_stop,
    session_update,
)
from sessions_app.status import session_record_status
from tests.factories import (
    AgentFactory,
    ProjectFactory,
    ProjectSettingsFactory,
    SessionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
LATER = datetime.datetime(2036, 1, 1, tzinfo=datetime.UTC)


def entries(**filters: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(**filters).order_by("id"))


@dataclass
class Kind:
    """How a row is made, changed and deleted; what its entries are to show."""

    make: Any
    change: Any
    delete: Any
    name: str
    before: dict[str, Any]
    after: dict[str, Any]
    project: str | None = None
    hard: bool = False


def _set(**values: Any) -> Any:
    return lambda obj: type(obj).objects.filter(pk=obj.pk).update(**values)


def _soft(obj: Any) -> None:
    _set(deleted_at=timezone.now())(obj)


def _binding() -> RoleBinding:
    agent = AgentFactory(project=ProjectFactory(id="demo"))
    return role_binding_create(
        role=Role.objects.get(name="agent:editor"),
        values={"scope": "agent", "user_id": "ann", "agent_id": agent.pk},
    )


def _credential(**values: Any) -> Credential:
    return credential_create(
        actor=UserFactory(username="ann"), values={"name": "hub", "provider": "github"} | values
    )


def _key() -> ApiKey:
    return api_key_create(user=UserFactory(), name="ci", project=ProjectFactory(id="demo"))[0]


APPLICATION = {"name": "fleet", "source_repo_url": "u", "source_path": "p"}
TABLE = {
    "Project": Kind(
        lambda: ProjectFactory(id="demo", description="old"),
        _set(description="new", labels_index={}),
        lambda obj: project_delete(project=obj),
        "demo",
        {"description": "old"},
        {"description": "new"},
        "demo",
    ),
    "ProjectSettings": Kind(
        lambda: ProjectSettingsFactory(project=ProjectFactory(id="demo")),
        _set(inactivity_timeout=5),
        _soft,
        "demo",
        {"inactivity_timeout": None},
        {"inactivity_timeout": 5},
        "demo",
    ),
    "User": Kind(
        lambda: UserFactory(username="bob"),
        lambda obj: user_update(user=obj, changes={"email": "b@x", "is_staff": True}),
        lambda obj: user_delete(user=obj),
        "bob",
        {"email": None, "is_staff": False},
        {"email": "b@x", "is_staff": True},
    ),
    "Group": Kind(
        lambda: group_create(name="night"),
        _set(name="day"),
        lambda obj: group_delete(group=obj),
        "day",
        {"name": "night"},
        {"name": "day"},
        hard=True,
    ),
    "Role": Kind(
        lambda: role_create(values={"name": "mine", "permissions": '["project:read"]'}),
        lambda obj: role_update(role=obj, changes={"permissions": '["agent:read"]'}),
        lambda obj: role_delete(role=obj),
        "mine",
        {"permissions": '["project:read"]'},
        {"permissions": '["agent:read"]'},
    ),
    "RoleBinding": Kind(
        _binding,
        _set(user_id="bob"),
        lambda obj: role_binding_delete(binding=obj),
        "agent:editor",
        {"user_id": "ann"},
        {"user_id": "bob"},
        "demo",
    ),
    "Agent": Kind(
        lambda: AgentFactory(project=ProjectFactory(id="demo"), name="a", mcp_servers='{"a": 1}'),
        _set(prompt="be kind", mcp_servers='{"a": 2}', current_session_id="s"),
        _soft,
        "a",
        {"prompt": None, "mcp_servers": "[hidden]"},
        {"prompt": "be kind", "mcp_servers": "[changed]"},
        "demo",
    ),
    "Credential": Kind(
        lambda: _credential(token="first"),
        lambda obj: credential_update(credential=obj, changes={"token": "second", "email": "b@x"}),
        lambda obj: credential_delete(credential=obj),
        "hub",
        {"token_sealed": "[hidden]", "email": None},
        {"token_sealed": "[changed]", "email": "b@x"},
    ),
    "ApiKey": Kind(
        _key,
        lambda obj: _set(revoked_at=LATER, last_used_at=LATER)(obj),
        lambda obj: obj.delete(),
        None,
        {"revoked_at": None},
        {"revoked_at": "2036-01-01T00:00:00+00:00"},
        "demo",
        hard=True,
    ),
    "Application": Kind(
        lambda: application_create(
            values=APPLICATION | {"destination_project": ProjectFactory(id="demo").pk}
        ),
        _set(auto_sync=True, sync_status="Synced"),
        lambda obj: application_delete(application=obj),
        "fleet",
        {"auto_sync": False},
        {"auto_sync": True},
        "demo",
    ),
    "ScheduledSession": Kind(
        lambda: schedule_create(
            actor="ann", project=ProjectFactory(id="demo"), values={"name": "s", "schedule": "0 3 * * *"}
        ),
        _set(enabled=False, next_run_at=LATER),
        lambda obj: schedule_delete(row=obj),
        "s",
        {"enabled": True},
        {"enabled": False},
        "demo",
    ),
    "ExternalIdentity": Kind(
        lambda: ExternalIdentity.objects.create(user=UserFactory(), issuer="https://i", subject="42"),
        _set(made_administrator=True, claims_digest="d"),
        lambda obj: obj.delete(),
        "42",
        {"made_administrator": False},
        {"made_administrator": True},
        hard=True,
    ),
    "Session": Kind(
        lambda: session_create(actor="ann", project=ProjectFactory(id="demo"), spec={"name": "fix"}),
        lambda obj: session_stop(session=obj),
        lambda obj: session_delete(session=obj),
        "fix",
        {"desired_state": "running", "generation": 1},
        {"desired_state": "stopped", "generation": 2},
        "demo",
    ),
}


def test_every_kind_has_a_row():
    assert {*TABLE, "GroupMember", "GroupPermission", "UserPermission"} == set(KINDS)


@pytest.mark.parametrize("kind", TABLE)
def test_create_change_and_delete(kind):
    case = TABLE[kind]
    with pghistory.context(user="ann", via="cookie", request_id="r-1", address="10.0.0.1", route="POST /x"):
        obj = case.make()
        case.change(obj)
        case.delete(obj)
    made, changed, deleted = entries(kind=kind, object_id=str(obj.pk or made_id(kind)))
    assert (made.action, changed.action, deleted.action) == ("create", "update", "delete")
    assert made.before is None
    assert made.after
    assert (changed.before, changed.after) == (case.before, case.after)
    assert deleted.after is None
    assert changed.object_name == deleted.object_name == (case.name or obj.prefix)
    assert case.after.items() - {("mcp_servers", "[changed]"), ("token_sealed", "[changed]")} <= (
        deleted.before.items()
    )
    for entry in (made, changed, deleted):
        assert (entry.actor, entry.via, entry.request_id) == ("ann", "cookie", "r-1")
        assert (entry.address, entry.route, entry.project) == ("10.0.0.1", "POST /x", case.project)
        assert entry.process.startswith("ambient-command")
        assert abs(entry.created_at - timezone.now()) < datetime.timedelta(minutes=5)


def made_id(kind: str) -> str:
    """The id of a row that Django has let go of."""
    return AuditEntry.objects.filter(kind=kind).latest("id").object_id


def test_who_joins_and_leaves_a_group():
    user, group = UserFactory(username="bob"), group_create(name="night")
    user_groups_set(user=user, groups=[group])
    user_groups_set(user=user, groups=[])
    found = [(e.action, e.object_id, e.object_name) for e in entries(kind="GroupMember")]
    assert found == [("create", str(group.pk), "bob"), ("delete", str(group.pk), "bob")]


def test_who_may_what_in_the_admin():
    may = Permission.objects.get(codename="change_role")
    user, group = UserFactory(username="bob"), group_create(name="night", permissions=[may])
    group_update(group=group, changes={"permissions": []})
    user.user_permissions.add(may)
    found = [(e.action, e.object_id, e.object_name) for e in entries(kind="GroupPermission")]
    assert found == [(what, str(group.pk), "change_role") for what in ("create", "delete")]
    assert [(e.object_id, e.object_name) for e in entries(kind="UserPermission")] == [
        (user.pk, "change_role")
    ]


def test_the_end_of_a_group_names_its_members():
    group = Group.objects.create(name="night")
    UserFactory(username="bob").groups.add(group)
    object_id = str(group.pk)
    group_delete(group=group)
    assert [(e.kind, e.action) for e in entries(object_id=object_id)][-2:] == [
        ("GroupMember", "delete"),
        ("Group", "delete"),
    ]


def test_bulk_sql_is_seen_row_by_row():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_group (name) SELECT 'g' || n FROM generate_series(1, 5) n")
        cursor.execute("UPDATE auth_group SET name = name || '!'")
    assert [e.action for e in entries(kind="Group")] == ["create"] * 5 + ["update"] * 5


UNTOUCHED = [
    pytest.param(Session, {"phase": Phase.PENDING, "status_version": 5}, id="status-of-a-session"),
    pytest.param(Session, {"runner_secret": "x", "runner_endpoint": "y"}, id="place-of-a-runner"),
    pytest.param(User, {"last_login": LATER}, id="a-sign-in"),
    pytest.param(ApiKey, {"last_used_at": LATER}, id="use-of-a-key"),
    pytest.param(Agent, {"current_session_id": "s"}, id="an-agents-session"),
    pytest.param(Application, {"sync_status": "Synced", "last_synced_at": LATER}, id="the-sync-engine"),
    pytest.param(ScheduledSession, {"next_run_at": LATER, "last_run_at": LATER}, id="the-clock"),
    pytest.param(
        ExternalIdentity,
        {"last_seen_at": LATER, "told_at": LATER, "claims_digest": "z"},
        id="a-token-seen",
    ),
    pytest.param(ProjectSettings, {"updated_at": LATER}, id="a-save-that-changes-nothing"),
]


@pytest.mark.parametrize(("model", "values"), UNTOUCHED)
def test_what_nobody_decides_is_not_kept(model, values):
    obj = TABLE[model.__name__].make()
    before = AuditEntry.objects.count()
    assert model.objects.filter(pk=obj.pk).update(**values) == 1
    assert AuditEntry.objects.count() == before


def test_a_save_of_all_columns_keeps_what_changed():
    obj = TABLE["Agent"].make()
    obj.display_name = "A"
    obj.save()
    obj.save()
    assert [e.after for e in entries(kind="Agent", action="update")] == [{"display_name": "A"}]


def test_the_life_of_a_session_is_its_wishes():
    session = session_create(actor="ann", project=ProjectFactory(), spec={"name": "fix", "prompt": "do it"})
    for phase in (Phase.PENDING, Phase.CREATING, Phase.RUNNING, Phase.FAILED):
        session.refresh_from_db()
        session_record_status(session=session, phase=phase, reason_text=phase)
    session.refresh_from_db()
    session_start(session=session)
    session_update(session=session, changes={"labels": '{"a": "b"}'})
    found = entries(kind="Session")
    assert [e.action for e in found] == ["create", "update", "update"]
    assert [sorted(e.after) for e in found[1:]] == [["generation"], ["labels"]]


def test_long_texts_are_cut():
    session = SessionFactory(prompt="x" * 100_000)
    session_update(session=session, changes={"prompt": "x" * 99_999})
    changed = entries(kind="Session")[-1]
    assert changed.before["prompt"] == "x" * 2000 + "... (100000 characters)"
    assert changed.after["prompt"] == "x" * 2000 + "... (99999 characters)"


def test_the_end_of_a_deleted_row_is_no_second_delete():
    agent = TABLE["Agent"].make()
    _soft(agent)
    Agent.objects.filter(pk=agent.pk).delete()
    assert [e.action for e in entries(kind="Agent")] == ["create", "delete"]


def test_entries_outlive_their_project():
    project = ProjectFactory(id="demo")
    ProjectSettingsFactory(project=project)
    before = AuditEntry.objects.filter(project="demo").count()
    Project.objects.filter(pk="demo").delete()
    assert AuditEntry.objects.filter(project="demo").count() == before + 2


# --- secrets


def everything_written() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(e::text, ' ') FROM projects_app_auditentry e")
        return cursor.fetchone()[0]


def test_no_secret_is_in_any_entry():
    credential = _credential(token="canary-token-1", description="canary-control")
    credential.refresh_from_db()
    first = credential.token_sealed
    credential_update(credential=credential, changes={"token": "canary-token-2"})
    credential.refresh_from_db()
    user = User.objects.create_user("carol", "canary-password-1")
    hashed = user.password
    user.set_password("canary-password-2")
    user.save()
    key, text = api_key_create(user=user)
    api_key_revoke(key=key)
    variables = json.dumps({"TOKEN": "canary-variable"})
    agent = AgentFactory(environment_variables=variables, mcp_servers='{"headers": "canary-header"}')
    session = SessionFactory(environment_variables=variables, mcp_servers='{"headers": "canary-header"}')
    Session.objects.filter(pk=session.pk).update(environment_variables='{"TOKEN": "canary-variable-2"}')
    session.refresh_from_db()
    session_delete(session=session)
    _soft(agent)
    secrets = [
        *("canary-token", "canary-password", "canary-variable", "canary-header"),
        *(first, credential.token_sealed, session.runner_secret, hashed, user.password, key.digest, text),
    ]
    assert all(secrets)
    written = everything_written()
    assert "canary-control" in written  # what is no secret is there
    assert [secret for secret in secrets if secret in written] == []
    changed = entries(kind="User", action="update")[-1]
    assert (changed.before, changed.after) == ({"password": "[hidden]"}, {"password": "[changed]"})


def audit_triggers(table):
    """What the table's triggers run, as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE t.tgrelid = %s::regclass AND p.prosrc LIKE '%%ambient_audit%%'",
            [table],
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize("column", [str(column) for column in sealed_columns()])
def test_sealed_columns_are_hidden_or_left_out(column):
    """Also one that is added later: the triggers as the database has them read no sealed column's value."""
    model, name = column.split(".")
    if model not in KINDS:  # it is not in the log at all
        assert not audit_triggers(apps.get_app_config("projects_app").get_model(model)._meta.db_table)
        return
    field = KINDS[model]._meta.get_field(name)
    assert isinstance(field, SealedTextField)
    sources = audit_triggers(KINDS[model]._meta.db_table)
    assert len(sources) == 2
    for source in sources:
        assert f"'{name}', NEW" not in source
        assert f"'{name}', OLD" not in source
