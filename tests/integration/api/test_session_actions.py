"""Changing one part of a session's configuration, cloning, exporting; a project at one glance."""

import json

import pytest

from projects_app.models import Agent
from sessions_app.models import Session, SessionMessage
from sessions_app.services.agents import agent_start
from sessions_app.services.sessions import session_create
from tests.factories import AgentFactory, InboxMessageFactory, ProjectFactory, SessionFactory
from tests.integration.api.test_wire import check_error


@pytest.fixture
def owner(api_client, project, bind_role):
    bind_role("project:owner", project)
    return api_client


def stored(session):
    return Session.objects.get(pk=session.pk)


SPEC = {
    "name": "fix-1",
    "prompt": "hello",
    "repo_url": "https://x/y.git",
    "repos": '[{"url":"https://x/y.git","branch":"b","name":"y"}]',
    "workflow_id": "w",
    "assigned_user_id": "bob",
    "timeout": 60,
    "llm_model": "m",
    "llm_temperature": 0.0,
    "llm_max_tokens": 7,
    "bot_account_name": "bot",
    "resource_overrides": "{}",
    "environment_variables": '{"A":"1"}',
    "labels": '{"team":"a"}',
    "annotations": '{ "b": "c" }',
}


def test_a_clone_copies_the_configuration_and_neither_prompt_nor_status(owner, user, project):
    agent = AgentFactory(project=project)
    source = session_create(actor="bob", project=project, spec=SPEC, agent=agent)
    response = owner.call("post", f"/sessions/{source.pk}/clone")
    assert response.status_code == 201
    body = response.json()
    expected = {name: value for name, value in SPEC.items() if name not in ("name", "prompt")}
    assert {name: body[name] for name in expected} == expected
    assert body["name"] == "fix-1-clone"
    assert body["parent_session_id"] == source.pk
    assert body["agent_id"] == agent.pk
    assert body["created_by_user_id"] == user.username
    assert not {"prompt", "phase", "start_time", "conditions"} & set(body)
    assert not SessionMessage.objects.filter(session_id=body["id"]).exists()


def test_the_clone_of_a_long_name_still_fits(owner, project):
    source = SessionFactory(project=project, name="n" * 255)
    assert owner.call("post", f"/sessions/{source.pk}/clone").json()["name"] == "n" * 249 + "-clone"


REPO = {"url": "https://host/team/tool.git"}
ADDED = {"url": "https://host/team/tool.git", "branch": "main", "name": "tool"}


@pytest.mark.parametrize(
    ("before", "body", "after"),
    [
        pytest.param(None, REPO, [ADDED], id="first, with the default branch"),
        pytest.param("[]", REPO | {"branch": "dev"}, [ADDED | {"branch": "dev"}], id="branch"),
        pytest.param("[]", REPO | {"auto_push": True}, [ADDED | {"auto_push": True}], id="auto_push"),
        pytest.param("[]", REPO | {"x": 1}, [ADDED], id="unknown keys are ignored"),
        pytest.param("not json", REPO, [ADDED], id="a text that does not parse counts as empty"),
        pytest.param('{"a":1}', REPO, [ADDED], id="a text that is no list counts as empty"),
        pytest.param(
            '[{"url":"u","branch":"main","name":"other"}]',
            REPO,
            [{"url": "u", "branch": "main", "name": "other"}, ADDED],
            id="appended",
        ),
        pytest.param(
            json.dumps([ADDED]), REPO | {"branch": "b"}, [ADDED | {"branch": "b"}], id="again: branch changes"
        ),
        pytest.param(
            None,
            {"url": "git@host:team/tool"},
            [{"url": "git@host:team/tool", "branch": "main", "name": "tool"}],
            id="ssh",
        ),
    ],
)
def test_repositories_are_added(owner, session, before, body, after):
    Session.objects.filter(pk=session.pk).update(repos=before)
    response = owner.call("post", f"/sessions/{session.pk}/repos", body)
    assert response.status_code == 200
    assert json.loads(response.json()["repos"]) == after


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [
        pytest.param(json.dumps([ADDED]), "tool", [], id="by name"),
        pytest.param(json.dumps([{"url": "https://h/tool.git"}]), "tool", [], id="by its URL's name"),
        pytest.param(json.dumps([ADDED]), "other", [ADDED], id="not there"),
    ],
)
def test_repositories_are_removed(owner, session, before, name, after):
    Session.objects.filter(pk=session.pk).update(repos=before)
    response = owner.call("delete", f"/sessions/{session.pk}/repos/{name}")
    assert response.status_code == 200
    assert json.loads(response.json()["repos"]) == after


