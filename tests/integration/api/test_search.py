"""`search`, `fields` and deep pages over HTTP."""

import re
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from ambient.common import deep_pages
from sessions_app.models import Session
from tests.factories import AgentFactory, ProjectFactory, RoleFactory, SessionFactory
from tests.integration.api.test_wire import check_error, fingerprint


@pytest.fixture
def client(api_client, project, bind_role):
    bind_role("project:owner", project)
    return api_client


@pytest.fixture
def sessions(client, project):
    other = ProjectFactory(id="other")
    SessionFactory(project=other, name="fix-hidden", timeout=1)
    return [
        SessionFactory(
            project=project, name="fix-1", timeout=60, prompt="100% sure", labels_index={"team": "a"}
        ),
        SessionFactory(project=project, name="fix-2", timeout=None, prompt=None, phase="Running"),
        SessionFactory(project=project, name="O'Brien", timeout=5, prompt="", labels_index={"team": "b"}),
    ]


def found(client, search, kind="sessions", rest=""):
    response = client.call("get", f"/{kind}?search={quote(search)}{rest}")
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["total"] >= body["size"] == len(body["items"])
    return sorted(item["name"] for item in body["items"])


@pytest.mark.parametrize(
    ("search", "names"),
    [
        pytest.param("name = 'fix-1'", "fix-1", id="equal"),
        pytest.param("name='fix-1'", "fix-1", id="no blanks"),
        pytest.param("name like 'fix%'", "fix-1 fix-2", id="like"),
        pytest.param("name ilike 'FIX%'", "fix-1 fix-2", id="ilike"),
        pytest.param("name like 'FIX%'", "", id="like heeds case"),
        pytest.param("name not like 'fix%'", "O'Brien", id="not like"),
        pytest.param("name = 'O''Brien'", "O'Brien", id="a quote"),
        pytest.param("prompt like '%\\%%'", "fix-1", id="a per cent sign"),
        pytest.param("phase = 'Running'", "fix-2", id="enumeration"),
        pytest.param("project_id = 'demo' and name like '%x-%'", "fix-1 fix-2", id="foreign key"),
        pytest.param("project_id = 'other'", "", id="what is not visible is not found"),
        pytest.param("name like 'fix%' or project_id = 'other'", "fix-1 fix-2", id="or does not widen it"),
        pytest.param("not (timeout = 60)", "O'Brien", id="unset is neither"),
        pytest.param("timeout != 60", "O'Brien", id="unset is not unequal"),
        pytest.param("timeout not in (60)", "O'Brien", id="unset is not outside"),
        pytest.param("timeout is null", "fix-2", id="unset"),
        pytest.param("prompt is not null", "O'Brien fix-1", id="an empty text is set"),
        pytest.param("timeout in ()", "", id="in nothing"),
        pytest.param("timeout not in ()", "O'Brien fix-1 fix-2", id="not in nothing"),
        pytest.param("timeout between 5 and 59", "O'Brien", id="between"),
        pytest.param("timeout * 2 = 120", "fix-1", id="arithmetic"),
        pytest.param("timeout / 0 = 1 or timeout % 0 = 1", "", id="by zero"),
        pytest.param("timeout = 99999999999999999999", "", id="beyond 64 bits"),
        pytest.param("timeout * 1e100 > 1e99", "O'Brien fix-1", id="no overflow"),
        pytest.param("stop_on_run_finished = 'true'", "", id="boolean as text"),
        pytest.param("stop_on_run_finished = 0", "O'Brien fix-1 fix-2", id="boolean as number"),
        pytest.param("created_at > '2020-01-31'", "O'Brien fix-1 fix-2", id="date"),
        pytest.param("created_at < '2020-01-31T10:00:00Z'", "", id="time"),
        pytest.param("sessions.name = 'fix-1'", "fix-1", id="own prefix"),
        pytest.param("labels.team = 'a'", "fix-1", id="label"),
        pytest.param("labels.team != 'a'", "O'Brien", id="label unequal"),
        pytest.param("labels.team in ('a', 'b')", "O'Brien fix-1", id="label in"),
        pytest.param("labels.team is null", "fix-2", id="label unset"),
        pytest.param("   ", "O'Brien fix-1 fix-2", id="blank"),
    ],
)
def test_what_a_search_finds(client, sessions, search, names):
    assert found(client, search) == sorted(names.split())


