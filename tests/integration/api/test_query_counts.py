"""How many queries each list and get costs. The table is the promise; neither rows nor bindings add any."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from projects_app.models import Role
from projects_app.services.api_keys import api_key_create
from projects_app.services.applications import application_create
from projects_app.services.credentials import credential_create
from projects_app.services.role_bindings import role_binding_create
from sessions_app.services.schedules import schedule_create
from tests.conftest import V1
from tests.contract.test_viewsets import ROUTES, view_class
from tests.factories import (
    AgentFactory,
    InboxMessageFactory,
    InterruptFactory,
    ProjectFactory,
    ProjectSettingsFactory,
    RoleFactory,
    RunFactory,
    SessionFactory,
    UserFactory,
)

COSTS = {
    # path: queries of a member of the project, of an administrator
    "/projects": (5, 3),
    "/projects/demo": (5, 2),
    "/projects/demo/home": (5, 3),
    "/project_settings": (5, 3),
    "/project_settings/{project_settings}": (5, 2),
    "/sessions": (6, 3),
    "/sessions?project_id=demo": (6, 3),
    "/sessions?search=name+like+'%25s%25'&fields=name": (9, 7),
    "/sessions?orderBy=name+desc&page=2&size=1": (6, 3),
    "/sessions/{session}": (5, 2),
    "/sessions/{session}/messages": (6, 3),
    "/sessions/{session}/runs": (7, 4),
    "/sessions/{session}/runs?search=number+>+0&fields=state&orderBy=number": (11, 8),
    "/sessions/{session}/interrupts": (7, 4),
    "/sessions/{session}/interrupts?search=state+%3D+'open'&size=1": (11, 8),
    "/sessions/{session}/events/history": (7, 4),
    "/sessions/{session}/workflow/metadata": (5, 2),
    "/sessions/{session}/export": (5, 2),
    "/sessions/{session}/pod-events": (5, 2),
    "/sessions/{session}/agui/capabilities": (5, 2),
    "/sessions/{session}/agui/tasks": (5, 2),
    "/sessions/{session}/mcp/status": (5, 2),
    "/sessions/{session}/workspace": (5, 2),
    "/sessions/{session}/files": (5, 2),
    "/sessions/{session}/git/status": (5, 2),
    "/sessions/{session}/git/branches": (5, 2),
    "/sessions/{session}/repos/status": (5, 2),
    "/projects/demo/agents": (7, 4),
    "/projects/demo/agents/{agent}": (6, 3),
    "/projects/demo/agents/{agent}/start": (9, 5),
    "/projects/demo/agents/{agent}/ignition": (9, 5),
    "/projects/demo/agents/{agent}/sessions": (8, 5),
    "/projects/demo/agents/{agent}/role_bindings": (8, 5),
    "/projects/demo/agents/{agent}/inbox": (8, 5),
    "/projects/demo/agents/{agent}/inbox/{inbox}": (8, 4),
    "/projects/demo/scheduled-sessions": (6, 4),
    "/projects/demo/scheduled-sessions/{schedule}": (6, 3),
    "/projects/demo/scheduled-sessions/{schedule}/runs": (7, 5),
    "/projects/demo/credentials": (6, 4),
    "/projects/demo/credentials/{bound}": (6, 3),
    "/projects/demo/credentials/{bound}/token": (6, 3),
    "/credentials": (5, 3),
    "/credentials/{credential}": (5, 2),
    "/credentials/{credential}/token": (5, 2),
    "/audit": (9, 7),
    "/audit?project=demo&kind=Session&size=1": (9, 7),
    "/api_keys": (5, 3),
    "/api_keys/{key}": (4, 2),
    "/applications": (5, 3),
    "/applications/{application}": (4, 2),
    "/applications/{application}/status": (4, 2),
    "/users": (5, 3),
    "/users/{user}": (4, 2),
    "/roles": (3, 3),
    "/roles/{role}": (2, 2),
    "/projects/demo/access": (11, 8),
    "/projects/demo/agents/{agent}/access": (12, 9),
    "/sessions/{session}/access": (11, 8),
    "/credentials/{credential}/access": (11, 8),
    "/role_bindings": (5, 3),
    "/role_bindings/{binding}": (4, 2),
}
EXEMPT = {
    "^api(/|$)": "there is nothing",
    "api/ambient": "asks nothing",
    "api/ambient/v1/version": "asks nothing",
    "api/ambient/v1/auth/config": "asks nothing",
    "api/ambient/v1/openapi": "asks nothing",
    "api/ambient/v1/openapi.html": "asks nothing",
    "api/ambient/v1": "there is nothing",
    "api/ambient/v1/errors": "there is nothing",
    "api/ambient/v1/audit/export": "JSON lines, step by step (tests/integration/audit)",
    "api/ambient/v1/sessions/<str:pk>/oauth/<str:provider>/url": "not offered",
    "api/ambient/v1/sessions/<str:pk>/events": "a stream (tests/integration/streams)",
    "api/ambient/v1/sessions/<str:pk>/agui/events": "a stream (tests/integration/streams)",
    "api/ambient/v1/sessions/<str:pk>/workspace/<path:path>": "the runner's answer, 503 without one",
    "api/ambient/v1/sessions/<str:pk>/agui/tasks/<str:task_id>/output": "the runner's, 503 without one",
    "api/ambient/v1/sessions/<str:pk>/workspace-snapshot": "for the session's own runner "
    "(tests/integration/workspace)",
    "api/ambient/v1/sessions/<str:pk>/sdk_keys": "for the session's own runner (test_sdk_entries)",
    "api/ambient/v1/sessions/<str:pk>/sdk_entries": "for the session's own runner (test_sdk_entries)",
}
"""Other reads, and why they have no row."""
ADDED = 12


@pytest.fixture
def world(project, user, bind_role):
    """One of everything that both callers may read, and how to add more of it, with more bindings."""
    binding = bind_role("project:owner", project)
    agent = AgentFactory(project=project)
    session = SessionFactory(project=project, agent=agent)
    ids = {
        "agent": agent.pk,
        "session": session.pk,
        "inbox": InboxMessageFactory(agent=agent).pk,
        "project_settings": ProjectSettingsFactory(project=project).pk,
        "schedule": _schedule(project, "s").pk,
        "credential": _credential(user, "c").pk,
        "bound": _bound(user, project).pk,
        "application": _application(project, "a").pk,
        "user": user.pk,
        "role": binding.role_id,
        "binding": binding.pk,
        "key": api_key_create(user=user)[0].pk,
    }

    def grow():
        for n in range(ADDED):
            other = ProjectFactory()
            bind_role("project:viewer", other)
            for home in (project, other):
                SessionFactory(project=home, agent=agent if home is project else None)
                AgentFactory(project=home)
                _application(home, f"a-{n}-{home.pk}")
            InboxMessageFactory(agent=agent)
            RunFactory(session=session, state="finished")
            InterruptFactory(session=session)
            ProjectSettingsFactory(project=other)
            RoleFactory()
            UserFactory()
            api_key_create(user=user)
            _schedule(project, f"s-{n}")
            _credential(user, f"c-{n}")
            bind_role("agent:observer", agent, to=UserFactory())

    return ids, grow


def _schedule(project, name):
    values = {"name": name, "schedule": "0 3 * * *"}
    return schedule_create(actor="alice", project=project, values=values)


def _credential(user, name):
    return credential_create(actor=user, values={"name": name, "provider": "github", "token": "t"})


def _bound(user, project):
    """A credential that the project uses."""
    credential = _credential(user, "bound")
    values = {"scope": "credential", "credential_id": credential.pk, "project_id": project.pk}
    role_binding_create(role=Role.objects.get(name="credential:viewer"), values=values)
    return credential


def _application(project, name):
    values = {"name": name, "source_repo_url": "u", "source_path": "p", "destination_project": project.pk}
    return application_create(values=values)


def cost(client, path):
    with CaptureQueriesContext(connection) as queries:
        response = client.call("get", path)
    assert response.status_code == 200, response.content
    return len(queries)


def readable_routes():
    for path, callback in ROUTES:
        if "get" in getattr(callback, "actions", {}) or hasattr(view_class(callback), "get"):
            yield path


def test_every_read_has_a_row(world):
    ids, _ = world
    told = {resolve(f"{V1}{path.format(**ids).partition('?')[0]}").route for path in COSTS}
    assert {path for path in readable_routes() if not path.endswith("/ws")} == told | EXEMPT.keys()


def test_what_reads_cost(client_for, user, admin, world):
    ids, grow = world
    member, boss = client_for(user), client_for(admin)
    paths = {path: path.format(**ids) for path in COSTS}
    for client in (member, boss):  # what a process reads once is no cost of a request
        client.call("get", "/sessions")
    few = {path: (cost(member, real), cost(boss, real)) for path, real in paths.items()}
    assert few == COSTS
    grow()
    assert {path: (cost(member, real), cost(boss, real)) for path, real in paths.items()} == COSTS
