"""Who may do what over REST: refusals, isolation of projects, narrowed keys. Every role against every route
is in tests/integration/access.
"""

import pytest

from projects_app.models import Role, User
from projects_app.services.role_bindings import role_binding_delete
from sessions_app.models import Session
from tests.factories import (
    AgentFactory,
    InboxMessageFactory,
    ProjectFactory,
    ProjectSettingsFactory,
    SessionFactory,
    UserFactory,
)
from tests.integration.api.test_wire import check_error, fingerprint

NO_OWNERS = (None, "project:viewer", "project:editor")


@pytest.fixture
def world(project):
    agent = AgentFactory(project=project, name="lead")
    return {
        "project": project,
        "agent": agent,
        "session": SessionFactory(project=project),
        "inbox": InboxMessageFactory(agent=agent),
        "settings": ProjectSettingsFactory(project=project),
    }


def filled(path, world):
    return path.format(**{name: value.pk for name, value in world.items()})


@pytest.mark.parametrize("role", NO_OWNERS)
def test_refusal_comes_before_the_body_is_read(api_client, world, bind_role, role):
    """A caller without rights never learns what is wrong with a body."""
    bind_role(role, world["project"])
    for path in ("/projects/{project}", "/project_settings/{settings}"):
        assert api_client.call("patch", filled(path, world), b"{").status_code == 403


def test_invisible_and_missing_look_the_same(api_client, world):
    hidden = api_client.call("get", filled("/sessions/{session}", world)).json()
    missing = api_client.call("get", "/sessions/" + "0" * 27).json()
    assert hidden["reason"].replace(world["session"].pk, "ID") == missing["reason"].replace("0" * 27, "ID")
    assert hidden["code"] == missing["code"]


@pytest.mark.parametrize("kind", ["sessions", "projects", "project_settings", "role_bindings"])
def test_nothing_visible_is_an_empty_list(api_client, world, kind):
    body = api_client.call("get", f"/{kind}").json()
    assert (body["page"], body["size"], body["total"], body["items"]) == (1, 0, 0, [])


def test_users_see_themselves(api_client, user, world):
    other = UserFactory()
    body = api_client.call("get", "/users").json()
    assert [row["username"] for row in body["items"]] == ["alice"]
    assert api_client.call("get", f"/users/{user.pk}").status_code == 200
    assert api_client.call("get", f"/users/{other.pk}").status_code == 404
    assert api_client.call("patch", f"/users/{other.pk}", {}).status_code == 403


def test_who_is_deactivated_sees_and_may_do_nothing(user, world, bind_role):
    bind_role("platform:admin")
    User.objects.filter(pk=user.pk).update(is_active=False)
    gone = User.objects.get(pk=user.pk)
    assert not Session.objects.visible_to(gone).exists()
    assert not gone.has_perm("session:read", world["session"])


@pytest.mark.parametrize(
    ("role", "scope", "sessions", "agents", "agent_list"),
    [
        pytest.param("agent:operator", "agent", 1, 1, 200, id="agent-operator-sees-agent-and-its-sessions"),
        pytest.param("agent:editor", "agent", 0, 1, 200, id="agent-editor-sees-the-agent-alone"),
        pytest.param("project:viewer", "session", 1, 0, 404, id="session-viewer-sees-the-session-alone"),
        pytest.param("platform:viewer", None, 2, 2, 200, id="global-viewer-sees-all"),
    ],
)
def test_narrower_and_wider_scopes(api_client, world, bind_role, role, scope, sessions, agents, agent_list):
    of_agent = SessionFactory(project=world["project"], agent=world["agent"])
    AgentFactory(project=world["project"])
    target = {"agent": world["agent"], "session": of_agent, None: None}[scope]
    bind_role(role, target)
    listed = api_client.call("get", "/sessions").json()
    assert (listed["total"], len(listed["items"])) == (sessions, sessions)
    response = api_client.call("get", "/projects/demo/agents")
    assert response.status_code == agent_list
    if agents:
        assert (response.json()["total"], len(response.json()["items"])) == (agents, agents)