def test_a_search_goes_with_page_order_and_header(client, sessions):
    search = quote("name like 'fix%'")
    body = client.call("get", f"/sessions?search={search}&orderBy=name+desc&size=1&page=2").json()
    assert ([item["name"] for item in body["items"]], body["total"]) == (["fix-1"], 2)
    response = client.call("get", f"/sessions?search={search}", **{"X-Ambient-Project": "other"})
    assert response.json()["total"] == 0


@pytest.mark.parametrize(
    ("search", "reason"),
    [
        ("nope = 'x'", "Session has no field 'nope' to search by"),
        ("deleted_at is null", "Session has no field 'deleted_at' to search by"),
        ("runner_secret like '%'", "Session has no field 'runner_secret' to search by"),
        ("href = 'x'", "Session has no field 'href' to search by"),
        ("kind = 'x'", "Session has no field 'kind' to search by"),
        ("activity = 'idle'", "Session has no field 'activity' to search by"),
        ("project__deleted_at is null", "Session has no field 'project__deleted_at' to search by"),
        ("users.name = 'x'", "users is not a related resource of Session"),
        ("sessions.labels.team = 'x'", "a name has at most 2 parts; one more begins at character 17"),
        ("name = 5", "'5' does not fit name, which is a text"),
        ("timeout = 'x'", "'x' does not fit timeout, which is a number"),
        ("timeout like 'x'", "LIKE needs a text, and timeout is a number"),
        ("name + 1 = 5", "name is not a number, so it cannot be calculated with"),
        ("created_at = 'soon'", "'soon' does not fit created_at, which is a time"),
        ("created_at > '0001-01-01T00:00:00+23:59'", "does not fit created_at"),
        ("stop_on_run_finished = 'maybe'", "does not fit stop_on_run_finished, which is a true or false"),
        ("stop_on_run_finished > 'true'", "stop_on_run_finished is true or false and has no order"),
        ("name like 'x\\'", "a LIKE pattern may not end with its escape character, the backslash"),
        ("name = ", "Failed to parse search query: it ends too early, at character 8"),
    ],
)
def test_what_cannot_be_searched_is_refused(client, sessions, search, reason):
    before = fingerprint()
    response = client.call("get", f"/sessions?search={quote(search)}")
    check_error(response, 400, "21")
    assert reason in response.json()["reason"]
    assert fingerprint() == before


HOSTILE = [
    "'; DROP TABLE sessions_app_session; --",
    "name = 'x'); DELETE FROM sessions_app_session; --",
    "name\" = 'x",
    "name = 'x' /* ",
    "%",
    "name = %s",
    "name\0 = 'x'",
    "name = '" + "x" * 100_000 + "'",
    "(" * 1000 + "name = 'x' or (" * 200,
    "not (" * 1000 + "name = 'x'" + ")" * 1000,
    "1 = 1; select pg_sleep(10)",
    "pg_sleep(10) = 1",
    "name = 'x' or 1=1 --",
]


@pytest.mark.parametrize("search", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_search_touches_nothing(client, sessions, search):
    before = fingerprint()
    response = client.call("get", f"/sessions?search={quote(search)}")
    assert response.status_code == 400
    assert response.json()["id"] == "21"
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("kind", "search"),
    [
        ("projects", "name = 'demo'"),
        ("projects", "id like 'dem%' and status is null"),
        ("projects/demo/agents", "name = 'lead'"),
        ("roles", "name = 'project:owner'"),
        ("roles", "built_in = 'true'"),
        ("role_bindings", "user_id = 'alice' and project_id = 'demo'"),
        ("role_bindings", "scope = 'credential' and session_id = 's'"),
        ("users", "username = 'alice'"),
        ("project_settings", "project_id = 'demo'"),
    ],
)
def test_every_kind_can_be_searched(client, project, kind, search):
    AgentFactory(project=project, name="lead")
    RoleFactory(name="custom")
    assert client.call("get", f"/{kind}?search={quote(search)}").status_code == 200


