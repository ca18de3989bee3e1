"""Defects of the first implementation that clients had to live with: each has a test that we don't have it.

Some have a longer test elsewhere; the shortest proof of each is here, so that the list can be read in one go.
"""

import json

import pytest

from projects_app.models import Role, RoleBinding
from projects_app.services.applications import application_create
from projects_app.services.credentials import credential_create
from sessions_app.models import Session
from sessions_app.services.schedules import schedule_create
from tests.factories import AgentFactory, InboxMessageFactory, ProjectFactory, SessionFactory, UserFactory
from tests.integration.api.test_wire import check_error


@pytest.fixture
def owner(api_client, project, bind_role):
    bind_role("project:owner", project)
    return api_client


def test_the_route_of_a_projects_agents_lists_agents(owner, project):
    """Two routes had the same path, and chance chose one at each start."""
    AgentFactory(project=project)
    bodies = [owner.call("get", "/projects/demo/agents").json() for _ in range(5)]
    assert {(body["kind"], body["total"]) for body in bodies} == {("AgentList", 1)}


@pytest.mark.parametrize("path", ["/sessions", "/projects", "/projects/demo/agents", "/credentials"])
def test_a_null_body_creates_nothing(owner, path):
    check_error(owner.call("post", path, b"null"), 400, "17")


@pytest.mark.parametrize("action", ["start", "stop"])
def test_a_null_body_is_no_body_for_an_action(owner, session, action):
    assert owner.call("post", f"/sessions/{session.pk}/{action}", b"null").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sessions", {"name": "x", "project_id": "demo"}),
        ("/projects", {"name": "mine"}),
        ("/projects/demo/agents", {"name": "x"}),
        ("/credentials", {"name": "x", "provider": "github"}),
    ],
)
def test_a_time_of_creation_in_the_body_is_ignored(owner, path, body):
    """It was honoured, and without `updated_at` beside it four kinds crashed."""
    response = owner.call("post", path, body | {"created_at": "2001-01-01T00:00:00Z"})
    assert response.status_code == 201
    assert response.json()["created_at"] > "2026"


@pytest.mark.parametrize("query", ["search=nope+%3D+'x'", "orderBy=nope", "search=timeout+%3D+'x'"])
def test_an_unknown_column_or_type_is_a_400(owner, query):
    check_error(owner.call("get", f"/sessions?{query}"), 400, "21")


def test_a_parent_that_does_not_exist_is_a_400(owner):
    body = {"name": "x", "project_id": "demo", "parent_session_id": "nothing"}
    check_error(owner.call("post", "/sessions", body), 400, "8")


def test_fields_do_not_break_the_connection(owner, session):
    assert owner.call("get", "/sessions?fields=name").json()["items"] == [
        {"id": session.pk, "name": session.name}
    ]


@pytest.mark.parametrize("name", ["token", "deleted_at", "token_sealed", "href"])
def test_a_search_cannot_probe_what_is_not_shown(owner, name):
    check_error(owner.call("get", f"/credentials?search={name}+is+not+null"), 400, "21")


def test_a_project_keeps_its_name_and_its_id(owner):
    check_error(owner.call("patch", "/projects/demo", {"name": "other"}), 400, "8")
    assert owner.call("patch", "/projects/demo", {"name": "demo"}).json()["id"] == "demo"


def test_nobody_makes_a_built_in_role(admin_client_wire):
    body = {"name": "mine", "built_in": True, "permissions": '["session:read"]'}
    assert admin_client_wire.call("post", "/roles", body).json()["built_in"] is False


def test_unreadable_permissions_of_a_role_are_a_400(admin_client_wire):
    check_error(admin_client_wire.call("post", "/roles", {"name": "mine", "permissions": "all"}), 400, "8")


def test_the_bindings_of_an_agent_can_be_read(owner, project, bind_role):
    """The query named a column that was dropped."""
    agent = AgentFactory(project=project)
    bind_role("agent:observer", agent, to=UserFactory())
    body = owner.call("get", f"/projects/demo/agents/{agent.pk}/role_bindings").json()
    assert [item["agent_id"] for item in body["items"]] == [agent.pk]


@pytest.mark.parametrize("body", [b"", b"null", b"{}"])
def test_an_agent_starts_without_a_body(owner, project, body):
    agent = AgentFactory(project=project)
    response = owner.call("post", f"/projects/demo/agents/{agent.pk}/start", body)
    assert response.status_code == 201
    assert response.json()["session"]["phase"] == "Pending"


def test_the_task_of_an_agents_start_reaches_it_and_its_settings_its_session(owner, project):
    """The body had been read before; the descriptions of the others were blank; nothing was copied."""
    agent = AgentFactory(project=project, llm_model="m", repo_url="https://x/y")
    AgentFactory(project=project, name="tester", description="breaks things")
    body = owner.call("post", f"/projects/demo/agents/{agent.pk}/start", {"prompt": "Ship it."}).json()
    assert "Ship it." in body["starting_prompt"]
    assert "- tester: breaks things" in body["starting_prompt"]
    assert (body["session"]["llm_model"], body["session"]["repo_url"]) == ("m", "https://x/y")


