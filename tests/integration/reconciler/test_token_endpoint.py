"""POST /token and the session token it gives: who gets one, and until when it is good."""

import json

import pytest
from django.core import signing
from django.test import Client

from ambient import env
from ambient.common.exceptions import Unauthenticated
from reconciler.kubernetes.client import Cluster
from reconciler.launch import launch_document
from reconciler.runtimes.kubernetes import KubernetesRuntime
from sessions_app import tokens
from sessions_app.models import Session
from sessions_app.tokens import issue_session_token, saving_runner_identity, session_token_identity

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reconciler.urls")]

DELETED = {"desired_state": "deleted", "deleted_at": "2026-01-01T00:00:00Z"}


@pytest.fixture
def session(make_session) -> Session:
    made = make_session()
    Session.objects.filter(pk=made.pk).update(phase="Running", attempt=3, observed_generation=1)
    made.refresh_from_db()
    return made


def ask(session: Session, *, bearer: str | None = None, **changes):
    document = launch_document(session, generation=1, attempt=3)
    body = {"session_id": session.pk, "generation": 1, "attempt": 3, "instance": "abc"} | changes
    headers = {"Authorization": f"Bearer {document['launch_token'] if bearer is None else bearer}"}
    return Client(headers=headers).post("/token", json.dumps(body), content_type="application/json")


def test_a_runner_gets_a_token_for_its_own_session(session):
    answer = ask(session)
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "expires_at"}
    assert session_token_identity(answer.json()["token"]).session_id == session.pk


@pytest.mark.parametrize(
    ("row", "asked", "expected"),
    [
        pytest.param({}, {"bearer": "0" * 64}, 401, id="wrong-token"),
        pytest.param({}, {"bearer": "é"}, 401, id="not-even-a-token"),
        pytest.param({}, {"bearer": ""}, 401, id="no-token"),
        pytest.param({}, {"attempt": 4}, 401, id="another-attempts-number"),
        pytest.param({}, {"generation": 2}, 401, id="another-generations-number"),
        pytest.param({}, {"session_id": "nobody"}, 401, id="unknown-session"),
        pytest.param({}, {"attempt": "3"}, 400, id="attempt-is-no-number"),
        pytest.param({}, {"instance": None}, 400, id="no-instance"),
        pytest.param({}, {"purpose": "fun"}, 400, id="unknown-purpose"),
        pytest.param({"runner_secret": None}, {}, 401, id="session-without-a-secret"),
        pytest.param({"attempt": 4}, {}, 403, id="newer-attempt"),
        pytest.param({"generation": 2}, {}, 403, id="started-again"),
        pytest.param({"desired_state": "stopped", "generation": 2}, {}, 403, id="stopped"),
        pytest.param({"phase": "Completed"}, {}, 403, id="completed"),
        pytest.param({"phase": "Failed"}, {}, 403, id="failed"),
        pytest.param(DELETED, {}, 403, id="deleted"),
        pytest.param(
            {"desired_state": "stopped"}, {"purpose": "save"}, 403, id="stopped-and-nothing-to-save"
        ),
    ],
)
def test_refusals(session, row, asked, expected):
    bearer = asked.pop("bearer", launch_document(session, generation=1, attempt=3)["launch_token"])
    Session.objects.filter(pk=session.pk).update(**row)
    answer = ask(session, bearer=bearer, **asked)
    assert answer.status_code == expected
    assert answer.json()["kind"] == "Error"
    assert answer.json()["reason"]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"attempt": 4}, id="newer-attempt"),
        pytest.param({"generation": 2}, id="started-again"),
        pytest.param({"desired_state": "stopped"}, id="stopped"),
        pytest.param({"phase": "Stopped"}, id="final"),
        pytest.param(DELETED, id="deleted"),
    ],
)
def test_a_session_token_ends_with_its_runner(session, row):
    token = issue_session_token(session).token
    assert session_token_identity(token).session_id == session.pk
    Session.objects.filter(pk=session.pk).update(**row)
    with pytest.raises(Unauthenticated):
        session_token_identity(token)


STOPPED = {"desired_state": "stopped", "generation": 2, "phase": "Stopping"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({}, 200, id="wanted"),
        pytest.param(STOPPED, 200, id="stopped"),
        pytest.param(STOPPED | {"desired_state": "running"}, 200, id="started-again-meanwhile"),
        pytest.param({"phase": "Failed"}, 200, id="failed"),
        pytest.param({"attempt": 4}, 403, id="newer-attempt"),
        pytest.param(DELETED, 403, id="deleted"),
    ],
)
def test_a_runner_that_is_ending_gets_a_token_for_its_files_alone(session, monkeypatch, row, expected):
    monkeypatch.setattr(env, "WORKSPACE", "snapshot")
    Session.objects.filter(pk=session.pk).update(**row)
    answer = ask(session, purpose="save")
    assert answer.status_code == expected
    if expected == 200:
        token = answer.json()["token"]
        assert saving_runner_identity(token).session_id == session.pk
        if row:
            with pytest.raises(Unauthenticated):
                session_token_identity(token)


def test_a_session_token_expires(session, monkeypatch):
    monkeypatch.setattr(env, "SESSION_TOKEN_SECONDS", -1)
    with pytest.raises(Unauthenticated, match="expired"):
        session_token_identity(issue_session_token(session).token)


@pytest.mark.parametrize(
    "content",
    [pytest.param(["x"], id="too-short"), pytest.param("text", id="no-list"), pytest.param(7, id="number")],
)
def test_a_signed_text_of_another_form_is_no_token(db, content):
    with pytest.raises(Unauthenticated):
        session_token_identity(tokens.PREFIX + signing.dumps(content, salt=tokens.SALT))


def test_without_a_cluster_nobody_is_refused_for_good(session, monkeypatch):
    monkeypatch.setattr(env, "RUNTIME", "kubernetes")
    runtime = KubernetesRuntime(Cluster("/nowhere/kubeconfig"))
    monkeypatch.setattr("reconciler.views.runtime_for", lambda: runtime)
    answer = ask(session)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_an_operators_runner_has_no_token_of_ours(session, monkeypatch):
    monkeypatch.setattr(env, "RUNTIME", "operator")
    assert ask(session).status_code == 401


@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        pytest.param("process", "the launch token is needed", id="process"),
        pytest.param("kubernetes", "the pod's token for the audience ambient-control-plane", id="pod"),
        pytest.param("operator", "an operator's runner gets no token here", id="operator"),
    ],
)
def test_who_shows_nothing_is_told_what_is_needed(session, monkeypatch, runtime, said):
    monkeypatch.setattr(env, "RUNTIME", runtime)
    answer = ask(session, bearer="")
    assert (answer.status_code, said in answer.json()["reason"]) == (401, True)


@pytest.mark.parametrize("text", ["", "amb_something", "eyJhbGciOi"])
def test_other_kinds_of_tokens_are_not_ours(text):
    assert session_token_identity(text) is None


def test_a_forged_token_is_refused(session):
    with pytest.raises(Unauthenticated):
        session_token_identity(issue_session_token(session).token[:-2] + "xx")
