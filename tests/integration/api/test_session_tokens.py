"""A session's token against every route of the API: its own rows alone, and only while its runner is wanted.

The routes are walked, so that a new one is denied here until it says why not.
"""

import pytest
from django.urls import resolve

from ambient import env
from projects_app.services.applications import application_create
from projects_app.services.credentials import credential_create
from sessions_app.models import Session
from sessions_app.services.schedules import schedule_create
from sessions_app.services.sending import message_send
from sessions_app.snapshot_views import SnapshotViewSet
from sessions_app.tokens import issue_session_token
from tests.conftest import WireClient
from tests.contract.test_viewsets import ROUTES, view_class
from tests.factories import (
    AgentFactory,
    InboxMessageFactory,
    InterruptFactory,
    ProjectSettingsFactory,
    RunFactory,
    SessionFactory,
    UserFactory,
)
from tests.integration.api.test_wire import APPLICATION, SCHEDULE, fingerprint
from tests.integration.audit.test_api import exported

METHODS = ("get", "post", "put", "patch", "delete")
OPEN = {"ServerInfoView", "VersionView", "AuthConfigView", "OpenApiView", "OpenApiPageView"}
LISTS = {"SessionViewSet", "RoleViewSet"}
"""Lists with something in them: its own session, and roles, which are no secret."""


def running(project, agent=None):
    session = SessionFactory(project=project, agent=agent)
    Session.objects.filter(pk=session.pk).update(phase="Running", attempt=1)
    session.refresh_from_db()
    return session


def client_of(session):
    return WireClient(headers={"Authorization": f"Bearer {issue_session_token(session).token}"})


@pytest.fixture
def world(project, user):
    """Two running sessions; everything that a path can name belongs to the second one's side."""
    agent = AgentFactory(project=project)
    mine, other = running(project), running(project, agent)
    message = message_send(session=other, actor="bob", text="do it")
    RunFactory(session=other, number=1_000_000)
    InterruptFactory(session=other, interrupt_id="colour")
    credential = credential_create(actor=user, values={"name": "gh", "provider": "github", "token": "t"})
    names = {
        "projects": project.pk,
        "project_settings": ProjectSettingsFactory(project=project).pk,
        "users": UserFactory().pk,
        "roles": "unknown",
        "role_bindings": "unknown",
        "agents": agent.pk,
        "inbox": InboxMessageFactory(agent=agent).pk,
        "credentials": credential.pk,
        "applications": application_create(values=APPLICATION).pk,
        "scheduled-sessions": schedule_create(actor="bob", project=project, values=SCHEDULE).pk,
        "sessions": other.pk,
        "messages": message.pk,
        "interrupts": "colour",
        "api_keys": "unknown",
    }
    return mine, other, names


def filled(route, names):
    """The route's path: each argument is of the kind that the part before it names."""
    parts, before = [], ""
    for part in route.split("/"):
        if part.startswith("<"):
            parts.append(names.get(before, "x"))
        else:
            parts.append(part)
            before = part
    return "/" + "/".join(parts)


def routes():
    for route, callback in ROUTES:
        if (
            not route.startswith("^")
            and not route.endswith("/ws")
            and view_class(callback).__name__ not in OPEN
        ):
            yield route, callback


@pytest.mark.parametrize("method", METHODS)
def test_of_everything_else_nothing_is_read_or_written(world, method):
    mine, _, names = world
    client, before, tried = client_of(mine), fingerprint(), 0
    for route, callback in routes():
        path = filled(route, names)
        assert resolve(path).route == route
        response = client.call(method, path, {} if method != "get" else None)
        name = view_class(callback).__name__
        if response.status_code == 200 and response.streaming:  # the export of the audit log
            assert exported(client) == [], path
        elif response.status_code == 200:
            body = response.json()
            assert method == "get", path
            assert "items" in body, path
            assert body["total"] == 0 or name in LISTS, (path, body)
            assert all(item["id"] == mine.pk for item in body["items"] if name == "SessionViewSet")
        elif method == "delete" and response.status_code == 204:
            assert "unknown" in path or "/projects/demo/credentials/" in path, path  # what is not there
        else:
            assert response.status_code in (400, 403, 404, 405), (method, path, response.status_code)
        tried += 1
    assert tried > 80
    assert fingerprint() == before


END = {
    "the next attempt": {"attempt": 2},
    "an attempt before": {"attempt": 0},
    "stopping": {"desired_state": "stopped"},
    "stopped": {"phase": "Stopped"},
    "completed": {"phase": "Completed"},
    "failed": {"phase": "Failed"},
    "deleted": {"desired_state": "deleted", "deleted_at": "2026-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("end", END)
def test_after_the_end_it_is_refused_on_every_route(world, end):
    mine, _, names = world
    client = client_of(mine)
    assert client.call("get", f"/sessions/{mine.pk}").status_code == 200
    Session.objects.filter(pk=mine.pk).update(**END[end])
    for route, callback in routes():
        path = filled(route, names | {"sessions": mine.pk})
        # What an ending runner may still do is to save its files (tests/integration/workspace).
        allowed = (409,) if view_class(callback) is SnapshotViewSet else ()
        assert client.call("get", path).status_code in (401, 404, 405, *allowed), path
    assert client.call("get", f"/sessions/{mine.pk}").status_code == 401


def test_an_expired_one_is_refused(world, monkeypatch):
    client = client_of(world[0])
    monkeypatch.setattr(env, "SESSION_TOKEN_SECONDS", -1)
    response = client.call("get", f"/sessions/{world[0].pk}")
    assert response.status_code == 401
    assert "expired" in response.json()["reason"]


def test_a_renewed_one_and_the_one_before_both_end_with_the_attempt(world):
    """Nothing is stored of a token: the one before lasts its five minutes, unless the attempt ends."""
    mine = world[0]
    first, second = client_of(mine), client_of(mine)
    path = f"/sessions/{mine.pk}"
    assert [client.call("get", path).status_code for client in (first, second)] == [200, 200]
    Session.objects.filter(pk=mine.pk).update(attempt=2)
    assert [client.call("get", path).status_code for client in (first, second)] == [401, 401]


@pytest.mark.parametrize("where", ["cookie", "query", "forwarded"])
def test_it_counts_in_a_header_only(world, where):
    mine = world[0]
    token, path = issue_session_token(mine).token, f"/sessions/{mine.pk}"
    client, status = WireClient(), 401
    if where == "cookie":
        client.cookies["sessionid"] = token
    elif where == "query":
        path += f"?access_token={token}"
    else:
        client, status = WireClient(headers={"X-Forwarded-Access-Token": token}), 200
    assert client.call("get", path).status_code == status
