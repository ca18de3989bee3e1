"""Starting an agent: the prompt, the inbox, one session at a time; defaults of sessions."""

import threading

import pytest
from django.db import connection

from projects_app.models import Agent, InboxMessage
from sessions_app.models import Session, SessionMessage
from sessions_app.services.agents import agent_start
from tests.factories import AgentFactory, InboxMessageFactory, ProjectSettingsFactory
from tests.integration.api.test_wire import check_error


@pytest.fixture
def agent(project, bind_role):
    project.prompt = "We build boats."
    project.save()
    bind_role("project:owner", project)
    AgentFactory(project=project, name="tester", description="breaks things")
    return AgentFactory(
        project=project, name="lead", prompt="You lead.", llm_model="m", repo_url="https://x/y.git"
    )


def path(agent, rest=""):
    return f"/projects/{agent.project_id}/agents/{agent.pk}{rest}"


EXPECTED = """You are lead, an agent of the project demo.

## Project

We build boats.

## Your role

You lead.

## Other agents of this project

- tester: breaks things

## Inbox

From bob: first

From system: second"""


@pytest.fixture
def inbox(agent):
    InboxMessageFactory(agent=agent, body="old", read=True)
    return [
        InboxMessageFactory(agent=agent, body="first", from_name="bob"),
        InboxMessageFactory(agent=agent, body="second"),
    ]


def test_start(api_client, agent, inbox):
    preview = api_client.call("get", path(agent, "/start"))
    assert preview.json() == {"starting_prompt": EXPECTED}
    assert api_client.call("get", path(agent, "/ignition")).json() == preview.json()
    assert InboxMessage.objects.filter(read=False).count() == 2
    response = api_client.call("post", path(agent, "/start"), {"prompt": "Ship it."})
    assert response.status_code == 201
    body = response.json()
    assert body["starting_prompt"] == f"{EXPECTED}\n\n## Task\n\nShip it."
    session = body["session"]
    assert session["phase"] == "Pending"
    assert session["name"].startswith("lead-")
    fields = ("prompt", "agent_id", "project_id", "created_by_user_id", "llm_model", "repo_url")
    assert {name: session[name] for name in fields} == {
        "prompt": "You lead.",
        "agent_id": agent.pk,
        "project_id": "demo",
        "created_by_user_id": "alice",
        "llm_model": "m",
        "repo_url": "https://x/y.git",
    }
    message = SessionMessage.objects.get(session_id=session["id"])
    assert message.payload == body["starting_prompt"]
    assert not InboxMessage.objects.filter(read=False).exists()
    assert api_client.call("get", path(agent)).json()["current_session_id"] == session["id"]
    listed = api_client.call("get", path(agent, "/sessions")).json()
    assert ([item["id"] for item in listed["items"]], listed["total"]) == ([session["id"]], 1)


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"unknown": 1}', b'{"prompt": null}'])
def test_start_needs_no_body(api_client, agent, body):
    assert api_client.call("post", path(agent, "/start"), body).status_code == 201


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"prompt": 5}'])
def test_start_refuses_nonsense(api_client, agent, body):
    check_error(api_client.call("post", path(agent, "/start"), body), 400, "17")
    assert not Session.objects.exists()


@pytest.mark.parametrize("action", ["start", "stop"])
@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"nonsense", b"[1]"])
def test_session_actions_ignore_the_body(api_client, agent, session, action, body):
    assert api_client.call("post", f"/sessions/{session.pk}/{action}", body).status_code == 200


@pytest.mark.parametrize(
    ("phase", "wish", "status"),
    [
        (None, "running", 200),
        ("Pending", "running", 200),
        ("Creating", "running", 200),
        ("Running", "running", 200),
        ("Stopping", "stopped", 201),
        ("Stopped", "stopped", 201),
        ("Completed", "running", 201),
        ("Failed", "running", 201),
    ],
)
def test_start_while_a_session_exists(api_client, agent, inbox, phase, wish, status):
    first = api_client.call("post", path(agent, "/start")).json()["session"]["id"]
    Session.objects.filter(pk=first).update(phase=phase, desired_state=wish)
    InboxMessageFactory(agent=agent, body="new")
    response = api_client.call("post", path(agent, "/start"))
    assert response.status_code == status
    same = response.json()["session"]["id"] == first
    assert same == (status == 200)
    assert (response.json()["starting_prompt"] == "") == same
    assert InboxMessage.objects.filter(read=False).exists() == same


