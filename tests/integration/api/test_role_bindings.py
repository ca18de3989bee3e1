"""Granting: who may give and take which role; grants follow bindings at once (contract 4.4)."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from projects_app.access import PersonAccess
from projects_app.choices import PERMISSIONS, Scope
from projects_app.models import (
    GlobalGrant,
    ProjectGroupObjectPermission,
    ProjectUserObjectPermission,
    Role,
    RoleBinding,
)
from projects_app.services.role_bindings import role_binding_create, role_binding_delete
from projects_app.services.roles import role_create
from projects_app.services.users import user_delete, user_ensure
from tests.factories import AgentFactory, CredentialFactory, ProjectFactory, SessionFactory, UserFactory
from tests.integration.api.test_wire import check_error, fingerprint


def binding(role, project="demo", user="bob", **more):
    return {"role_id": role, "scope": "project", "project_id": project, "user_id": user} | more


ESCALATION = [
    ("platform:admin", "project:owner", 201),
    ("platform:admin", "project:viewer", 201),
    ("platform:admin", "agent:runner", 403),
    ("project:owner", "platform:admin", 403),
    ("project:owner", "project:owner", 403),
    ("project:owner", "project:editor", 201),
    ("project:owner", "project:viewer", 201),
    ("project:owner", "agent:runner", 403),
    ("project:owner", "credential:token-reader", 403),
    ("project:editor", "project:owner", 403),
    ("project:editor", "project:editor", 403),
    ("project:editor", "project:viewer", 201),
    ("project:editor", "agent:observer", 201),
    ("project:viewer", "project:viewer", 403),
    ("project:viewer", "agent:observer", 403),
    (None, "project:viewer", 403),
]


@pytest.mark.parametrize(
    ("own", "given", "status"), ESCALATION, ids=[f"{a}-gives-{b}" for a, b, _ in ESCALATION]
)
def test_escalation(api_client, project, bind_role, own, given, status):
    bind_role(own, None if own == "platform:admin" else project)
    before = fingerprint()
    response = api_client.call("post", "/role_bindings", binding(given))
    if status == 403:
        check_error(response, 403, "4")
        assert fingerprint() == before
    else:
        assert response.status_code == 201, response.content
        assert response.json()["role_id"] == Role.objects.get(name=given).pk


LACKING = [
    # role held, on (None: everywhere), role that has more
    ("gitops:admin", None, "project:editor"),
    ("gitops:admin", "project", "project:viewer"),
    ("platform:viewer", None, "project:viewer"),
    ("credential:owner", None, "project:viewer"),
    ("reads-projects", "project", "project:editor"),
    ("reads-projects", "project", "project:viewer"),
    ("project:owner", "project", "credential:viewer"),
]


@pytest.mark.parametrize(("own", "on", "given"), LACKING, ids=[f"{a}-gives-{b}" for a, _, b in LACKING])
@pytest.mark.parametrize("to", ["alice", "somebody"])
def test_nobody_gives_what_they_do_not_hold_there(api_client, project, bind_role, own, on, given, to):
    """Whatever the levels say: else a role for one thing would open all others."""
    role_create(values={"name": "reads-projects", "permissions": '["project:read"]'})
    bind_role(own, project if on else None)
    before = fingerprint()
    check_error(api_client.call("post", "/role_bindings", binding(given, user=to)), 403, "4")
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("body", "status", "error_id"),
    [
        pytest.param(binding("project:viewer", scope="team"), 400, "21", id="unknown-scope"),
        pytest.param(binding("no:role"), 403, "4", id="unknown-role"),
        pytest.param(binding("project:viewer", project="other"), 403, "4", id="other-project"),
        pytest.param(binding("project:viewer", project="nowhere"), 403, "4", id="no-project"),
        pytest.param(binding("project:viewer", project=None), 400, "8", id="target-not-set"),
        pytest.param(binding("project:viewer", scope="global"), 403, "4", id="global-by-owner"),
        pytest.param(binding("project:viewer", agent_id="none"), 400, "8", id="agent-that-is-not-there"),
        pytest.param(binding(5), 400, "17", id="role-id-no-string"),
    ],
)
def test_refused_bindings(api_client, project, bind_role, body, status, error_id):
    ProjectFactory(id="other")
    bind_role("project:owner", project)
    before = fingerprint()
    check_error(api_client.call("post", "/role_bindings", body), status, error_id)
    assert fingerprint() == before


FACTORIES = {
    "project": ProjectFactory,
    "agent": AgentFactory,
    "session": SessionFactory,
    "credential": CredentialFactory,
}


@pytest.mark.parametrize(
    ("scope", "named"),
    [
        ("project", "agent"),
        ("project", "session"),
        ("project", "credential"),
        ("agent", "project"),
        ("agent", "session"),
        ("session", "project"),
        ("session", "agent"),
    ],
)
def test_what_one_may_not_see_is_refused_as_if_it_were_not_there(
    api_client, project, bind_role, scope, named
):
    hidden = FACTORIES[named]()
    bind_role("project:owner", project)
    target = project if scope == "project" else FACTORIES[scope](project=project)
    body = {"role_id": "agent:observer", "scope": scope, f"{scope}_id": target.pk, "user_id": "bob"}
    before = fingerprint()
    reasons = set()
    for pk in (hidden.pk, "invented"):
        refused = api_client.call("post", "/role_bindings", body | {f"{named}_id": pk})
        check_error(refused, 400, "8")
        reasons.add(refused.json()["reason"])
    assert len(reasons) == 1
    assert fingerprint() == before


def test_what_one_sees_in_another_project_is_said_to_be_outside(api_client, project, bind_role):
    other = SessionFactory()
    bind_role("project:owner", project)
    bind_role("project:viewer", other.project)
    refused = api_client.call("post", "/role_bindings", binding("project:viewer", session_id=other.pk))
    check_error(refused, 400, "8")
    assert "outside the project" in refused.json()["reason"]


def test_level_of_one_project_counts_nowhere_else(api_client, project, bind_role):
    other = ProjectFactory()
    agent, session = AgentFactory(project=other), SessionFactory(project=other)
    bind_role("project:owner", project)
    for scope, target in (("agent", agent), ("session", session)):
        body = {"role_id": "agent:observer", "scope": scope, f"{scope}_id": target.pk, "user_id": "bob"}
        check_error(api_client.call("post", "/role_bindings", body), 403, "4")


def test_owner_grants_on_agent_and_session_inside(api_client, project, bind_role):
    agent, session = AgentFactory(project=project), SessionFactory(project=project)
    bind_role("project:owner", project)
    for scope, target in (("agent", agent), ("session", session)):
        body = {"role_id": "agent:observer", "scope": scope, f"{scope}_id": target.pk, "user_id": "bob"}
        assert api_client.call("post", "/role_bindings", body).status_code == 201


CREDENTIAL_RULES = [
    # roles on the credential and on the project, further keys, status
    ("credential:owner", "project:editor", {"project_id": "demo"}, 201),
    ("credential:owner", "project:viewer", {"project_id": "demo"}, 403),
    ("credential:viewer", "project:owner", {"project_id": "demo"}, 403),
    (None, "project:owner", {"project_id": "demo"}, 403),
    ("credential:owner", "project:owner", {}, 403),
    ("credential:owner", "project:owner", {"project_id": ""}, 400),
    ("credential:owner", "project:owner", {"agent_id": "x"}, 400),
    ("credential:owner", "project:owner", {"project_id": "demo", "agent_id": "x"}, 400),
]


@pytest.mark.parametrize(("on_credential", "on_project", "more", "status"), CREDENTIAL_RULES)
def test_binding_a_credential(api_client, project, bind_role, on_credential, on_project, more, status):
    credential = CredentialFactory()
    bind_role(on_credential, credential)
    bind_role(on_project, project)
    body = {"role_id": "credential:viewer", "scope": "credential", "credential_id": credential.pk} | more
    response = api_client.call("post", "/role_bindings", body)
    assert response.status_code == status, response.content


def test_one_credential_of_a_provider_per_project(api_client, project, bind_role):
    bind_role("project:owner", project)
    for expected in (201, 409):
        credential = CredentialFactory()
        bind_role("credential:owner", credential)
        body = {
            "role_id": "credential:viewer",
            "scope": "credential",
            "credential_id": credential.pk,
            "project_id": project.pk,
        }
        assert api_client.call("post", "/role_bindings", body).status_code == expected


@pytest.mark.parametrize(
    ("own", "bound", "status"),
    [
        pytest.param("project:owner", "project:editor", 204, id="owner-takes-editor"),
        pytest.param("project:owner", "project:owner", 403, id="owner-cannot-take-another-owner"),
        pytest.param("project:editor", "project:viewer", 403, id="editor-takes-nobody"),
        pytest.param("project:viewer", "project:viewer", 403, id="viewer-takes-nobody"),
        pytest.param("platform:admin", "project:owner", 204, id="admin-takes-an-owner-that-is-not-the-last"),
        pytest.param(None, "project:viewer", 403, id="stranger"),
    ],
)
def test_who_may_delete(api_client, project, bind_role, own, bound, status):
    keeper = UserFactory()
    bind_role("project:owner", project, to=keeper)
    bind_role(own, None if own == "platform:admin" else project)
    victim = bind_role(bound, project, to=UserFactory(username="bob"))
    before = fingerprint()
    response = api_client.call("delete", f"/role_bindings/{victim.pk}")
    assert response.status_code == status, response.content
    if status == 403:
        assert fingerprint() == before
    else:
        assert not ProjectUserObjectPermission.objects.filter(user__username="bob").exists()
        assert api_client.call("delete", f"/role_bindings/{victim.pk}").status_code == 404


@pytest.mark.parametrize("scope", ["agent", "session"])
def test_a_role_on_one_agent_or_session_opens_no_project(api_client, user, project, scope):
    """Also when its binding names the project beside the agent: it unbinds no credential from there."""
    shared = binding("credential:viewer", user=None, scope="credential", credential_id=CredentialFactory().pk)
    shared = role_binding_create(role=Role.objects.get(name="credential:viewer"), values=shared)
    thing = AgentFactory(project=project) if scope == "agent" else SessionFactory(project=project)
    given = binding("project:editor", user=user.username, scope=scope) | {f"{scope}_id": thing.pk}
    role_binding_create(role=Role.objects.get(name="project:editor"), values=given)
    viewer = Role.objects.get(name="project:viewer")
    role_binding_create(role=viewer, values=binding("project:viewer", user=user.username))  # sees it
    before = fingerprint()
    check_error(api_client.call("delete", f"/role_bindings/{shared.pk}"), 403, "4")
    assert fingerprint() == before


def test_last_owner_stays(api_client, project, bind_role, admin_client_wire):
    last = bind_role("project:owner", project)
    before = fingerprint()
    for client in (api_client, admin_client_wire):
        check_error(client.call("delete", f"/role_bindings/{last.pk}"), 409, "6")
    check_error(
        admin_client_wire.call("patch", f"/role_bindings/{last.pk}", {"role_id": "project:viewer"}), 409, "6"
    )
    check_error(admin_client_wire.call("delete", f"/users/{api_client.user.pk}"), 409, "6")
    assert fingerprint() == before


def test_patch_changes_grants_at_once(admin_client_wire, api_client, project, bind_role):
    bind_role("project:owner", project, to=UserFactory())
    made = bind_role("project:viewer", project)
    path = f"/role_bindings/{made.pk}"
    assert api_client.call("post", "/projects/demo/agents", {"name": "x"}).status_code == 403
    assert admin_client_wire.call("patch", path, {"role_id": "project:editor"}).status_code == 200
    assert api_client.call("post", "/projects/demo/agents", {"name": "x"}).status_code == 201
    other = ProjectFactory(id="other")
    assert admin_client_wire.call("patch", path, {"project_id": other.pk}).status_code == 200
    assert api_client.call("get", "/projects/demo").status_code == 404
    assert api_client.call("get", "/projects/other").status_code == 200
    body = admin_client_wire.call("patch", path, {"user_id": None}).json()
    assert body["user_id"] is None
    assert api_client.call("get", "/projects/other").status_code == 404


@pytest.mark.parametrize(
    "change", [{"role_id": "project:owner"}, {"project_id": "other"}, {"user_id": "bob"}]
)
def test_people_cannot_lift_or_move_their_own_binding(api_client, project, bind_role, change):
    ProjectFactory(id="other")
    bind_role("project:owner", project, to=UserFactory())
    made = bind_role("project:editor", project)
    check_error(api_client.call("patch", f"/role_bindings/{made.pk}", change), 403, "4")


def test_people_lower_their_own_binding_on_what_they_may_not_read(api_client, bind_role):
    credential = CredentialFactory()
    made = bind_role("project:owner", credential)
    assert api_client.call("get", f"/credentials/{credential.pk}").status_code == 404
    answer = api_client.call("patch", f"/role_bindings/{made.pk}", {"role_id": "agent:observer"})
    assert answer.status_code == 200, answer.content
    assert Role.objects.get(pk=answer.json()["role_id"]).name == "agent:observer"


def held(user):
    return {
        permission for permission in PERMISSIONS if PersonAccess(user).covers(permission, {"project": "demo"})
    }


@pytest.mark.parametrize("name", ["project:owner", "project:editor", "project:viewer", "platform:admin"])
@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("by_group", [False, True])
def test_grants_are_the_role(user, project, name, everywhere, by_group):
    role = Role.objects.get(name=name)
    values = {"scope": Scope.GLOBAL} if everywhere else {"scope": Scope.PROJECT, "project_id": "demo"}
    if by_group:
        group = Group.objects.create(name="team")
        user.groups.add(group)
        values["group_id"] = group.pk
    else:
        values["user_id"] = user.username
    made = role_binding_create(role=role, values=values)
    assert held(user) == role.granted()
    if by_group and not everywhere:
        assert ProjectGroupObjectPermission.objects.count() == len(role.granted())
    if name == "project:owner" and not everywhere:
        return  # the last owner cannot go
    role_binding_delete(binding=made)
    assert held(user) == set()
    assert not GlobalGrant.objects.exists()
    assert not ProjectUserObjectPermission.objects.exists()
    assert not ProjectGroupObjectPermission.objects.exists()


def test_union_of_bindings_and_what_is_left(user, project, bind_role):
    bind_role("project:viewer", project)
    editor = bind_role("project:editor", project)
    both = (
        Role.objects.get(name="project:viewer").granted() | Role.objects.get(name="project:editor").granted()
    )
    assert held(user) == both
    role_binding_delete(binding=editor)
    assert held(user) == Role.objects.get(name="project:viewer").granted()


def test_binding_waits_for_its_user(project):
    values = {"scope": Scope.PROJECT, "project_id": "demo", "user_id": "later"}
    role = Role.objects.get(name="project:viewer")
    role_binding_create(role=role, values=values)
    assert not ProjectUserObjectPermission.objects.exists()
    later = user_ensure(username="later")
    assert held(later) == role.granted()
    assert user_ensure(username="later").pk == later.pk


def test_a_new_user_of_an_old_name_starts_with_nothing(project, user, bind_role):
    bind_role("project:viewer", project)
    user_delete(user=user)
    assert held(user_ensure(username="alice")) == set()


def test_role_changes_reach_everybody_who_holds_it(admin_client_wire, user, project):
    path = "/roles"
    made = admin_client_wire.call(
        "post", path, {"name": "own:reader", "permissions": '["project:read"]'}
    ).json()
    assert (
        admin_client_wire.call("post", "/role_bindings", binding("own:reader", user="alice")).status_code
        == 201
    )
    assert held(user) == {"project:read"}
    change = {"permissions": '["session:*", "project:read"]'}
    assert admin_client_wire.call("patch", f"/roles/{made['id']}", change).status_code == 200
    assert "session:delete" in held(user)
    assert admin_client_wire.call("delete", f"/roles/{made['id']}").status_code == 204
    assert held(user) == set()


def test_project_creator_owns_it_in_the_same_transaction(api_client, user):
    assert api_client.call("post", "/projects", {"name": "mine"}).status_code == 201
    made = RoleBinding.objects.get(project_id="mine")
    assert (made.user_id, made.role.name, made.scope) == ("alice", "project:owner", "project")
    assert api_client.call("delete", "/projects/mine").status_code == 204


@pytest.mark.django_db(transaction=True)
def test_two_last_owners_cannot_both_go(project, user, bind_role):
    """Each takes away one of two owner bindings at the same moment: one must stay."""
    from ambient.common.exceptions import Conflict

    bindings = [bind_role("project:owner", project), bind_role("project:owner", project, to=UserFactory())]
    outcomes = []
    barrier = threading.Barrier(2)

    def take(one):
        barrier.wait(timeout=20)
        try:
            role_binding_delete(binding=one)
            outcomes.append("gone")
        except Conflict:
            outcomes.append("kept")
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[one]) for one in bindings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["gone", "kept"]
    assert RoleBinding.objects.live().filter(project=project).count() == 1


@pytest.mark.django_db(transaction=True)
def test_binding_and_user_that_appear_together(project):
    """Neither transaction sees the other's row; the grants must be there all the same."""
    role = Role.objects.get(name="project:viewer")
    values = {"scope": Scope.PROJECT, "project_id": "demo", "user_id": "twin"}
    barrier = threading.Barrier(2)

    def run(act):
        barrier.wait(timeout=20)
        try:
            act()
        finally:
            connection.close()

    acts = [
        lambda: role_binding_create(role=role, values=values),
        lambda: user_ensure(username="twin"),
    ]
    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert held(user_ensure(username="twin")) == role.granted()
