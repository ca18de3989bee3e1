"""Runs and interrupts of a session are listed as kinds are: pages, order, search, fields, newest first."""

from urllib.parse import quote

import pytest

from sessions_app.models import Interrupt, Run
from tests.factories import InterruptFactory, RunFactory, SessionFactory
from tests.integration.api.test_wire import check_error

DAYS = [f"2026-01-0{n}T10:00:00Z" for n in range(1, 5)]


@pytest.fixture
def session(project, bind_role):
    """Four runs and four interrupts, the third run with all that a run may have; and those of a neighbour."""
    bind_role("project:viewer", project)
    session = SessionFactory(project=project)
    Run.objects.filter(session=session).delete()
    for n, day in enumerate(DAYS, start=1):
        run = {"id": f"r{n}", "number": n, "state": "finished" if n < 4 else "running", "created_at": DAYS[0]}
        RunFactory(session=session, **run, **(FULL_RUN if n == 3 else {}))
        interrupt = {"id": f"i{n}", "interrupt_id": f"q-{n}", "created_at": day}
        InterruptFactory(session=session, **interrupt, **(FULL_ANSWER if n == 3 else {}))
    neighbour = SessionFactory(project=project)
    RunFactory(session=neighbour, number=9)
    InterruptFactory(session=neighbour)
    return session


FULL_RUN = {
    "actor": "alice",
    "message_id": "m",
    "resumes": "r2",
    "started_at": "2026-01-03T10:00:01Z",
    "finished_at": "2026-01-03T10:00:02.5Z",
    "first_seq": 2**40,
    "last_seq": 2**40 + 7,
    "outcome": '{"type": "interrupt"}',
    "error_code": "",
    "error_message": "none",
    "usage": '[{"model": "m", "inputTokens": 3}]',
    "cost_usd": "0.250000",
    "model": "big",
    "input": '{"state": "not shown"}',
    "trigger": "agui",
}
FULL_ANSWER = {
    "kind": "approval",
    "response_schema": '{"type": "object"}',
    "state": "answered",
    "answer": '{"status": "resolved", "payload": false}',
    "answered_by": "alice",
    "answered_at": "2026-01-03T11:00:00Z",
}


def asked(client, session, kind, query=""):
    response = client.call("get", f"/sessions/{session.pk}/{kind}?{query}")
    assert response.status_code == 200, response.content
    return response.json()


def ids(body):
    return " ".join(item["id"] for item in body["items"])


@pytest.mark.parametrize(
    ("kind", "query", "found"),
    [
        pytest.param("runs", "", "r4 r3 r2 r1", id="runs-the-newest-first-by-number"),
        pytest.param("runs", "page=2&size=3", "r1", id="runs-second-page"),
        pytest.param("runs", "orderBy=state,+number", "r1 r2 r3 r4", id="runs-by-two"),
        pytest.param("runs", "orderBy=created_at", "r1 r2 r3 r4", id="runs-the-id-breaks-ties"),
        pytest.param("runs", "search=&fields=&orderBy=", "r4 r3 r2 r1", id="runs-blank-parameters"),
        pytest.param("interrupts", "", "i4 i3 i2 i1", id="interrupts-the-newest-first"),
        pytest.param("interrupts", "page=2&size=2", "i2 i1", id="interrupts-second-page"),
        pytest.param("interrupts", "orderBy=type+desc,+created_at", "i1 i2 i4 i3", id="interrupts-by-two"),
    ],
)
def test_pages_and_order(api_client, session, kind, query, found):
    body = asked(api_client, session, kind, query)
    assert (body["kind"], body["total"]) == ({"runs": "RunList", "interrupts": "InterruptList"}[kind], 4)
    assert (ids(body), body["size"]) == (found, len(found.split()))


@pytest.mark.parametrize("kind", ["runs", "interrupts"])
def test_a_page_beyond_64_bits_is_empty(api_client, session, kind):
    body = asked(api_client, session, kind, f"page={2**70}")
    assert (body["page"], body["size"], body["items"]) == (2**63 - 1, 0, [])