def test_project_role_on_one_project_opens_no_other(api_client, world, bind_role):
    other = ProjectFactory(id="other")
    agent = AgentFactory(project=other)
    hidden = SessionFactory(project=other)
    bind_role("project:owner", world["project"])
    call = api_client.call
    assert call("get", f"/projects/demo/agents/{agent.pk}").status_code == 404
    assert call("delete", f"/projects/demo/agents/{agent.pk}").status_code == 404
    assert call("get", f"/sessions/{hidden.pk}", **{"X-Ambient-Project": "demo"}).status_code == 404
    assert call("post", "/sessions", {"name": "x", "project_id": "other"}).status_code == 403
    assert call("post", "/sessions", {"name": "x", "project_id": "nowhere"}).status_code == 404
    made = call("post", "/projects/demo/agents", {"name": "x", "project_id": "other"}).json()
    assert made["project_id"] == "demo"
    assert call("get", "/projects/other/agents").status_code == 404
    narrowed = call("get", "/sessions", **{"X-Ambient-Project": "other"}).json()
    assert (narrowed["total"], narrowed["items"]) == (0, [])


@pytest.mark.parametrize(
    ("key", "listed", "read", "change", "new_project"),
    [
        pytest.param({}, 2, 200, 200, 201, id="plain-key-is-the-user"),
        pytest.param({"project": "demo"}, 1, 200, 200, 403, id="project-key-stays-inside"),
        pytest.param({"role": "project:viewer"}, 2, 200, 403, 403, id="role-key-only-reads"),
        pytest.param({"role": "agent:editor"}, 0, 404, 403, 403, id="role-key-without-sessions"),
    ],
)
@pytest.mark.parametrize("superuser", [False, True])
def test_narrowed_key(world, client_for, bind_role, key, listed, read, change, new_project, superuser):
    owner = UserFactory(is_superuser=superuser)
    other = ProjectFactory(id="other")
    foreign = SessionFactory(project=other)
    for project in (world["project"], other):
        bind_role("project:owner", project, to=owner)
    narrow = {}
    if "project" in key:
        narrow["project"] = world["project"]
    if "role" in key:
        narrow["role"] = Role.objects.get(name=key["role"])
    client = client_for(owner, **narrow)
    body = client.call("get", "/sessions").json()
    assert (body["total"], len(body["items"])) == (listed, listed)
    path = filled("/sessions/{session}", world)
    assert client.call("get", path).status_code == read
    assert client.call("patch", path, {"name": "z"}).status_code == change
    assert client.call("post", "/projects", {"name": "fresh"}).status_code == new_project
    if "project" in key:
        assert client.call("get", f"/sessions/{foreign.pk}").status_code == 404
        assert client.call("get", "/users").status_code == 200


