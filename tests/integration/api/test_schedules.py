"""Schedules over REST, and what a trigger starts."""

import datetime
import json

import pytest

from projects_app.models import Project
from projects_app.services.agents import agent_delete
from projects_app.services.role_bindings import role_binding_create
from sessions_app.cron import next_due
from sessions_app.models import ScheduledSession, Session, SessionMessage
from sessions_app.services import schedules as service
from sessions_app.services.schedules import schedule_create
from tests.factories import AgentFactory, ProjectFactory, RoleFactory, UserFactory
from tests.integration.api.test_wire import check_error, fingerprint

BASE = "/projects/demo/scheduled-sessions"
NEW = {"name": "nightly", "schedule": "0 3 * * *"}


@pytest.fixture
def owner(api_client, project, bind_role):
    bind_role("project:owner", project)
    return api_client


@pytest.fixture
def made(project):
    return schedule_create(actor="bob", project=project, values=NEW)


def utc(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


DUE = [
    # expression, zone, after (UTC), due (UTC)
    ("0 3 * * *", "UTC", "2026-01-01T00:00", "2026-01-01T03:00"),
    ("0 3 * * *", "UTC", "2026-01-01T03:00", "2026-01-02T03:00"),
    ("*/15 * * * *", "UTC", "2026-01-01T00:01", "2026-01-01T00:15"),
    ("0 9 * * MON-FRI", "Europe/Berlin", "2026-01-02T08:00", "2026-01-05T08:00"),
    ("0 0 29 2 *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00"),
    ("0 3 * * *", "America/New_York", "2026-07-01T00:00", "2026-07-01T07:00"),
    # the clock goes from 02:00 to 03:00: what is due in between is due at 03:00
    ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
    ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00", "2026-03-30T00:30"),
    # the clock goes from 03:00 back to 02:00: due once
    ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
    ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
    # more often than hourly: in both hours
    ("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T01:00"),
]


@pytest.mark.parametrize(("schedule", "zone", "after", "due"), DUE)
def test_when_it_is_due(schedule, zone, after, due):
    assert next_due(schedule, zone, utc(after)) == utc(due)


def test_defaults(owner):
    body = owner.call("post", BASE, NEW).json()
    row = ScheduledSession.objects.get()
    assert body == NEW | {
        "id": row.pk,
        "kind": "ScheduledSession",
        "href": f"/api/ambient/v1{BASE}/{row.pk}",
        "created_at": body["created_at"],
        "updated_at": body["updated_at"],
        "project_id": "demo",
        "timezone": "UTC",
        "enabled": True,
        "created_by_user_id": "alice",
        "next_run_at": body["next_run_at"],
        "conditions": body["conditions"],
    }
    assert utc(body["next_run_at"].removesuffix("Z")).hour == 3
    assert json.loads(body["conditions"])[0]["reason"] == "SchedulerNotBuilt"


def test_every_field_is_kept_and_changed(owner, project):
    agent = AgentFactory(project=project)
    more = {
        "description": "d",
        "timezone": "Europe/Berlin",
        "enabled": False,
        "session_prompt": "go",
        "timeout": 60,
        "inactivity_timeout": 0,
        "stop_on_run_finished": True,
        "runner_type": "demo",
        "agent_id": agent.pk,
    }
    made = owner.call("post", BASE, NEW | more | {"id": "", "unknown": 1}).json()
    assert {name: made[name] for name in more} == more
    assert "next_run_at" not in made
    change = {"schedule": "5 4 * * *", "enabled": True, "agent_id": "", "name": "other", "unknown": 1}
    patched = owner.call("patch", f"{BASE}/{made['id']}", change).json()
    assert (patched["schedule"], patched["enabled"], patched["name"]) == ("5 4 * * *", True, "other")
    assert "agent_id" not in patched
    assert "next_run_at" in patched
    assert owner.call("get", f"{BASE}/{made['id']}").json() == patched


@pytest.mark.parametrize(
    ("change", "error_id"),
    [
        ({"name": ""}, "8"),
        ({"name": None}, "8"),
        ({"schedule": ""}, "8"),
        ({"schedule": "@daily"}, "8"),
        ({"schedule": "* * * * * *"}, "8"),
        ({"schedule": "61 * * * *"}, "8"),
        ({"schedule": "0 0 31 2 *"}, "8"),
        ({"schedule": 5}, "17"),
        ({"timezone": "Mars/Olympus"}, "8"),
        ({"timezone": ""}, "8"),
        ({"timezone": "../etc/passwd"}, "8"),
        ({"timezone": "/etc/passwd"}, "8"),
        ({"enabled": "yes"}, "17"),
        ({"timeout": -1}, "8"),
        ({"timeout": 2**31}, "17"),
        ({"runner_type": "cobol"}, "8"),
        ({"agent_id": "nobody"}, "8"),
        ({"id": "mine"}, "8"),
    ],
)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_bad_schedules_are_refused(owner, made, method, change, error_id):
    if method == "patch" and (change == {"name": None} or "id" in change):
        return  # in a PATCH null means "leave it", and unknown keys are ignored
    path = f"{BASE}/{made.pk}" if method == "patch" else BASE
    before = fingerprint()
    check_error(
        owner.call(method, path, change if method == "patch" else NEW | {"name": "n"} | change), 400, error_id
    )
    assert fingerprint() == before
    assert ScheduledSession.objects.count() == 1


def test_an_agent_of_another_project_is_refused(owner):
    other = AgentFactory(project=ProjectFactory(id="other"))
    check_error(owner.call("post", BASE, NEW | {"agent_id": other.pk}), 400, "8")


def test_the_schedule_of_a_deleted_agent_is_suspended(owner):
    agent = AgentFactory(project=Project.objects.get(pk="demo"))
    made = owner.call("post", BASE, NEW | {"agent_id": agent.pk}).json()
    other = owner.call("post", BASE, NEW | {"name": "other"}).json()
    assert owner.call("delete", f"/projects/demo/agents/{agent.pk}").status_code == 204
    found = owner.call("get", f"{BASE}/{made['id']}").json()
    assert (found["enabled"], "next_run_at" in found) == (False, False)
    assert owner.call("get", f"{BASE}/{other['id']}").json()["enabled"] is True


@pytest.mark.parametrize("missing", ["name", "schedule"])
def test_what_is_required(owner, missing):
    body = {name: value for name, value in NEW.items() if name != missing}
    answer = owner.call("post", BASE, body)
    check_error(answer, 400, "8")
    assert answer.json()["reason"] == f"{missing} is required"


def test_a_name_is_taken_once_in_a_project(owner, made, bind_role):
    check_error(owner.call("post", BASE, NEW), 409, "6")
    bind_role("project:owner", ProjectFactory(id="other"))
    assert owner.call("post", "/projects/other/scheduled-sessions", NEW).status_code == 201
    assert owner.call("delete", f"{BASE}/{made.pk}").status_code == 204
    assert owner.call("post", BASE, NEW).status_code == 201


def test_a_schedule_whose_agent_was_deleted_is_not_resumed(owner, project):
    agent = AgentFactory(project=project)
    row = schedule_create(actor="bob", project=project, values=NEW | {"agent_id": agent.pk})
    agent_delete(agent=agent)
    check_error(owner.call("post", f"/projects/demo/scheduled-sessions/{row.pk}/resume"), 409, "6")
    row.refresh_from_db()
    assert row.enabled is False


def test_suspend_and_resume(owner, made):
    for action, enabled in (("suspend", False), ("suspend", False), ("resume", True), ("resume", True)):
        response = owner.call("post", f"{BASE}/{made.pk}/{action}")
        assert response.status_code == 200
        body = response.json()
        assert (body["enabled"], "next_run_at" in body) == (enabled, enabled)


def test_a_due_time_that_has_passed_is_not_shown(owner, made):
    ScheduledSession.objects.update(next_run_at=utc("2020-01-01T03:00"))
    assert owner.call("get", f"{BASE}/{made.pk}").json()["next_run_at"] > "2026"


CARRIED = {"timeout": 60, "inactivity_timeout": 5, "stop_on_run_finished": True, "runner_type": "demo"}


def test_a_trigger_starts_a_plain_session(owner, made):
    owner.call("patch", f"{BASE}/{made.pk}", CARRIED | {"session_prompt": "go", "enabled": False})
    response = owner.call("post", f"{BASE}/{made.pk}/trigger")
    assert response.status_code == 200
    session = Session.objects.get()
    assert response.json() == {"status": "triggered", "session_id": session.pk}
    assert {name: getattr(session, name) for name in CARRIED} == CARRIED
    assert (session.prompt, session.created_by_user_id, session.schedule_id) == ("go", "alice", made.pk)
    assert session.name.startswith("nightly-")
    assert session.runs.get().trigger == "schedule"
    body = owner.call("get", f"{BASE}/{made.pk}").json()
    assert "last_run_at" in body
    assert body["enabled"] is False


def test_a_trigger_starts_the_agent_with_the_prompt_as_its_task(owner, made, project):
    agent = AgentFactory(project=project, prompt="You lead.")
    change = CARRIED | {"agent_id": agent.pk, "session_prompt": "Look at the builds."}
    owner.call("patch", f"{BASE}/{made.pk}", change)
    pk = owner.call("post", f"{BASE}/{made.pk}/trigger").json()["session_id"]
    session = Session.objects.get(pk=pk)
    assert (session.agent_id, session.schedule_id, session.timeout) == (agent.pk, made.pk, 60)
    assert SessionMessage.objects.get(session=session).payload.endswith("## Task\n\nLook at the builds.")
    check_error(owner.call("post", f"{BASE}/{made.pk}/trigger"), 409, "6")
    assert Session.objects.count() == 1


def test_a_schedule_whose_agent_was_deleted_cannot_start(owner, made, project):
    agent = AgentFactory(project=project)
    owner.call("patch", f"{BASE}/{made.pk}", {"agent_id": agent.pk})
    owner.call("delete", f"/projects/demo/agents/{agent.pk}")
    response = owner.call("post", f"{BASE}/{made.pk}/trigger")
    check_error(response, 409, "6")
    assert response.json()["reason"] == "the agent of this schedule was deleted"


def test_runs_are_listed_newest_first_and_paged(owner, made):
    ids = [owner.call("post", f"{BASE}/{made.pk}/trigger").json()["session_id"] for _ in range(3)]
    owner.call("post", "/sessions", {"name": "other", "project_id": "demo"})
    body = owner.call("get", f"{BASE}/{made.pk}/runs").json()
    assert ([item["id"] for item in body["items"]], body["total"], body["kind"]) == (
        ids[::-1],
        3,
        "SessionList",
    )
    page = owner.call("get", f"{BASE}/{made.pk}/runs?size=2&page=2").json()
    assert [item["id"] for item in page["items"]] == ids[:1]
    found = owner.call("get", f"{BASE}/{made.pk}/runs?orderBy=created_at&search=id+%3D+'{ids[1]}'").json()
    assert [item["id"] for item in found["items"]] == [ids[1]]
    check_error(owner.call("get", f"{BASE}/nothing/runs"), 404, "7")


def test_lists_are_paged_and_searched(owner, project):
    """The first implementation ignored page, size and search here."""
    for n in range(5):
        schedule_create(actor="bob", project=project, values=NEW | {"name": f"s{n}"})
    schedule_create(actor="bob", project=ProjectFactory(id="other"), values=NEW)
    body = owner.call("get", f"{BASE}?size=2&page=3").json()
    assert ([item["name"] for item in body["items"]], body["total"]) == (["s4"], 5)
    assert owner.call("get", f"{BASE}?search=name+%3D+'s1'").json()["total"] == 1


MATRIX = [
    ("get", "", None, 404, 200, 200, 200),
    ("post", "", NEW | {"name": "n"}, 403, 403, 201, 201),
    ("get", "/{id}", None, 404, 200, 200, 200),
    ("patch", "/{id}", {"description": "d"}, 403, 403, 200, 200),
    ("delete", "/{id}", None, 403, 403, 403, 204),
    ("post", "/{id}/suspend", None, 403, 403, 200, 200),
    ("post", "/{id}/resume", None, 403, 403, 200, 200),
    ("post", "/{id}/trigger", None, 403, 403, 200, 200),
    ("get", "/{id}/runs", None, 404, 200, 200, 200),
]
ROLES = (None, "project:viewer", "project:editor", "project:owner")


@pytest.mark.parametrize(("method", "path", "body", "statuses"), [(m, p, b, s) for m, p, b, *s in MATRIX])
@pytest.mark.parametrize("role", ROLES)
def test_who_may_do_what(api_client, bind_role, project, made, method, path, body, statuses, role):
    bind_role(role, project) if role else None
    response = api_client.call(method, BASE + path.format(id=made.pk), body)
    assert response.status_code == statuses[ROLES.index(role)]


@pytest.mark.parametrize("rest", ["", "/runs"])
def test_a_schedule_is_read_through_its_own_project_only(owner, made, bind_role, rest):
    """The first implementation ignored the project of the path."""
    bind_role("project:owner", ProjectFactory(id="other"))
    check_error(owner.call("get", f"/projects/other/scheduled-sessions/{made.pk}{rest}"), 404, "7")


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_what_is_not_there(owner, method):
    check_error(owner.call(method, f"{BASE}/nothing", {} if method == "patch" else None), 404, "7")


def test_strangers_see_nothing(client_for, made):
    check_error(client_for(UserFactory()).call("get", f"{BASE}/{made.pk}"), 404, "7")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("with_agent", [False, True])
@pytest.mark.parametrize("step", ["session", "last_run_at"])
def test_a_fault_in_a_trigger_leaves_nothing(owner, made, project, monkeypatch, with_agent, step):
    if with_agent:
        agent = AgentFactory(project=project)
        owner.call("patch", f"{BASE}/{made.pk}", {"agent_id": agent.pk})

    def fail(*args, **kwargs):
        raise RuntimeError("injected")

    if step == "session":
        monkeypatch.setattr("sessions_app.services.sessions.message_store_and_queue", fail)
        owner.call("patch", f"{BASE}/{made.pk}", {"session_prompt": "go"})
    else:
        monkeypatch.setattr(service.ScheduledSession, "save", fail)
    assert owner.call("post", f"{BASE}/{made.pk}/trigger").status_code == 500
    assert not Session.objects.exists()
    assert not SessionMessage.objects.exists()
    assert ScheduledSession.objects.get().last_run_at is None


def test_a_schedule_is_no_way_around_the_right_to_start_an_agent(client_for, project, made):
    role = RoleFactory(permissions='["session:create", "session:read", "agent:read"]')
    agent = AgentFactory(project=project)
    ScheduledSession.objects.update(agent=agent)
    bob = UserFactory()
    values = {"scope": "project", "user_id": bob.username, "project_id": project.pk}
    role_binding_create(role=role, values=values)
    check_error(client_for(bob).call("post", f"{BASE}/{made.pk}/trigger"), 403, "4")
    assert not Session.objects.exists()