def test_the_preview_of_a_start_is_json_and_needs_no_body(owner, project):
    agent = AgentFactory(project=project)
    InboxMessageFactory(agent=agent)
    response = owner.call("get", f"/projects/demo/agents/{agent.pk}/start", Accept="application/json")
    assert list(response.json()) == ["starting_prompt"]
    assert agent.inbox.filter(read=False).count() == 1


def test_schedules_are_stored_and_belong_to_their_project(owner, project, bind_role):
    """They lived in one process's memory, the path's project was ignored, and runs were always empty."""
    row = schedule_create(actor="a", project=project, values={"name": "n", "schedule": "0 3 * * *"})
    bind_role("project:owner", ProjectFactory(id="other"))
    check_error(owner.call("get", f"/projects/other/scheduled-sessions/{row.pk}"), 404, "7")
    path = f"/projects/demo/scheduled-sessions/{row.pk}"
    assert owner.call("get", path).json()["enabled"] is True
    started = owner.call("post", f"{path}/trigger").json()["session_id"]
    assert [item["id"] for item in owner.call("get", f"{path}/runs").json()["items"]] == [started]
    assert owner.call("get", "/projects/demo/scheduled-sessions?page=2").json()["items"] == []


@pytest.mark.parametrize("name", ["start", "stop", "token", "sync", "refresh"])
def test_a_projects_name_changes_no_permission(client_for, bind_role, name):
    """The action was guessed from the last part of the path."""
    bob = UserFactory()
    project = ProjectFactory(id=name)
    bind_role("project:viewer", project, to=bob)
    client = client_for(bob)
    assert client.call("get", f"/projects/{name}").status_code == 200
    check_error(client.call("patch", f"/projects/{name}", {"description": "x"}), 403, "4")


def test_the_body_does_not_choose_the_project_whose_rights_count(owner):
    """`project_id` in the body of a request on somebody else's session gave its own project's rights."""
    theirs = SessionFactory(project=ProjectFactory(id="theirs"))
    body = {"project_id": "demo", "model": "m", "url": "u", "payload": "hi"}
    for path in ("model", "repos", "messages", "clone"):
        check_error(owner.call("post", f"/sessions/{theirs.pk}/{path}", body), 403, "4")
    assert Session.objects.count() == 1


def test_a_level_of_one_project_grants_nothing_in_another(owner):
    agent = AgentFactory(project=ProjectFactory(id="theirs"))
    body = {"role_id": "agent:observer", "scope": "agent", "agent_id": agent.pk, "user_id": "alice"}
    check_error(owner.call("post", "/role_bindings", body), 403, "4")


def test_an_administrator_is_found_by_username(client_for, admin, bind_role):
    """A command stored the id of the user where the username is compared."""
    bob = UserFactory(username="bob")
    binding = bind_role("platform:admin", to=bob)
    assert binding.user_id == "bob"
    assert client_for(bob).call("get", "/users").json()["total"] > 1


def test_a_project_and_its_owner_appear_together(api_client):
    api_client.call("post", "/projects", {"name": "mine"})
    binding = RoleBinding.objects.get(project_id="mine")
    assert (binding.user_id, binding.role) == ("alice", Role.objects.get(name="project:owner"))


def test_strangers_see_no_applications(client_for, project):
    values = {"name": "a", "source_repo_url": "u", "source_path": "p", "destination_project": "demo"}
    application_create(values=values)
    assert client_for(UserFactory()).call("get", "/applications").json()["total"] == 0


def test_who_sees_a_credential_cannot_read_its_token(client_for, user, bind_role):
    credential = credential_create(actor=user, values={"name": "c", "provider": "github", "token": "t"})
    bob = UserFactory()
    bind_role("credential:viewer", credential, to=bob)
    check_error(client_for(bob).call("get", f"/credentials/{credential.pk}/token"), 403, "4")


def test_any_binding_on_a_project_is_not_the_right_to_read_its_sessions(
    client_for, project, session, bind_role
):
    """A role without session:read let its holder read below any session of the project."""
    bob = UserFactory()
    role = Role.objects.create(name="project-only", level=3, permissions=json.dumps(["project:read"]))
    assert bind_role(role.name, project, to=bob)
    client = client_for(bob)
    assert client.call("get", "/projects/demo").status_code == 200
    for rest in ("", "/messages", "/export"):
        check_error(client.call("get", f"/sessions/{session.pk}{rest}"), 404, "7")


def test_nothing_is_open_without_a_token(anonymous, project, session):
    """Authentication and authorisation were off in the manifests that were deployed."""
    for path in ("/projects", "/projects/demo", f"/sessions/{session.pk}", "/credentials"):
        check_error(anonymous.call("get", path), 401, "15")