def test_a_search_that_takes_too_long_is_a_503(client, sessions):
    slow = " or ".join(f"name ilike '%{n}%{n}%'" for n in range(900))
    with override_settings(SEARCH_TIMEOUT_SECONDS=0.001):
        response = client.call("get", f"/sessions?search={quote(slow)}")
    check_error(response, 503, "9")
    assert int(response["Retry-After"]) > 0
    assert client.call("get", "/sessions").json()["total"] == 3


# fields


@pytest.mark.parametrize(
    ("fields", "item"),
    [
        pytest.param("name", {"name": "fix-1"}, id="one"),
        pytest.param("id", {}, id="id alone"),
        pytest.param(" name , timeout ,", {"name": "fix-1", "timeout": 60}, id="blanks"),
        pytest.param("phase,name", {"name": "fix-1"}, id="an unset one is left out"),
        pytest.param("labels.team", {"labels": '{"team": "a"}'}, id="one key"),
        pytest.param("labels.team,labels", {"labels": '{"team":"a","x":"y"}'}, id="one key and all of it"),
        pytest.param("labels.nope", {"labels": "{}"}, id="a key that is not there"),
        pytest.param("annotations.a", {}, id="a key of a text that is no object"),
    ],
)
def test_fields_cut_the_items_down(client, sessions, fields, item):
    Session.objects.filter(pk=sessions[0].pk).update(labels='{"team":"a","x":"y"}', annotations="text")
    response = client.call("get", f"/sessions?search=name+%3D+'fix-1'&fields={quote(fields)}")
    body = response.json()
    assert set(body) == {"kind", "page", "size", "total", "items"}
    assert body["items"] == [{"id": sessions[0].pk} | item]


@pytest.mark.parametrize(
    ("fields", "unknown"),
    [
        ("nope", "nope"),
        ("name,a,b", "a,b"),
        ("name.x", "name.x"),
        ("labels.", "labels."),
        ("runner_secret",) * 2,
    ],
)
def test_unknown_fields_are_named(client, sessions, fields, unknown):
    response = client.call("get", f"/sessions?fields={fields}")
    check_error(response, 400, "8")
    assert response.json()["reason"] == f"The following field(s) doesn't exist in `Session`: {unknown}"


# Deep pages


@pytest.fixture
def many(client, project, monkeypatch):
    """60 sessions, and pages that count as deep from the 10th row on."""
    monkeypatch.setattr(deep_pages, "DEEP", 10)
    cache.clear()
    Session.objects.bulk_create(Session(project=project, name=f"s{n:02}") for n in range(60))
    yield [f"s{n:02}" for n in range(60)]
    cache.clear()


def walk(client, size, between=lambda page: None):
    names, page = [], 1
    while True:
        body = client.call("get", f"/sessions?size={size}&page={page}").json()
        names += [item["name"] for item in body["items"]]
        if body["size"] < size:
            return names
        between(page)
        page += 1


@pytest.mark.parametrize("size", [1, 7, 10, 20, 60])
def test_a_walk_meets_every_row_once_in_order(client, many, size):
    assert walk(client, size) == many
    assert walk(client, size) == many


def test_rows_deleted_during_a_walk_move_no_other_out_of_it(client, many):
    def delete(page):
        if page == 3:
            Session.objects.filter(name__in=["s00", "s13", "s45"]).update(
                deleted_at="2026-01-01T00:00:00Z", desired_state="deleted"
            )

    assert walk(client, 7, delete) == [name for name in many if name != "s45"]


