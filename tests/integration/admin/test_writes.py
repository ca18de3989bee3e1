"""What staff change in the admin goes through the services, with its actor in the history."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from ambient.common.encryption import unseal
from ambient.issuers import Issuer
from projects_app.access import allows
from projects_app.authentication import authenticate_bearer
from projects_app.choices import Scope
from projects_app.models import (
    Agent,
    ApiKey,
    AuditEntry,
    Credential,
    ExternalIdentity,
    Project,
    Role,
    RoleBinding,
    User,
)
from projects_app.oidc.tokens import Identity
from projects_app.services.api_keys import api_key_create
from projects_app.services.identities import identity_link, identity_sign_in
from projects_app.services.role_bindings import role_binding_create
from projects_app.services.roles import role_create
from reconciler.models import WorkItem
from sessions_app.choices import DesiredState, Phase
from sessions_app.models import ScheduledSession, Session, SessionMessage
from tests.factories import AgentFactory, CredentialFactory, ProjectFactory, UserFactory


def add(client, kind, **values):
    return client.post(reverse(f"admin:{kind}_add"), values)


def change(client, obj, kind, **values):
    return client.post(reverse(f"admin:{kind}_change", args=[obj.pk]), values)


def errors_of(response):
    return str(response.context["adminform"].form.errors) if response.context else ""


def said(client, response):
    return [str(message) for message in client.get(response["Location"]).context["messages"]]


def operate(client, session, operation):
    path = reverse("admin:sessions_app_session_operate", args=[session.pk])
    return client.post(path, {"operation": operation})


def last_actor(pk):
    row = AuditEntry.objects.filter(object_id=pk).latest("id")
    return (row.actor, bool(row.request_id))


# --- history


def test_a_change_has_its_actor_in_the_history(boss, made):
    operate(boss, made, "stop")
    assert last_actor(made.pk) == ("root", True)


@pytest.mark.django_db(transaction=True)
async def test_a_change_has_its_actor_in_the_history_under_asgi():
    boss = await sync_to_async(UserFactory)(username="root", is_superuser=True, is_staff=True)
    client = AsyncClient()
    try:
        await client.aforce_login(boss)
        response = await client.post(reverse("admin:projects_app_project_add"), {"id": "night-shift"})
        assert response.status_code == 302
        assert await sync_to_async(last_actor)("night-shift") == ("root", True)
    finally:
        await sync_to_async(connections.close_all)()  # of the thread that served the request


# --- sessions


@pytest.mark.parametrize(
    ("phase", "operation", "desired", "text"),
    [
        pytest.param(Phase.RUNNING, "stop", DesiredState.STOPPED, "A stop was asked for", id="stop"),
        pytest.param(Phase.STOPPED, "start", DesiredState.RUNNING, "A start was asked for", id="start"),
        pytest.param(Phase.STOPPED, "stop", DesiredState.RUNNING, "cannot stop", id="refused-stop-is-told"),
        pytest.param(Phase.RUNNING, "resync", DesiredState.RUNNING, "is looked at now", id="resync"),
        pytest.param(
            Phase.RUNNING, "retry", DesiredState.RUNNING, "no message failed", id="nothing-to-retry"
        ),
    ],
)
def test_operations(boss, made, phase, operation, desired, text):
    Session.objects.filter(pk=made.pk).update(phase=phase)
    assert text in said(boss, operate(boss, made, operation))[0]
    made.refresh_from_db()
    assert made.desired_state == desired


def test_resync_makes_the_session_due_whatever_its_back_off(boss, made):
    WorkItem.objects.filter(key=made.pk).update(due_at="2036-01-01T00:00:00Z", attempts=7)
    operate(boss, made, "resync")
    item = WorkItem.objects.get(key=made.pk)
    assert (item.attempts, item.due_at.year < 2036) == (0, True)


def test_retry_sends_the_failed_message_again(boss, made):
    operate(boss, made, "stop")
    assert SessionMessage.objects.get(session=made).delivery == "failed"
    Session.objects.filter(pk=made.pk).update(phase=Phase.STOPPED)
    operate(boss, made, "retry")
    assert SessionMessage.objects.get(session=made).delivery == "queued"
    made.refresh_from_db()
    assert (made.desired_state, made.phase) == (DesiredState.RUNNING, Phase.PENDING)


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        pytest.param((), 403, id="nothing"),
        pytest.param(("sessions_app.view_session",), 403, id="viewers-do-not-stop"),
        pytest.param(("sessions_app.view_session", "sessions_app.change_session"), 302, id="changers-stop"),
    ],
)
def test_operations_need_the_permission(staff, made, permissions, status):
    client = staff(*permissions)
    assert operate(client, made, "stop").status_code == status
    made.refresh_from_db()
    assert (made.desired_state == DesiredState.STOPPED) == (status == 302)
    page = client.get(reverse("admin:sessions_app_session_change", args=[made.pk]))
    assert ('name="operation"' in page.content.decode()) == (status == 302)


@pytest.mark.parametrize(
    ("method", "operation", "status"),
    [
        pytest.param("get", "stop", 405, id="a-link-changes-nothing"),
        pytest.param("post", "explode", 404, id="unknown-operation"),
    ],
)
def test_operations_refuse(boss, made, method, operation, status):
    path = reverse("admin:sessions_app_session_operate", args=[made.pk])
    assert getattr(boss, method)(path, {"operation": operation}).status_code == status


def test_operations_need_the_form_token(made, admin):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    assert operate(client, made, "stop").status_code == 403


@pytest.mark.parametrize(
    ("action", "desired"),
    [
        ("stop_chosen", "stopped"),
        ("start_chosen", "running"),
        ("resync_chosen", "running"),
        ("delete_selected", "deleted"),
    ],
)
def test_actions_on_chosen_sessions(boss, made, action, desired):
    data = {"action": action, "_selected_action": [made.pk], "post": "yes"}
    assert boss.post(reverse("admin:sessions_app_session_changelist"), data).status_code == 302
    made.refresh_from_db()
    assert (made.desired_state, made.deleted_at is None) == (desired, desired != "deleted")


def session_form(session, **values):
    return {
        "name": session.name,
        "labels": "",
        "annotations": "",
        "timeout": "",
        "inactivity_timeout": "",
    } | values


def test_session_fields_that_people_set_change_and_the_reconcilers_do_not(boss, made):
    values = session_form(
        made, name="renamed", labels='{"a": "b"}', phase="Running", runner_endpoint="http://x"
    )
    assert change(boss, made, "sessions_app_session", **values).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.labels_index, made.phase, made.runner_endpoint) == (
        "renamed",
        {"a": "b"},
        None,
        None,
    )
    assert last_actor(made.pk) == ("root", True)


def test_a_refusal_of_the_rules_is_shown_on_the_form(boss, made):
    response = change(boss, made, "sessions_app_session", **session_form(made, name="x" * 300))
    assert response.status_code == 200
    assert "name" in errors_of(response)
    made.refresh_from_db()
    assert made.name == "fix"


# --- credentials, applications

CREDENTIAL = {"name": "gh", "provider": "github", "token": "", "url": "", "email": "", "description": ""} | {
    "labels": "",
    "annotations": "",
}


def test_credential_from_making_to_its_end(boss):
    secret = "s3cr3t-token"
    assert add(boss, "projects_app_credential", **CREDENTIAL | {"token": secret}).status_code == 302
    credential = Credential.objects.get()
    assert unseal(credential.token_sealed, context=credential.token_context) == secret
    assert RoleBinding.objects.get(credential=credential).user_id == "root"
    page = boss.get(reverse("admin:projects_app_credential_change", args=[credential.pk]))
    assert secret not in page.content.decode()
    assert (
        change(boss, credential, "projects_app_credential", **CREDENTIAL | {"name": "gl"}).status_code == 302
    )
    credential.refresh_from_db()
    assert credential.name == "gl"
    assert unseal(credential.token_sealed, context=credential.token_context) == secret
    data = {"action": "delete_selected", "_selected_action": [credential.pk], "post": "yes"}
    assert boss.post(reverse("admin:projects_app_credential_changelist"), data).status_code == 302
    credential.refresh_from_db()
    assert (credential.deleted_at is None, credential.token_sealed) == (False, None)


def test_a_refused_token_is_not_shown_again(boss):
    form = CREDENTIAL | {"token": "s3cr3t-token", "email": "x" * 321}
    refused = add(boss, "projects_app_credential", **form)
    assert "email may have at most" in refused.content.decode()
    assert "s3cr3t-token" not in refused.content.decode()
    assert not Credential.objects.exists()


def test_a_url_with_a_secret_is_refused_in_words(boss):
    refused = add(boss, "projects_app_credential", **CREDENTIAL | {"url": "https://me:pw@git.example"})
    assert "put the secret in token" in refused.content.decode()
    assert not Credential.objects.exists()


def test_staff_send_no_token_that_they_do_not_see(staff, everything):
    application, credential = everything["projects_app_application"], everything["projects_app_credential"]
    clerk = staff(
        *(f"projects_app.{verb}_application" for verb in ("view", "change")), "projects_app.view_credential"
    )
    form = {"name": "fleet", "source_repo_url": "u", "source_path": "p", "destination_project": "tenant"}
    form |= {"destination_ambient_url": "https://evil", "credential": credential.pk, "retry_limit": 3}
    refused = change(clerk, application, "projects_app_application", **form)
    assert "credential_id names no credential" in refused.content.decode()
    application.refresh_from_db()
    assert application.credential_id is None


def test_application_actions_say_what_does_not_exist(boss, everything):
    application = everything["projects_app_application"]
    for action in ("sync", "refresh"):
        data = {"action": action, "_selected_action": [application.pk]}
        page = boss.post(reverse("admin:projects_app_application_changelist"), data, follow=True)
        assert "does not sync from Git yet" in page.content.decode()
    form = {"name": "fleet", "source_repo_url": "u", "source_path": "p", "destination_project": "nowhere"}
    refused = change(boss, application, "projects_app_application", **form, retry_limit=3)
    assert "destination_project names no project" in refused.content.decode()


def test_schedule_from_making_to_its_end(boss, tenant):
    form = {"name": "nightly", "schedule": "0 3 * * *", "timezone": "UTC", "enabled": "on"}
    assert add(boss, "sessions_app_scheduledsession", project=tenant.pk, **form).status_code == 302
    row = ScheduledSession.objects.get()
    assert (row.created_by_user_id, row.next_run_at is None) == ("root", False)
    refused = change(boss, row, "sessions_app_scheduledsession", **form | {"schedule": "soon"})
    assert "schedule must have five fields" in refused.content.decode()
    agent = AgentFactory(project=tenant)
    form |= {"agent": agent.pk}
    assert change(boss, row, "sessions_app_scheduledsession", **form).status_code == 302
    for action in ("suspend", "resume", "start_now", "start_now"):
        data = {"action": action, "_selected_action": [row.pk]}
        page = boss.post(reverse("admin:sessions_app_scheduledsession_changelist"), data, follow=True)
        row.refresh_from_db()
        assert row.enabled == (action != "suspend")
    assert "the agent is at work already" in page.content.decode()
    assert Session.objects.get().schedule_id == row.pk
    data = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    assert boss.post(reverse("admin:sessions_app_scheduledsession_changelist"), data).status_code == 302
    row.refresh_from_db()
    assert row.deleted_at is not None


# --- projects, agents


def test_project_from_making_to_its_end(boss, admin):
    assert add(boss, "projects_app_project", id="night", description="d").status_code == 302
    project = Project.objects.get(pk="night")
    assert RoleBinding.objects.get(project=project).user_id == admin.username
    form = {"description": "new", "labels": '{"team": "a"}'}
    assert change(boss, project, "projects_app_project", **form).status_code == 302
    project.refresh_from_db()
    assert (project.description, project.labels_index) == ("new", {"team": "a"})
    path = reverse("admin:projects_app_project_delete", args=["night"])
    assert boss.get(path).status_code == 200
    assert boss.post(path, {"post": "yes"}).status_code == 302
    project.refresh_from_db()
    assert project.deleted_at is not None
    assert "already exists" in errors_of(add(boss, "projects_app_project", id="night"))


@pytest.mark.parametrize("name", ["Upper", "a", "under_score", "-x"])
def test_project_names_follow_the_rule(boss, db, name):
    response = add(boss, "projects_app_project", id=name)
    assert response.status_code == 200
    assert errors_of(response)
    assert not Project.objects.exists()


AGENT = {"llm_model": "m", "llm_temperature": "0.5", "llm_max_tokens": "10"}


def test_agent_from_making_to_its_end(boss, tenant):
    assert add(boss, "projects_app_agent", project=tenant.pk, name="scout", **AGENT).status_code == 302
    agent = Agent.objects.get()
    assert (agent.owner_user_id, agent.llm_max_tokens) == ("root", 10)
    form = AGENT | {"name": "guide", "prompt": "look"}
    assert change(boss, agent, "projects_app_agent", **form).status_code == 302
    agent.refresh_from_db()
    assert (agent.name, agent.prompt, agent.project_id) == ("guide", "look", "tenant")
    again = add(boss, "projects_app_agent", project=tenant.pk, name="guide", **AGENT)
    assert errors_of(again)
    data = {"action": "delete_selected", "_selected_action": [agent.pk], "post": "yes"}
    assert boss.post(reverse("admin:projects_app_agent_changelist"), data).status_code == 302
    agent.refresh_from_db()
    assert agent.deleted_at is not None


# --- people


def test_user_from_making_to_its_end(boss):
    role_binding_create(
        role=Role.objects.get(name="platform:viewer"), values={"scope": Scope.GLOBAL, "user_id": "zoe"}
    )
    assert add(boss, "projects_app_user", username="zoe", name="Zoe").status_code == 302
    user = User.objects.get(username="zoe")
    assert (user.has_usable_password(), allows(user, "session:read")) == (False, True)
    group = Group.objects.create(name="night")
    form = {"username": "zoe", "name": "Zoë", "is_active": "on", "is_staff": "on", "groups": [group.pk]}
    assert change(boss, user, "projects_app_user", **form).status_code == 302
    user.refresh_from_db()
    assert (user.name, user.is_staff, list(user.groups.all())) == ("Zoë", True, [group])
    boss.post(reverse("admin:projects_app_user_delete", args=[user.pk]), {"post": "yes"})
    user.refresh_from_db()
    assert (user.is_active, RoleBinding.objects.live().filter(user_id="zoe").exists()) == (False, False)


USERS = ("projects_app.view_user", "projects_app.change_user", "projects_app.delete_user")


def test_staff_give_nobody_powers_and_touch_no_superuser(staff, admin, user):
    client = staff(*USERS)
    powers = {"is_superuser": "on", "is_staff": "on", "is_active": "on"}
    assert change(client, user, "projects_app_user", username="alice", name="A", **powers).status_code == 302
    user.refresh_from_db()
    assert (user.name, user.is_superuser, user.is_staff) == ("A", False, False)
    assert "superuser" in errors_of(change(client, admin, "projects_app_user", username="mine", name="x"))
    client.post(reverse("admin:projects_app_user_delete", args=[admin.pk]), {"post": "yes"})
    admin.refresh_from_db()
    assert (admin.username, admin.deleted_at) == ("root", None)


def test_group_from_making_to_its_end(boss, user, tenant):
    permission = Permission.objects.get(codename="view_session", content_type__app_label="sessions_app")
    assert add(boss, "auth_group", name="night", permissions=[permission.pk]).status_code == 302
    group = Group.objects.get()
    user.groups.add(group)
    values = {"role": Role.objects.get(name="project:viewer").pk, "scope": "project", "project": tenant.pk}
    assert add(boss, "projects_app_rolebinding", group=group.pk, **values).status_code == 302
    assert allows(user, "session:read", tenant)
    assert change(boss, group, "auth_group", name="day").status_code == 302
    group.refresh_from_db()
    assert (group.name, group.permissions.count()) == ("day", 0)
    boss.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert not Group.objects.exists()
    assert not allows(User.objects.get(pk=user.pk), "session:read", tenant)


# --- access


def test_role_from_making_to_its_end(boss):
    assert add(boss, "projects_app_role", name="mine", permissions='["session:read"]').status_code == 302
    role = Role.objects.get(name="mine")
    assert role.level == 1
    assert change(boss, role, "projects_app_role", permissions='["session:*"]').status_code == 302
    role.refresh_from_db()
    assert role.permissions == '["session:*"]'
    assert "permissions" in errors_of(change(boss, role, "projects_app_role", permissions='["nonsense"]'))


def test_built_in_roles_are_fixed(boss):
    role = Role.objects.get(name="project:viewer")
    assert change(boss, role, "projects_app_role", permissions="[]").status_code == 403
    assert boss.post(reverse("admin:projects_app_role_delete", args=[role.pk])).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [role.pk], "post": "yes"}
    response = boss.post(reverse("admin:projects_app_role_changelist"), data)
    assert "Built-in" in said(boss, response)[0]
    assert Role.objects.live().filter(name="project:viewer").exists()


def binding_form(tenant, role="project:viewer", user_id="alice"):
    pk = Role.objects.get(name=role).pk
    return {"role": pk, "scope": "project", "user_id": user_id, "project": tenant.pk}


def test_role_binding_from_making_to_its_end(boss, tenant, user):
    assert add(boss, "projects_app_rolebinding", **binding_form(tenant)).status_code == 302
    assert allows(User.objects.get(pk=user.pk), "session:read", tenant)
    binding = RoleBinding.objects.get()
    form = binding_form(tenant, "project:editor")
    assert change(boss, binding, "projects_app_rolebinding", **form).status_code == 302
    assert allows(User.objects.get(pk=user.pk), "session:stop", tenant)
    boss.post(reverse("admin:projects_app_rolebinding_delete", args=[binding.pk]), {"post": "yes"})
    assert not allows(User.objects.get(pk=user.pk), "session:read", tenant)


BINDINGS = tuple(f"projects_app.{verb}_rolebinding" for verb in ("view", "add", "change", "delete"))


def test_staff_without_a_role_grant_nothing(staff, tenant):
    response = add(staff(*BINDINGS), "projects_app_rolebinding", **binding_form(tenant, user_id="clerk"))
    assert "Not permitted" in errors_of(response)
    assert not RoleBinding.objects.exists()


def test_the_last_owner_stays(boss, tenant):
    binding = role_binding_create(
        role=Role.objects.get(name="project:owner"),
        values={"scope": Scope.PROJECT, "user_id": "alice", "project_id": tenant.pk},
    )
    response = boss.post(reverse("admin:projects_app_rolebinding_delete", args=[binding.pk]), {"post": "yes"})
    assert "last owner" in said(boss, response)[0]
    assert RoleBinding.objects.live().filter(pk=binding.pk).exists()


def test_api_key_is_shown_once_and_revoked(boss, user):
    made = add(boss, "projects_app_apikey", user=user.pk, name="ci")
    assert made.status_code == 200
    assert "no-store" in made["Cache-Control"]
    text = made.context["text"]
    assert text in made.content.decode()
    assert authenticate_bearer(text).username == "alice"
    key = ApiKey.objects.get()
    listed = boss.get(reverse("admin:projects_app_apikey_changelist")).content.decode()
    page = boss.get(reverse("admin:projects_app_apikey_change", args=[key.pk])).content.decode()
    for shown in (listed, page):
        assert text not in shown
        assert key.digest not in shown
    boss.post(
        reverse("admin:projects_app_apikey_changelist"), {"action": "revoke", "_selected_action": [key.pk]}
    )
    key.refresh_from_db()
    assert key.revoked_at is not None


KEYS = tuple(f"projects_app.{verb}_apikey" for verb in ("view", "add", "change"))


def test_staff_make_and_revoke_only_their_own_keys(staff, admin):
    client = staff(*KEYS)
    assert "superuser" in errors_of(add(client, "projects_app_apikey", user=admin.pk))
    assert add(client, "projects_app_apikey", user=client.user.pk).status_code == 200
    key, _ = api_key_create(user=admin)
    data = {"action": "revoke", "_selected_action": [key.pk]}
    response = client.post(reverse("admin:projects_app_apikey_changelist"), data)
    assert "superuser" in said(client, response)[0]
    key.refresh_from_db()
    assert key.revoked_at is None


# --- pending work


def test_resync_of_work_items(boss, made):
    item = WorkItem.objects.get(key=made.pk)
    for path, data in (
        (reverse("admin:reconciler_workitem_resync", args=[item.pk]), {}),
        (
            reverse("admin:reconciler_workitem_changelist"),
            {"action": "resync", "_selected_action": [item.pk]},
        ),
    ):
        WorkItem.objects.filter(pk=item.pk).update(due_at="2036-01-01T00:00:00Z", attempts=7)
        assert "due now" in said(boss, boss.post(path, data))[0]
        assert WorkItem.objects.get(pk=item.pk).attempts == 0


def test_resync_needs_its_permission(staff, made):
    item = WorkItem.objects.get(key=made.pk)
    WorkItem.objects.filter(pk=item.pk).update(attempts=7)
    client = staff("reconciler.view_workitem")
    client.post(reverse("admin:reconciler_workitem_resync", args=[item.pk]))
    data = {"action": "resync", "_selected_action": [item.pk]}
    client.post(reverse("admin:reconciler_workitem_changelist"), data)
    assert WorkItem.objects.get(pk=item.pk).attempts == 7


def test_limits(boss, tenant):
    from reconciler.models import Limit

    platform = Limit.objects.get(project=None)
    assert change(boss, platform, "reconciler_limit", max_running="7").status_code == 302
    assert add(boss, "reconciler_limit", project=tenant.pk, max_running="2").status_code == 302
    assert set(Limit.objects.values_list("project_id", "max_running")) == {(None, 7), ("tenant", 2)}
    assert boss.post(reverse("admin:reconciler_limit_delete", args=[platform.pk])).status_code == 403


def test_lists_of_a_project(boss, made):
    other = ProjectFactory(id="other")
    path = reverse("admin:sessions_app_session_changelist")
    assert len(boss.get(path, {"project": "tenant"}).context["cl"].result_list) == 1
    assert len(boss.get(path, {"project": other.pk}).context["cl"].result_list) == 0


# --- related objects


RELATED = [
    ("projects_app", "rolebinding", "role"),
    ("projects_app", "rolebinding", "project"),
    ("projects_app", "rolebinding", "agent"),
    ("projects_app", "rolebinding", "credential"),
    ("projects_app", "rolebinding", "group"),
    ("projects_app", "apikey", "user"),
    ("projects_app", "projectsettings", "project"),
    ("projects_app", "agent", "parent_agent"),
    ("reconciler", "limit", "project"),
]


@pytest.fixture
def live_and_gone(tenant):
    """One live and one deleted row of each kind that others refer to, by the name of the model."""
    made = {
        "project": (tenant, ProjectFactory(id="tenant-gone")),
        "agent": tuple(AgentFactory(project=tenant, name=name) for name in ("scout", "scout-gone")),
        "user": tuple(UserFactory(username=name) for name in ("ann", "ann-gone")),
        "role": tuple(
            role_create(values={"name": name, "permissions": "[]"}) for name in ("see", "see-gone")
        ),
        "credential": tuple(CredentialFactory(name=name) for name in ("key", "key-gone")),
    }
    for _, gone in made.values():
        type(gone).objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    made["group"] = (Group.objects.create(name="night shift"), None)
    return made


@pytest.mark.parametrize(("app", "model", "field"), RELATED)
def test_deleted_rows_are_not_offered(boss, live_and_gone, app, model, field):
    live, gone = live_and_gone[field.removeprefix("parent_")]
    asked = {"app_label": app, "model_name": model, "field_name": field}
    response = boss.get(reverse("admin:autocomplete"), asked)
    offered = {entry["id"] for entry in response.json()["results"]}
    assert str(live.pk) in offered
    assert gone is None or str(gone.pk) not in offered


def test_a_deleted_row_cannot_be_posted_as_related(boss, live_and_gone):
    _, gone = live_and_gone["project"]
    response = add(boss, "projects_app_agent", project=gone.pk, name="late")
    assert "not one of the available choices" in errors_of(response)
    assert not Agent.objects.filter(name="late").exists()


def test_a_row_that_refers_to_a_deleted_one_still_shows_it(boss, live_and_gone):
    project, _ = live_and_gone["project"]
    role, other = live_and_gone["role"]
    binding = role_binding_create(
        role=role, values={"scope": Scope.PROJECT, "user_id": "ann", "project_id": project.pk}
    )
    Role.objects.filter(pk=role.pk).update(deleted_at=timezone.now())
    form = boss.get(reverse("admin:projects_app_rolebinding_change", args=[binding.pk])).context["adminform"]
    choices = set(form.form.fields["role"].queryset)
    assert role in choices
    assert other not in choices


# --- identities


def test_a_superuser_links_an_identity_and_takes_the_link_away(boss, user, settings):
    settings.OIDC_ISSUERS = [Issuer("https://idp.example", ("ambient",))]
    values = {"user": user.pk, "issuer": "https://idp.example", "subject": "s-1"}
    assert add(boss, "projects_app_externalidentity", **values).status_code == 302
    link = ExternalIdentity.objects.get()
    assert (link.user, link.issuer, link.subject) == (user, "https://idp.example", "s-1")
    other = UserFactory(username="other")
    refused = add(boss, "projects_app_externalidentity", **values | {"user": other.pk})
    assert "already exists" in errors_of(refused)
    unknown = add(boss, "projects_app_externalidentity", **values | {"issuer": "https://x.example"})
    assert "not one of the available choices" in errors_of(unknown)
    boss.post(reverse("admin:projects_app_externalidentity_delete", args=[link.pk]), {"post": "yes"})
    assert not ExternalIdentity.objects.exists()


def test_an_unlinked_identity_takes_back_what_its_provider_gave(boss, user):
    told = Identity("https://idp.example", "s", "alice", "A", None, frozenset({"team"}), True, 0.0)
    Group.objects.create(name="team")
    link = identity_link(user=user, issuer=told.issuer, subject=told.subject)
    identity_sign_in(identity=told)
    boss.post(reverse("admin:projects_app_externalidentity_delete", args=[link.pk]), {"post": "yes"})
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser, user.groups.count()) == (False, False, 0)


def test_other_staff_links_nobody(staff, user):
    clerk = staff("projects_app.add_externalidentity", "projects_app.delete_externalidentity")
    link = identity_link(user=user, issuer="https://idp.example", subject="s")
    assert clerk.get(reverse("admin:projects_app_externalidentity_add")).status_code == 403
    path = reverse("admin:projects_app_externalidentity_delete", args=[link.pk])
    assert clerk.post(path, {"post": "yes"}).status_code == 403
    assert ExternalIdentity.objects.exists()