def test_runner_token_reaches_its_own_session_only(world, anonymous):
    from sessions_app.tokens import issue_session_token

    other = SessionFactory(project=world["project"])
    session = world["session"]
    Session.objects.filter(pk=session.pk).update(phase="Creating", attempt=1)
    session.refresh_from_db()
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_session_token(session).token}")
    call = anonymous.call
    assert call("get", f"/sessions/{session.pk}").status_code == 200
    assert call("get", f"/sessions/{other.pk}").status_code == 404
    assert call("patch", f"/sessions/{session.pk}", {"prompt": "x"}).status_code == 403
    assert call("patch", f"/sessions/{session.pk}/status", {"sdk_session_id": "s"}).status_code == 200
    assert call("patch", f"/sessions/{session.pk}/status", {"phase": "Running"}).status_code == 403
    assert call("patch", f"/sessions/{other.pk}/status", {"sdk_session_id": "s"}).status_code == 403
    assert call("post", "/projects", {"name": "mine"}).status_code == 403
    binding = {"role_id": "project:viewer", "scope": "project", "project_id": "demo", "user_id": "x"}
    assert call("post", "/role_bindings", binding).status_code == 403
    assert call("get", "/sessions").json()["total"] == 1
    assert call("get", "/users").json()["total"] == 0
    assert call("delete", f"/sessions/{session.pk}").status_code == 403


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("post", "/messages", {"payload": "more work"}),
        ("patch", "/messages/m", {"payload": "other"}),
        ("delete", "/messages/m", None),
        ("post", "/messages/m/retry", {}),
        ("post", "/agui/run", {"messages": [{"id": "m", "role": "user", "content": "x"}]}),
        ("post", "/agui/interrupt", {}),
        ("post", "/interrupts/q/answer", {"status": "resolved", "payload": {"approved": True}}),
        ("post", "/start", None),
        ("post", "/stop", None),
    ],
)
def test_an_agent_neither_answers_itself_nor_sends_itself_messages(world, anonymous, method, suffix, body):
    from sessions_app.tokens import issue_session_token

    session = world["session"]
    Session.objects.filter(pk=session.pk).update(phase="Running", attempt=1)
    session.refresh_from_db()
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_session_token(session).token}")
    before = fingerprint()
    check_error(anonymous.call(method, f"/sessions/{session.pk}{suffix}", body), 403, "4")
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("role", "body", "status"),
    [
        pytest.param("platform:admin", {"phase": "Creating"}, 409, id="controller-outside-the-table"),
        pytest.param("platform:admin", {"phase": "Pending"}, 200, id="controller-inside-the-table"),
        pytest.param("platform:admin", {"phase": "Nope"}, 400, id="unknown-phase"),
        pytest.param("platform:admin", {}, 400, id="nothing-set"),
        pytest.param("platform:admin", {"phase": None}, 400, id="null-is-not-set"),
        pytest.param("platform:admin", {"conditions": "nonsense"}, 400, id="unreadable-conditions"),
        pytest.param("platform:admin", {"start_time": "yesterday"}, 400, id="no-time"),
        pytest.param("platform:viewer", {"phase": "Pending"}, 403, id="controller-that-lost-its-role"),
    ],
)
def test_status_patch_of_a_controller(api_client, world, bind_role, settings, user, role, body, status):
    settings.SERVICE_ACCOUNT = user.username
    admin = bind_role("platform:admin")  # as its first request would
    if role != "platform:admin":
        role_binding_delete(binding=admin)
        bind_role(role)
    response = api_client.call("patch", filled("/sessions/{session}/status", world), body)
    assert response.status_code == status, response.content
    if status == 200:
        assert response.json()["phase"] == body["phase"]
        assert (response.json()["reason"], response.json()["reason_text"]) == (
            "Waiting",
            f"Pending was reported by {user.username}.",
        )


@pytest.mark.parametrize("body", [{"phase": "Pending"}, {"sdk_session_id": "s"}], ids=["phase", "other"])
def test_no_person_reports_a_status(api_client, admin_client_wire, world, bind_role, settings, body):
    settings.SERVICE_ACCOUNT = "controller"
    bind_role("platform:admin")
    for client in (api_client, admin_client_wire):
        before = fingerprint()
        response = client.call("patch", filled("/sessions/{session}/status", world), body)
        check_error(response, 403, "4")
        assert fingerprint() == before


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        ('["*:*"]', 403),
        ('["session:delete"]', 403),
        ('["role:*"]', 200),
        ('["role:update"]', 200),
        ("[]", 200),
    ],
)
def test_nobody_writes_a_role_with_more_than_they_hold(
    api_client, bind_role, user, admin_client_wire, permissions, status
):
    """Who may change roles may hold the one that they change."""
    mine = {"name": "keeper-of-roles", "permissions": '["role:*"]'}
    role = admin_client_wire.call("post", "/roles", mine).json()["id"]
    bind_role("keeper-of-roles")
    body = {"permissions": permissions}
    made = api_client.call("post", "/roles", body | {"name": "another"})
    assert made.status_code == (403 if status == 403 else 201)
    assert api_client.call("patch", f"/roles/{role}", body).status_code == status


def test_who_changes_users_takes_nobodys_name(api_client, bind_role, user, admin_client_wire):
    """Bindings name the username: another name means other rights, perhaps those of somebody to come."""
    admin_client_wire.call("post", "/roles", {"name": "registrar", "permissions": '["user:*"]'})
    bind_role("registrar")
    path = f"/users/{user.pk}"
    check_error(api_client.call("patch", path, {"username": "somebody"}), 403, "4")
    assert api_client.call("patch", path, {"username": "alice", "name": "A"}).status_code == 200
    assert admin_client_wire.call("patch", path, {"username": "alicia"}).status_code == 200


def test_built_in_roles_cannot_be_changed(admin_client_wire):
    role = Role.objects.get(name="project:viewer")
    for method, body in (("patch", {"description": "x"}), ("delete", None)):
        before = fingerprint()
        check_error(admin_client_wire.call(method, f"/roles/{role.pk}", body), 403, "4")
        assert fingerprint() == before