def test_rows_added_during_a_walk_are_met_at_its_end(client, many, project):
    def add(page):
        if page == 4:
            Session.objects.create(project=project, name="new")

    assert walk(client, 7, add) == [*many, "new"]


def test_a_jump_needs_no_walk(client, many):
    body = client.call("get", "/sessions?size=7&page=5").json()
    assert [item["name"] for item in body["items"]] == many[28:35]


def test_a_remembered_page_skips_no_rows_by_counting(client, many):
    walk(client, 7)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.call("get", "/sessions?size=7&page=5")
    assert not any("OFFSET" in query["sql"] for query in queries)


def test_a_narrowed_key_has_pages_of_its_own(client, client_for, user, bind_role, many, project):
    """Its rows are fewer than its owner's, so the owner's places would be wrong for it."""
    other = ProjectFactory(id="other")
    bind_role("project:owner", other)
    Session.objects.bulk_create(Session(project=other, name=f"o{n:02}") for n in range(20))
    Session.objects.filter(project=other).update(created_at="2020-01-01T00:00:00Z")
    walk(client, 7)
    narrowed = client_for(user, project=project)
    assert [item["name"] for item in narrowed.call("get", "/sessions?size=7&page=5").json()["items"]] == many[
        28:35
    ]


def test_a_first_page_of_any_size_is_one_query_for_its_rows(client, many):
    with CaptureQueriesContext(connection) as queries:
        body = client.call("get", "/sessions?size=65500").json()
    assert body["size"] == 60
    assert sum('FROM "sessions_app_session"' in query["sql"] for query in queries) == 1


def test_another_query_remembers_its_own_places(client, many):
    walk(client, 7)
    body = client.call("get", "/sessions?size=7&page=2&search=name+>+'s29'").json()
    assert [item["name"] for item in body["items"]] == many[37:44]
    assert body["total"] == 30


# Indexes


@pytest.mark.parametrize(
    ("search", "index"),
    [
        ("labels.team = 'rare'", "session_labels"),
        ("labels.team in ('rare', 'none')", "session_labels"),
        ("name like '%needle%'", "session_name_part"),
        ("name ilike '%needle%'", "session_name_part"),
        ("id in ('a', 'b')", "sessions_app_session_(pkey|id_)"),
        ("id = 'a'", "sessions_app_session_(pkey|id_)"),
    ],
)
def test_a_search_is_served_by_an_index(project, search, index):
    from ambient.common.search import compile_search
    from sessions_app.serializers import SessionSerializer

    Session.objects.bulk_create(
        Session(project=project, name=f"name {n} of many", labels_index={"team": f"t{n % 50}"})
        for n in range(4000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sessions_app_session")
        cursor.execute("SET LOCAL enable_seqscan = off")
    rows = Session.objects.filter(compile_search(search, "Session", "sessions", SessionSerializer.columns()))
    assert re.search(index, rows.explain())


@pytest.mark.parametrize(
    ("literal", "found"),
    [
        ("5", True),
        ("5.0", False),
        ("true", False),
        ("NaN", False),
        ("Infinity", False),
        ("-Infinity", False),
        ("1e400", False),
        ("9" * 5000, False),
        ("0." + "0" * 5000 + "1", False),
        ('{"a": "\\u0000"}', False),
        ("[" * 90, False),
        ("[1, {}]", False),
        ("null", False),
        ("٥", False),
    ],
    ids=lambda v: str(v)[:16],
)
@pytest.mark.parametrize("form", ["labels.n = '{}'", "labels.n in ('{}')", "not labels.n != '{}'"])
def test_whatever_reads_like_json_is_compared_as_a_text(client, project, form, literal, found):
    """A label may be no text: then it is found by the text that JSONB writes for it."""
    SessionFactory(project=project, labels_index={"n": 5})
    response = client.call("get", f"/sessions?search={quote(form.format(literal))}")
    assert response.status_code == 200, response.content
    assert response.json()["total"] == int(found)
