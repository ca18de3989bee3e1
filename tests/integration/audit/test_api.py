"""`GET /audit` and its export: who sees what, filters, pages."""

import json
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync

from projects_app.models import AuditEntry
from projects_app.services.roles import role_create
from tests.factories import ProjectFactory, UserFactory


def items(client, query=""):
    response = client.call("get", f"/audit{query}")
    assert response.status_code == 200, response.content
    return response.json()["items"]


def exported(client, query=""):
    response = client.call("get", f"/audit/export{query}")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/x-ndjson"

    async def body():
        return b"".join([part async for part in response.streaming_content])

    return [json.loads(line) for line in async_to_sync(body)().splitlines()]


@pytest.fixture
def two_projects(db):
    return ProjectFactory(id="demo"), ProjectFactory(id="other")


@pytest.fixture
def auditor(two_projects, api_client, bind_role):
    """Somebody who may read the log of one project."""
    role_create(values={"name": "auditor", "permissions": '["audit:read"]'})
    bind_role("auditor", two_projects[0])
    return api_client


@pytest.mark.parametrize("role", ["project:viewer", "project:editor", "platform:viewer", "gitops:admin"])
def test_without_the_permission_there_is_nothing(two_projects, api_client, bind_role, role):
    bind_role(role, None if role.startswith(("platform", "gitops")) else two_projects[0])
    assert items(api_client) == []


def test_an_auditor_of_a_project_sees_that_project(auditor):
    assert {entry["project_id"] for entry in items(auditor)} == {"demo"}
    assert items(auditor, "?project=other") == []


def test_owners_see_their_project(two_projects, api_client, bind_role):
    bind_role("project:owner", two_projects[0])
    assert {entry["project_id"] for entry in items(api_client)} == {"demo"}


def test_a_narrowed_key_sees_no_more_than_its_project(two_projects, client_for, admin):
    narrowed = client_for(admin, project=two_projects[1])
    assert {entry["project_id"] for entry in items(narrowed)} == {"other"}


def test_administrators_see_all(two_projects, admin_client_wire):
    seen = items(admin_client_wire)
    assert {"demo", "other", None} == {entry.get("project_id") for entry in seen}
    assert [entry["id"] for entry in seen] == [
        str(pk) for pk in AuditEntry.objects.order_by("-created_at", "-id").values_list("id", flat=True)
    ]


def test_a_runner_sees_nothing(session):
    from sessions_app.choices import Phase
    from sessions_app.tokens import issue_session_token
    from tests.conftest import WireClient

    type(session).objects.filter(pk=session.pk).update(phase=Phase.RUNNING)
    token = issue_session_token(session).token
    assert items(WireClient(headers={"Authorization": f"Bearer {token}"})) == []


def test_an_entry_says_who_by_what_and_where(admin_client_wire):
    made = admin_client_wire.call("post", "/projects", {"name": "fresh"})
    (entry,) = [e for e in items(admin_client_wire, "?project=fresh") if e["object_kind"] == "Project"]
    assert entry["kind"] == "AuditEntry"
    assert (entry["actor"], entry["via"], entry["action"]) == ("root", "api_key", "create")
    assert entry["via_id"] == admin_client_wire.user.api_keys.get().pk
    assert entry["request_id"] == made["X-Operation-ID"]
    assert entry["address"] == "127.0.0.1"
    assert entry["route"] == "POST /api/ambient/v1/projects"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        pytest.param("project=demo", lambda e: e.project == "demo", id="project"),
        pytest.param("kind=Project", lambda e: e.kind == "Project", id="kind"),
        pytest.param("object_id=demo", lambda e: e.object_id == "demo", id="object"),
        pytest.param("actor=root", lambda e: e.actor == "root", id="actor"),
        pytest.param("action=update", lambda e: e.action == "update", id="action"),
        pytest.param("request_id=r-77", lambda e: e.request_id == "r-77", id="request"),
        pytest.param("since=2030-01-01T00:00:00Z", lambda e: False, id="since"),
        pytest.param("until=2020-01-01T00:00:00%2B02:00", lambda e: False, id="until"),
        pytest.param(
            "project=demo&action=update", lambda e: (e.project, e.action) == ("demo", "update"), id="two"
        ),
        pytest.param("project=%27%20or%201=1", lambda e: False, id="hostile"),
    ],
)
def test_filters(two_projects, admin_client_wire, query, wanted):
    admin_client_wire.call("patch", "/projects/demo", {"description": "x"}, **{"X-Operation-ID": "r-77"})
    expected = {str(entry.pk) for entry in AuditEntry.objects.all() if wanted(entry)}
    assert {entry["id"] for entry in items(admin_client_wire, f"?{query}")} == expected