@pytest.mark.parametrize(
    ("method", "path", "body", "field", "value"),
    [
        (
            "post",
            "workflow",
            {"git_url": "https://x/w.git"},
            "workflow_id",
            '{"git_url": "https://x/w.git", "branch": "main"}',
        ),
        (
            "post",
            "workflow",
            {"git_url": "g", "branch": "b", "path": "p"},
            "workflow_id",
            '{"git_url": "g", "branch": "b", "path": "p"}',
        ),
        ("post", "model", {"model": "claude-x"}, "llm_model", "claude-x"),
        ("patch", "displayname", {"name": "new"}, "name", "new"),
    ],
    ids=["workflow", "workflow with branch and path", "model", "displayname"],
)
def test_one_part_is_set(owner, session, method, path, body, field, value):
    response = owner.call(method, f"/sessions/{session.pk}/{path}", body)
    assert response.status_code == 200
    assert getattr(stored(session), field) == value
    if path == "displayname":
        assert response.json() == {
            "id": session.pk,
            "kind": "Session",
            "href": f"/api/ambient/v1/sessions/{session.pk}",
        }
    else:
        assert response.json()[field] == value


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("post", "repos", {}, 400, 8),
        ("post", "repos", {"url": ""}, 400, 8),
        ("post", "repos", {"url": None}, 400, 8),
        ("post", "repos", {"url": 5}, 400, 17),
        ("post", "repos", {"url": "u", "auto_push": "yes"}, 400, 17),
        ("post", "repos", {"url": "///"}, 400, 8),
        ("post", "repos", {"url": "https://elsewhere/tool.git"}, 409, 6),
        ("post", "workflow", {"branch": "b"}, 400, 8),
        ("post", "workflow", {"git_url": ""}, 400, 8),
        ("post", "model", {"model": ""}, 400, 8),
        ("post", "model", b"", 400, 17),
        ("post", "model", b"[1]", 400, 17),
        ("patch", "displayname", {"name": ""}, 400, 8),
        ("patch", "displayname", {"name": "n" * 256}, 400, 8),
        ("get", "oauth/github/url", b"", 501, 10),
        ("get", "repos", b"", 405, 10),
    ],
)
def test_bad_input_is_refused(owner, session, method, path, body, status, code):
    Session.objects.filter(pk=session.pk).update(repos=json.dumps([ADDED]))
    before = stored(session).updated_at
    check_error(owner.call(method, f"/sessions/{session.pk}/{path}", body), status, str(code))
    assert stored(session).updated_at == before


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (None, {"workflow": None}),
        ('{"git_url":"g"}', {"workflow": {"git_url": "g"}}),
        ("plain-id", {"workflow": None, "raw": "plain-id"}),
        ("[1]", {"workflow": None, "raw": "[1]"}),
    ],
    ids=["unset", "object", "no JSON", "no object"],
)
def test_the_workflow_as_an_object(owner, session, text, answer):
    Session.objects.filter(pk=session.pk).update(workflow_id=text)
    assert owner.call("get", f"/sessions/{session.pk}/workflow/metadata").json() == answer


def test_export_and_pod_events(owner, session):
    body = owner.call("get", f"/sessions/{session.pk}/export").json()
    assert set(body) == {"session", "export_at", "version"}
    assert body["session"]["id"] == session.pk
    assert body["version"] == "1"
    assert body["export_at"].endswith("Z")
    assert owner.call("get", f"/sessions/{session.pk}/pod-events").json() == []


ACTIONS = [
    ("post", "clone", b""),
    ("post", "repos", REPO),
    ("delete", "repos/tool", b""),
    ("post", "workflow", {"git_url": "g"}),
    ("post", "model", {"model": "m"}),
    ("patch", "displayname", {"name": "n"}),
    ("patch", "labels", {"a": "b"}),
    ("patch", "annotations", {"a": "b"}),
]
READS = ["workflow/metadata", "export", "pod-events", "events/history"]