@pytest.mark.parametrize(
    ("kind", "search", "found"),
    [
        ("runs", "state = 'running'", "r4"),
        ("runs", "runs.number between 2 and 3", "r3 r2"),
        ("runs", "first_seq > 1000000000000 and cost_usd = 0.25", "r3"),
        ("runs", "last_seq - first_seq = 7", "r3"),
        ("runs", "started_at >= '2026-01-03' or number = 1", "r3 r1"),
        ("runs", "outcome like '%interrupt%'", "r3"),
        ("runs", "model is null and trigger = 'message'", "r4 r2 r1"),
        ("runs", "number = 9", ""),
        ("interrupts", "type = 'approval'", "i3"),
        ("interrupts", "interrupts.state = 'open' and request ilike '%COLOUR%'", "i4 i2 i1"),
        ("interrupts", "answered_by is not null", "i3"),
        ("interrupts", "run_id = 'r' and created_at < '2026-01-03'", "i2 i1"),
    ],
)
def test_search(api_client, session, kind, search, found):
    body = asked(api_client, session, kind, f"search={quote(search)}")
    assert (ids(body), body["total"]) == (found, len(found.split()))


def test_fields(api_client, session):
    body = asked(api_client, session, "runs", "fields=outcome,kind&size=2")
    assert body["items"] == [
        {"kind": "Run", "id": "r4"},
        {"kind": "Run", "id": "r3", "outcome": {"type": "interrupt"}},
    ]
    body = asked(api_client, session, "interrupts", "fields=state&search=type+%3D+'approval'")
    assert body["items"] == [{"id": "i3", "state": "answered"}]


@pytest.mark.parametrize(
    ("kind", "query", "error_id"),
    [
        ("runs", "orderBy=kind", "21"),
        ("runs", "orderBy=input", "21"),
        ("runs", "orderBy=number+DESC", "21"),
        ("runs", "search=input+%3D+'x'", "21"),
        ("runs", "search=number+%3D+'x'", "21"),
        ("runs", "search=sessions.number+%3D+1", "21"),
        ("runs", "search=resumes_at+is+null", "21"),
        ("runs", "fields=runner_instance", "8"),
        ("runs", "fields=outcome.type", "8"),
        ("runs", "page=%00", "21"),
        ("interrupts", "orderBy=kind", "21"),
        ("interrupts", "search=run+%3D+'x'", "21"),
        ("interrupts", "fields=href", "8"),
    ],
)
def test_refused_parameters(api_client, session, kind, query, error_id):
    check_error(api_client.call("get", f"/sessions/{session.pk}/{kind}?{query}"), 400, error_id)


def test_what_a_run_looks_like(api_client, session):
    _, full, _, bare = asked(api_client, session, "runs")["items"]
    assert bare == {
        "kind": "Run",
        "id": "r1",
        "session_id": session.pk,
        "number": 1,
        "trigger": "message",
        "state": "finished",
        "created_at": DAYS[0],
    }
    assert full == bare | {
        "id": "r3",
        "number": 3,
        "trigger": "agui",
        "actor": "alice",
        "message_id": "m",
        "resumes": "r2",
        "started_at": "2026-01-03T10:00:01Z",
        "finished_at": "2026-01-03T10:00:02.500000Z",
        "first_seq": 2**40,
        "last_seq": 2**40 + 7,
        "outcome": {"type": "interrupt"},
        "error_code": "",
        "error_message": "none",
        "usage": [{"model": "m", "inputTokens": 3}],
        "cost_usd": 0.25,
        "model": "big",
    }


def test_what_an_interrupt_looks_like(api_client, session):
    Interrupt.objects.filter(pk="i2").update(response_schema="null")
    _, answered, bare, _ = asked(api_client, session, "interrupts")["items"]
    assert bare == {
        "kind": "Interrupt",
        "id": "i2",
        "session_id": session.pk,
        "run_id": "r",
        "interrupt_id": "q-2",
        "type": "question",
        "request": {"message": "Which colour?"},
        "state": "open",
        "created_at": DAYS[1],
        "expires_at": "2036-01-01T00:00:00Z",
    }
    assert answered == bare | {
        "id": "i3",
        "interrupt_id": "q-3",
        "type": "approval",
        "response_schema": {"type": "object"},
        "state": "answered",
        "created_at": DAYS[2],
        "answer": {"status": "resolved", "payload": False},
        "answered_by": "alice",
        "answered_at": "2026-01-03T11:00:00Z",
    }