BAD = [
    ("kind=Nothing", "kind must be one of Agent, ApiKey"),
    ("action=drop", "action must be one of create, update, delete, prune"),
    ("since=yesterday", "since must be a time"),
    ("since=2026-13-01T00:00:00Z", "since must be a time"),
    ("until=2026-01-01T00:00:00", "until must be a time"),
    ("since=0001-01-01T00:00:00%2B23:00", "since must be a time"),
    ("cursor=x", "cursor must be one"),
    ("cursor=999999999999999999-1", "cursor must be one"),
    ("cursor=1-9999999999999999999", "cursor must be one"),
    (f"cursor={quote('٣-٣')}", "cursor must be one"),
    ("project=%00", "NUL"),
    (f"actor={'x' * 600}", "at most 512"),
]


@pytest.mark.parametrize(("query", "reason"), BAD, ids=[query[:30] for query, _ in BAD])
@pytest.mark.parametrize("path", ["/audit", "/audit/export"])
def test_bad_filters_are_explained(admin_client_wire, path, query, reason):
    response = admin_client_wire.call("get", f"{path}?{query}")
    assert response.status_code == 400
    assert reason in response.json()["reason"]


def test_deep_pages_are_refused_with_a_way_on(admin_client_wire):
    response = admin_client_wire.call("get", "/audit?page=101&size=100")
    assert response.status_code == 400
    assert "cursor" in response.json()["reason"]


@pytest.mark.django_db
def test_a_walk_by_cursor_sees_each_entry_once_while_more_are_written(admin_client_wire):
    ProjectFactory.create_batch(7)
    expected = [entry["id"] for entry in items(admin_client_wire)]
    found, cursor = [], ""
    while page := items(admin_client_wire, f"?size=3&cursor={cursor}"):
        found += [entry["id"] for entry in page]
        cursor = page[-1]["cursor"]
        ProjectFactory()
    assert found == expected


def test_pages_and_cursor_agree(admin_client_wire):
    ProjectFactory.create_batch(5)
    first, second = items(admin_client_wire, "?size=2"), items(admin_client_wire, "?size=2&page=2")
    assert items(admin_client_wire, f"?size=2&cursor={first[-1]['cursor']}") == second


def test_the_export_has_the_lists_entries_and_can_be_resumed(admin_client_wire, monkeypatch):
    ProjectFactory.create_batch(9)
    listed = items(admin_client_wire)
    assert exported(admin_client_wire) == listed
    half = exported(admin_client_wire, f"?cursor={listed[4]['cursor']}")
    assert half == listed[5:]
    assert exported(admin_client_wire, "?kind=Project&action=create&actor=nobody") == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("most", "lines"), [(100, 9), (7, 7), (6, 6), (3, 3)])
def test_the_export_goes_step_by_step_and_has_an_end(admin_client_wire, monkeypatch, most, lines):
    from projects_app.views import audit

    monkeypatch.setattr(audit, "EXPORT_STEP", 3)
    monkeypatch.setattr(audit, "MAX_EXPORT", most)
    ProjectFactory.create_batch(9)
    assert len(exported(admin_client_wire, "?kind=Project")) == lines


def test_users_names_are_kept_as_they_were(admin_client_wire):
    UserFactory(username="käthe \u2028 'x'")
    assert [e["object_name"] for e in items(admin_client_wire, "?kind=User")][0] == "käthe \u2028 'x'"
