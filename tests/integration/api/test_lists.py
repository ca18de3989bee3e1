"""Lists: envelope, pages, order, narrowing, totals from the counters, and how many queries they cost."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects_app.models import RowCount
from tests.factories import AgentFactory, InboxMessageFactory, ProjectFactory, SessionFactory, UserFactory
from tests.integration.api.test_wire import check_error


@pytest.fixture
def five(project, bind_role):
    bind_role("project:viewer", project)
    return [SessionFactory(project=project, name=f"s{n}", timeout=n % 2) for n in range(5)]


def names(body):
    return [item["name"] for item in body["items"]]


@pytest.mark.parametrize(
    ("query", "page", "size", "found"),
    [
        pytest.param("", 1, 5, "s0 s1 s2 s3 s4", id="defaults"),
        pytest.param("page=2&size=2", 2, 2, "s2 s3", id="second-page"),
        pytest.param("page=3&size=2", 3, 1, "s4", id="short-last-page"),
        pytest.param("page=4&size=2", 4, 0, "", id="beyond-the-end"),
        pytest.param("page=0&size=2", 0, 2, "s0 s1", id="page-0-is-the-first"),
        pytest.param("page=-7&size=2", -7, 2, "s0 s1", id="negative-page-is-the-first"),
        pytest.param("page=x&size=2", 0, 2, "s0 s1", id="page-no-number"),
        pytest.param("size=0", 1, 0, "", id="size-0"),
        pytest.param("size=x", 1, 0, "", id="size-no-number"),
        pytest.param("size=-1", 1, 5, "s0 s1 s2 s3 s4", id="negative-size"),
        pytest.param("size=65500", 1, 5, "s0 s1 s2 s3 s4", id="largest-size"),
        pytest.param("size=99999999", 1, 5, "s0 s1 s2 s3 s4", id="size-over-the-limit"),
        pytest.param(f"page={2**63 - 1}", 2**63 - 1, 0, "", id="huge-page"),
        pytest.param(f"page={2**63}&size=2", 2**63 - 1, 0, "", id="page-over-64-bits"),
        pytest.param(f"page={'9' * 5000}&size=2", 2**63 - 1, 0, "", id="page-of-5000-digits"),
        pytest.param(f"page=-{2**63}&size=2", 1 - 2**63, 2, "s0 s1", id="page-below-64-bits"),
        pytest.param(f"page={'0' * 50}2&size=2", 2, 2, "s2 s3", id="leading-zeros"),
        pytest.param(f"size={2**64}", 1, 5, "s0 s1 s2 s3 s4", id="size-over-64-bits"),
        pytest.param("page=%D9%A1&size=2", 0, 2, "s0 s1", id="other-digits-are-no-number"),
        pytest.param("search=+&fields=&orderBy=", 1, 5, "s0 s1 s2 s3 s4", id="blank-parameters"),
        pytest.param("orderBy=name+desc", 1, 5, "s4 s3 s2 s1 s0", id="order-desc"),
        pytest.param("orderBy=timeout+desc,+name", 1, 5, "s1 s3 s0 s2 s4", id="order-by-two"),
        pytest.param("orderBy=name+asc&size=1", 1, 1, "s0", id="order-asc"),
        pytest.param("project_id=demo", 1, 5, "s0 s1 s2 s3 s4", id="narrowed"),
    ],
)
def test_pages(api_client, five, query, page, size, found):
    response = api_client.call("get", f"/sessions?{query}")
    assert response.status_code == 200, response.content
    body = response.json()
    assert (body["kind"], body["page"], body["size"], body["total"]) == ("SessionList", page, size, 5)
    assert names(body) == found.split()


@pytest.mark.parametrize("query", ["page=7", "page=0", "page=7&search=name+%3D+'s1'", "page=2&orderBy=name"])
def test_who_may_see_nothing_is_told_page_1(client_for, five, query):
    body = client_for(UserFactory()).call("get", f"/sessions?{query}").json()
    assert body == {"kind": "SessionList", "page": 1, "size": 0, "total": 0, "items": []}


def test_a_search_without_matches_is_told_its_page(api_client, five):
    body = api_client.call("get", "/sessions?page=7&search=name+%3D+'no'").json()
    assert (body["page"], body["total"]) == (7, 0)


@pytest.mark.parametrize(
    ("query", "error_id"),
    [
        ("orderBy=nothing", "21"),
        ("orderBy=name+DESC", "21"),
        ("orderBy=name++desc", "21"),
        ("orderBy=name+sideways", "21"),
        ("orderBy=runner_secret", "21"),
        ("orderBy=activity", "21"),
        ("orderBy=project__name", "21"),
        ("orderBy=name,", "21"),
        ("orderBy=-name", "21"),
        ("orderBy=" + ",".join(["name"] * 11), "21"),
        ("search=name+%3D+x", "21"),
        ("fields=nothing", "8"),
        ("fields=" + ",".join(["name"] * 201), "21"),
        ("page=%00", "21"),
        ("project_id=a/b", "8"),
    ],
)
def test_refused_parameters(api_client, five, query, error_id):
    check_error(api_client.call("get", f"/sessions?{query}"), 400, error_id)


def test_project_header_narrows_sessions_and_fills_the_create(api_client, five, bind_role, project):
    other = ProjectFactory(id="other")
    bind_role("project:editor", other)
    SessionFactory(project=other, name="o")
    header = {"X-Ambient-Project": "other"}
    body = api_client.call("get", "/sessions", **header).json()
    assert (names(body), body["total"]) == (["o"], 1)
    body = api_client.call("get", "/sessions?project_id=demo", **header).json()
    assert (len(body["items"]), body["total"]) == (5, 5)
    assert api_client.call("post", "/sessions", {"name": "n"}, **header).json()["project_id"] == "other"
    named = {"name": "n", "project_id": "other"}
    response = api_client.call("post", "/sessions", named, **{"X-Ambient-Project": "demo"})
    assert response.json()["project_id"] == "other"


@pytest.mark.parametrize("header", ["_", "nowhere", "bad id!", "x" * 300])
@pytest.mark.parametrize("path", ["/projects", "/roles", "/users", "/role_bindings", "/projects/demo/agents"])
def test_project_header_harms_nothing_else(api_client, five, header, path):
    assert api_client.call("get", path, **{"X-Ambient-Project": header}).status_code == 200


KINDS = ["/sessions", "/projects", "/project_settings", "/users", "/roles", "/role_bindings"]
NESTED = ["", "/{agent}/inbox", "/{agent}/sessions", "/{agent}/role_bindings"]
PATHS = KINDS + [f"/projects/demo/agents{path}" for path in NESTED]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("wide", [False, True])
def test_queries_do_not_grow_with_rows(client_for, user, project, bind_role, path, wide):
    bind_role("platform:admin" if wide else "project:viewer", None if wide else project)
    client = client_for(user)
    agent = AgentFactory(project=project)

    def grow(count):
        for _ in range(count):
            other = ProjectFactory()
            bind_role("project:viewer", other)
            bind_role("project:viewer", project, to=UserFactory())
            SessionFactory(project=project, agent=agent)
            SessionFactory(project=other)
            AgentFactory(project=project)
            InboxMessageFactory(agent=agent)

    def cost():
        client.call("get", path.format(agent=agent.pk))
        with CaptureQueriesContext(connection) as queries:
            assert client.call("get", path.format(agent=agent.pk)).status_code == 200
        return [query["sql"] for query in queries]

    grow(2)
    few = cost()
    grow(6)
    many = cost()
    assert len(many) == len(few) <= 14, many


@pytest.mark.parametrize(
    ("path", "kind"), [("/sessions", "session"), ("/projects", "project"), ("/projects/demo/agents", "agent")]
)
@pytest.mark.parametrize("role", ["project:viewer", "platform:viewer"])
def test_total_is_kept_not_counted(api_client, five, project, bind_role, path, kind, role):
    AgentFactory(project=project)
    if role.startswith("platform"):
        bind_role(role)
    with CaptureQueriesContext(connection) as queries:
        body = api_client.call("get", path).json()
    assert body["total"] == len(body["items"]) > 0
    assert not [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]
    RowCount.objects.filter(kind=kind).update(rows=41)
    assert api_client.call("get", path).json()["total"] == 41


def test_totals_follow_creates_and_deletes(api_client, five, project, bind_role):
    bind_role("project:owner", project)
    assert api_client.call("delete", f"/sessions/{five[0].pk}").status_code == 204
    assert api_client.call("get", "/sessions").json()["total"] == 4
    api_client.call("post", "/sessions", {"name": "n", "project_id": "demo"})
    assert api_client.call("get", "/sessions").json()["total"] == 5
    api_client.call("post", "/projects", {"name": "mine"})
    assert api_client.call("get", "/projects").json()["total"] == 2


def test_walking_pages_meets_every_row_once(api_client, five):
    seen = []
    for page in range(1, 7):
        seen += names(api_client.call("get", f"/sessions?page={page}&size=1&orderBy=timeout").json())
    assert sorted(seen) == ["s0", "s1", "s2", "s3", "s4"]