@pytest.mark.parametrize(("method", "path", "body"), ACTIONS)
@pytest.mark.parametrize(
    ("role", "allowed"),
    [("project:owner", True), ("project:editor", True), ("project:viewer", False), (None, False)],
)
def test_who_may_configure(api_client, bind_role, project, session, method, path, body, role, allowed):
    bind_role(role, project) if role else None
    response = api_client.call(method, f"/sessions/{session.pk}/{path}", body)
    assert response.status_code == ({"clone": 201}.get(path, 200) if allowed else 403), response.json()


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(("role", "status"), [("project:viewer", 200), (None, 404)])
def test_who_may_read(api_client, bind_role, project, session, path, role, status):
    bind_role(role, project) if role else None
    assert api_client.call("get", f"/sessions/{session.pk}/{path}").status_code == status


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        (None, {"a": "1"}, {"a": "1"}),
        ('{"a":"1"}', {"b": "2"}, {"a": "1", "b": "2"}),
        ('{"a":"1","b":"2"}', {"a": None}, {"b": "2"}),
        ('{"a":"1"}', {"a": ""}, {"a": ""}),
        ('{"a":null}', {"b": "2"}, {"a": None, "b": "2"}),
        ('{"a":"1"}', {}, {"a": "1"}),
    ],
    ids=["first", "another", "null takes away", "empty text stays", "stored null stays", "nothing"],
)
@pytest.mark.parametrize("kind", ["session", "agent", "project"])
@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_single_labels_are_merged(owner, project, session, kind, field, before, patch, after):
    agent = AgentFactory(project=project)
    row = {"session": session, "agent": agent, "project": project}[kind]
    path = {
        "session": f"/sessions/{session.pk}",
        "agent": f"/projects/demo/agents/{agent.pk}",
        "project": "/projects/demo",
    }[kind]
    type(row).objects.filter(pk=row.pk).update(**{field: before})
    response = owner.call("patch", f"{path}/{field}", patch)
    assert response.status_code == 200
    assert json.loads(response.json()[field]) == after
    assert getattr(type(row).objects.get(pk=row.pk), f"{field}_index") == after


def test_what_is_not_merged_stays_as_it_is_written(owner, session):
    Session.objects.filter(pk=session.pk).update(
        labels=' { "n" : 1e5 , "m":[1.50, {"x":10000000000000000000001}]}'
    )
    assert owner.call("patch", f"/sessions/{session.pk}/labels", {"b": "2"}).status_code == 200
    assert stored(session).labels == '{"n": 1e5, "m": [1.50, {"x":10000000000000000000001}], "b": "2"}'


@pytest.mark.parametrize(
    ("before", "patch", "status", "code"),
    [
        ("text", {"a": "1"}, 409, 6),
        ("[1]", {"a": "1"}, 409, 6),
        (None, {"a": 1}, 400, 17),
        (None, {"a": {"b": "c"}}, 400, 17),
        (None, b"[]", 400, 17),
        (None, {"a": "x" * 1_100_000}, 400, 8),
    ],
    ids=["no JSON", "no object", "number", "object", "array body", "too long"],
)
def test_what_cannot_be_merged_is_refused(owner, session, before, patch, status, code):
    Session.objects.filter(pk=session.pk).update(labels=before)
    check_error(owner.call("patch", f"/sessions/{session.pk}/labels", patch), status, str(code))
    assert stored(session).labels == before


def test_a_project_at_one_glance(owner, project, django_assert_max_num_queries):
    lead, idle = AgentFactory(project=project, name="lead"), AgentFactory(project=project, name="idle")
    AgentFactory(project=ProjectFactory(), name="elsewhere")
    InboxMessageFactory.create_batch(2, agent=idle)
    InboxMessageFactory(agent=idle, read=True)
    started = agent_start(agent=lead, actor="alice").session
    SessionMessage.objects.create(session=started, seq=99, event_type="assistant", payload="Done. " * 100)
    with django_assert_max_num_queries(12):
        body = owner.call("get", "/projects/demo/home").json()
    assert body == {
        "project_id": "demo",
        "agents": [
            {"agent_id": idle.pk, "agent_name": "idle", "inbox_unread_count": 2, "summary": ""},
            {
                "agent_id": lead.pk,
                "agent_name": "lead",
                "session_phase": "Pending",
                "inbox_unread_count": 0,
                "summary": ("Done. " * 100)[:200],
            },
        ],
    }
    assert Agent.objects.get(pk=lead.pk).current_session_id == started.pk


def test_a_stranger_sees_no_home(api_client, project):
    check_error(api_client.call("get", "/projects/demo/home"), 404, "7")
