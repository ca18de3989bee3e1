"""The agent SDK's session store: the session's own runner appends and reads, everybody else is refused."""

import json

import pytest

from sessions_app.models import SdkSessionEntry, Session
from sessions_app.services import sdk_entries
from sessions_app.tokens import issue_session_token
from tests.conftest import WireClient
from tests.factories import SessionFactory
from tests.integration.api.test_wire import check_error

KEY = "main/3fb2d0f1"


@pytest.fixture
def runner(session):
    """A client with the session's own token."""
    Session.objects.filter(pk=session.pk).update(phase="Creating", attempt=1)
    session.refresh_from_db()
    return WireClient(headers={"Authorization": f"Bearer {issue_session_token(session).token}"})


def texts(*values):
    return [json.dumps(value) for value in values]


def append(client, session, position, *values, key=KEY):
    body = {"key": key, "position": position, "entries": texts(*values)}
    return client.call("post", f"/sessions/{session.pk}/sdk_entries", body)


def read(client, session, after=0, key=KEY):
    return client.call("get", f"/sessions/{session.pk}/sdk_entries?key={key}&after={after}")


def test_entries_come_back_in_order_and_as_they_were(runner, session):
    odd = {"b": 1, "a": "\u0000\ud800", "n": 1.0}
    assert append(runner, session, 1, odd, 2).json() == {"head": 2}
    assert append(runner, session, 3, 3).json() == {"head": 3}
    assert append(runner, session, 1, "x", key="other").json() == {"head": 1}
    page = read(runner, session).json()
    assert [item["entry"] for item in page["items"]] == texts(odd, 2, 3)
    assert (page["key"], page["more"]) == (KEY, False)
    assert [item["position"] for item in read(runner, session, after=1).json()["items"]] == [2, 3]
    keys = runner.call("get", f"/sessions/{session.pk}/sdk_keys").json()
    assert keys == {"items": [{"key": KEY, "head": 3}, {"key": "other", "head": 1}]}


@pytest.mark.parametrize(
    ("position", "values", "status", "head"),
    [
        pytest.param(1, ["a", "b"], 200, 2, id="the-same-again"),
        pytest.param(2, ["b", "c"], 200, 3, id="partly-there"),
        pytest.param(1, ["a"], 200, 2, id="the-first-part-again"),
        pytest.param(2, ["x", "c"], 409, 2, id="another-entry-there"),
        pytest.param(4, ["d"], 409, 2, id="a-gap"),
        pytest.param(0, ["d"], 400, 2, id="no-position-0"),
    ],
)
def test_appending_again(runner, session, position, values, status, head):
    append(runner, session, 1, "a", "b")
    response = append(runner, session, position, *values)
    assert response.status_code == status, response.content
    if status == 200:
        assert response.json() == {"head": head}
    stored = [item["entry"] for item in read(runner, session).json()["items"]]
    assert stored == texts("a", "b", "c")[:head]


def test_long_lists_are_read_page_by_page(runner, session, monkeypatch):
    monkeypatch.setattr(sdk_entries, "PAGE_ENTRIES", 3)
    append(runner, session, 1, *range(7))
    after, pages = 0, []
    while True:
        page = read(runner, session, after).json()
        pages.append([item["position"] for item in page["items"]])
        after = pages[-1][-1]
        if not page["more"]:
            break
    assert pages == [[1, 2, 3], [4, 5, 6], [7]]


def test_a_page_is_bounded_in_size(runner, session, monkeypatch):
    monkeypatch.setattr(sdk_entries, "PAGE_CHARACTERS", 10)
    append(runner, session, 1, "x" * 50, "y" * 50)
    page = read(runner, session).json()
    assert ([item["position"] for item in page["items"]], page["more"]) == ([1], True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"key": ""}, id="empty-key"),
        pytest.param({"key": "k" * 256}, id="long-key"),
        pytest.param({"key": 1}, id="key-is-no-text"),
        pytest.param({"position": "1"}, id="position-is-no-number"),
        pytest.param({"position": True}, id="position-is-a-flag"),
        pytest.param({"entries": []}, id="no-entries"),
        pytest.param({"entries": ["{"]}, id="entry-is-no-json"),
        pytest.param({"entries": [{}]}, id="entry-is-no-text"),
        pytest.param({"entries": "1"}, id="entries-is-no-list"),
    ],
)
def test_wrong_appends_are_refused(runner, session, change):
    body = {"key": KEY, "position": 1, "entries": ["1"]} | change
    assert runner.call("post", f"/sessions/{session.pk}/sdk_entries", body).status_code == 400
    assert not SdkSessionEntry.objects.exists()


CALLS = [
    ("get", "sdk_keys", None),
    ("get", f"sdk_entries?key={KEY}", None),
    ("post", "sdk_entries", {"key": KEY, "position": 1, "entries": ["1"]}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=["keys", "read", "append"])
@pytest.mark.parametrize("role", ["project:owner", "project:viewer", "platform:admin"])
def test_people_are_refused_whatever_their_role(api_client, bind_role, session, role, method, path, body):
    bind_role(role, None if role.startswith("platform") else session.project)
    check_error(api_client.call(method, f"/sessions/{session.pk}/{path}", body), 403, "4")
    assert not SdkSessionEntry.objects.exists()


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=["keys", "read", "append"])
def test_another_sessions_runner_is_refused(runner, session, method, path, body):
    other = SessionFactory(project=session.project)
    status = 404 if method == "get" else 403
    assert runner.call(method, f"/sessions/{other.pk}/{path}", body).status_code == status
    assert not SdkSessionEntry.objects.exists()


def test_an_older_attempt_cannot_append_any_more(runner, session):
    Session.objects.filter(pk=session.pk).update(attempt=2)
    assert append(runner, session, 1, "late").status_code == 401