@pytest.mark.django_db(transaction=True)
def test_two_starts_make_one_session(agent):
    results = []
    barrier = threading.Barrier(2)

    def start():
        barrier.wait(timeout=20)
        try:
            results.append(agent_start(agent=agent, actor="alice"))
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(result.created for result in results) == [False, True]
    assert len({result.session.pk for result in results}) == 1
    assert Session.objects.count() == 1


CASCADE = ("runner_type", "inactivity_timeout", "stop_on_run_finished")
SETTINGS = {"runner_type": "claude", "inactivity_timeout": 1, "stop_on_run_finished": True}
OF_AGENT = {"runner_type": "demo", "inactivity_timeout": 0, "stop_on_run_finished": False}


@pytest.mark.parametrize(
    ("settings", "of_agent", "own", "expected"),
    [
        pytest.param({}, {}, {}, {"runner_type": "demo", "stop_on_run_finished": False}, id="platform"),
        pytest.param(SETTINGS, {}, {}, SETTINGS, id="project"),
        pytest.param(SETTINGS, OF_AGENT, {}, OF_AGENT, id="agent-beats-project"),
        pytest.param(SETTINGS, OF_AGENT, SETTINGS, SETTINGS, id="own-beats-agent"),
        pytest.param(
            SETTINGS, {"inactivity_timeout": 9}, {}, SETTINGS | {"inactivity_timeout": 9}, id="field-by-field"
        ),
    ],
)
def test_defaults_cascade(api_client, agent, settings, of_agent, own, expected):
    ProjectSettingsFactory(project=agent.project, **settings)
    Agent.objects.filter(pk=agent.pk).update(**of_agent)
    body = {"name": "x", "project_id": "demo", "agent_id": agent.pk} | own
    made = api_client.call("post", "/sessions", body).json()
    assert {name: made[name] for name in CASCADE if name in made} == expected
    if not own:
        started = api_client.call("post", path(agent, "/start")).json()["session"]
        if started["id"] != made["id"]:
            assert {name: started[name] for name in CASCADE if name in started} == expected


def test_inbox(api_client, agent):
    body = {"body": "hi", "agent_id": "", "from_name": "bob", "read": True}
    made = api_client.call("post", path(agent, "/inbox"), body).json()
    assert (made["read"], made["agent_id"], made["from_name"]) == (False, agent.pk, "bob")
    one = path(agent, f"/inbox/{made['id']}")
    assert api_client.call("patch", one, {"read": True, "body": "other"}).json()["body"] == "hi"
    assert api_client.call("get", one).json()["read"] is True
    other = AgentFactory(project=agent.project)
    assert api_client.call("get", path(other, f"/inbox/{made['id']}")).status_code == 404
    assert api_client.call("delete", one).status_code == 204
    assert api_client.call("delete", one).status_code == 404


@pytest.mark.parametrize(
    ("action", "phase", "called", "status", "after"),
    [
        ("start", None, False, 200, "Pending"),
        ("start", "Pending", False, 200, "Pending"),
        ("start", "Running", False, 200, "Running"),
        ("start", "Running", True, 409, "Running"),
        ("start", "Stopping", True, 409, "Stopping"),
        ("start", "Stopped", True, 200, "Pending"),
        ("start", "Failed", True, 200, "Pending"),
        ("start", "Completed", True, 200, "Pending"),
        ("stop", None, False, 200, "Stopping"),
        ("stop", "Running", False, 200, "Stopping"),
        ("stop", "Stopping", True, 409, "Stopping"),
        ("stop", "Stopped", True, 409, "Stopped"),
    ],
)
def test_start_and_stop_by_phase(api_client, agent, session, action, phase, called, status, after):
    Session.objects.filter(pk=session.pk).update(phase=phase, start_called=called)
    response = api_client.call("post", f"/sessions/{session.pk}/{action}")
    assert response.status_code == status
    if status == 200:
        assert response.json()["phase"] == after
    assert Session.objects.get(pk=session.pk).phase == after
