"""Who is calling: keys, cookies with CSRF, and the name in the audit log."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from ambient import env
from ambient.common.exceptions import Unauthenticated
from projects_app.authentication import authenticate_bearer
from projects_app.models import ApiKey, AuditEntry
from projects_app.services.api_keys import api_key_create, api_key_revoke
from projects_app.services.users import user_delete
from sessions_app.models import Session
from sessions_app.tokens import issue_session_token
from tests.conftest import V1, WireClient
from tests.factories import ProjectFactory, RoleFactory
from tests.integration.api.test_wire import check_error


@pytest.fixture
def key(user):
    return api_key_create(user=user)


def test_key_form_and_storage(key):
    row, text = key
    assert text.startswith("amb_")
    assert len(text) == 47
    assert text not in str(vars(row))
    assert authenticate_bearer(text).username == "alice"


def expire(row):
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() - datetime.timedelta(seconds=1))


def deactivate(row):
    row.user.is_active = False
    row.user.save()


def narrow_to_what_is_deleted(**scope):
    def act(row):
        ApiKey.objects.filter(pk=row.pk).update(**{name: make() for name, make in scope.items()})

    return act


REFUSED = {
    "expired": (expire, "The API key has expired"),
    "revoked": (lambda row: api_key_revoke(key=row), "The API key is revoked"),
    "inactive-user": (deactivate, "The account may not sign in"),
    "deleted-user": (lambda row: user_delete(user=row.user), "The API key is revoked"),
    "project-gone": (
        narrow_to_what_is_deleted(project=lambda: ProjectFactory(deleted_at=timezone.now())),
        "The API key's project is deleted",
    ),
    "role-gone": (
        narrow_to_what_is_deleted(role=lambda: RoleFactory(deleted_at=timezone.now())),
        "The API key's role is deleted",
    ),
    "deleted-key": (
        lambda row: ApiKey.objects.filter(pk=row.pk).update(deleted_at=timezone.now()),
        "The API key is not known",
    ),
}


def check_refused(text, reason):
    """The answer and its header (RFC 6750) name the kind of fault, and not the token."""
    answer = WireClient(headers={"Authorization": f"Bearer {text}"}).call("get", "/projects")
    check_error(answer, 401, "15")
    assert answer.json()["reason"] == reason
    expected = f'Bearer error="invalid_token", error_description="{reason}"'
    assert answer["WWW-Authenticate"] == expected


@pytest.mark.parametrize("how", REFUSED)
def test_refused_keys(key, how):
    row, text = key
    act, reason = REFUSED[how]
    act(row)
    with pytest.raises(Unauthenticated):
        authenticate_bearer(text)
    check_refused(text, reason)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("amb_", "The API key is malformed"),
        ("amb_" + "x" * 42, "The API key is malformed"),
        ("amb_" + "\0" * 43, "The API key is malformed"),
        ("amb_" + "x" * 43, "The API key is not known"),
        ("ambs_x", "the session token is not valid"),
        ("x" * 5000, "The token is of no known kind"),
        ("a.b.c", "The token is of no known kind"),
        ("", "The token is of no known kind"),
    ],
)
def test_refused_tokens(db, token, reason):
    with pytest.raises(Unauthenticated, match=reason):
        authenticate_bearer(token)
    if token and "\0" not in token:
        check_refused(token, reason)


def test_an_unknown_key_is_answered_as_one_that_never_was(key):
    """What became of a key is for who has all of it; its first characters, as in logs, tell nothing."""
    row, text = key
    api_key_revoke(key=row)
    check_refused(text[:-1] + ("a" if text[-1] != "a" else "b"), "The API key is not known")


def test_without_a_token_no_fault_is_named(anonymous):
    for headers in ({}, {"Authorization": "Basic eA=="}):
        assert anonymous.call("get", "/projects", **headers)["WWW-Authenticate"] == "Bearer"


SESSION_FAULTS = {
    "the session is deleted": {"desired_state": "deleted"},
    "the session is stopped": {"desired_state": "stopped"},
    "the session has a newer attempt": {"attempt": 2},
}


@pytest.mark.parametrize("reason", SESSION_FAULTS)
def test_refused_session_tokens(session, reason):
    Session.objects.filter(pk=session.pk).update(phase="Running", attempt=1)
    text = issue_session_token(Session.objects.get(pk=session.pk)).token
    Session.objects.filter(pk=session.pk).update(**SESSION_FAULTS[reason])
    check_refused(text, reason)


def test_an_expired_and_a_forged_session_token(session, monkeypatch):
    text = issue_session_token(session).token
    check_refused(text[:-1] + ("a" if text[-1] != "a" else "b"), "the session token is not valid")
    monkeypatch.setattr(env, "SESSION_TOKEN_SECONDS", -1)
    check_refused(text, "the session token has expired")


def test_last_use_is_written_once_a_minute(key):
    row, text = key
    authenticate_bearer(text)
    first = ApiKey.objects.get(pk=row.pk).last_used_at
    authenticate_bearer(text)
    assert ApiKey.objects.get(pk=row.pk).last_used_at == first
    earlier = first - datetime.timedelta(seconds=61)
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=earlier)
    authenticate_bearer(text)
    assert ApiKey.objects.get(pk=row.pk).last_used_at > earlier


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer KEY"}, 200),
        ({"Authorization": "bearer KEY"}, 200),
        ({"X-Forwarded-Access-Token": "KEY"}, 200),
        ({"Authorization": "Bearer bad", "X-Forwarded-Access-Token": "KEY"}, 401),
        ({"Authorization": "KEY"}, 401),
        ({"Authorization": ""}, 401),
        ({}, 401),
    ],
)
def test_headers(key, headers, status):
    sent = {name: value.replace("KEY", key[1]) for name, value in headers.items()}
    assert WireClient().call("get", "/projects", **sent).status_code == status


def test_cookie_reads_freely_and_writes_with_the_csrf_token(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get(f"{V1}/projects").status_code == 200
    refused = client.post(f"{V1}/projects", b'{"name": "mine"}', content_type="application/json")
    assert refused.status_code == 403
    assert refused.json()["id"] == "4"
    client.get("/admin/login/")
    token = client.cookies["csrftoken"].value
    for content_type, name in (("application/json", "mine"), ("application/x-www-form-urlencoded", "mine2")):
        made = client.post(
            f"{V1}/projects",
            b'{"name": "%s"}' % name.encode(),
            content_type=content_type,
            headers={"X-CSRFToken": token},
        )
        assert made.status_code == 201, made.content
    user_delete_free = client.get(f"{V1}/users").json()["items"]
    assert [row["username"] for row in user_delete_free] == ["alice"]


def test_cookie_of_an_inactive_user_is_refused(user):
    client = Client()
    client.force_login(user)
    user.is_active = False
    user.save()
    assert client.get(f"{V1}/projects").status_code == 401


def test_history_names_the_actor_and_the_request(api_client, project, bind_role):
    bind_role("project:owner", project)
    response = api_client.call("post", "/projects/demo/agents", {"name": "x"})
    entry = AuditEntry.objects.get(object_id=response.json()["id"])
    assert (entry.actor, entry.request_id) == ("alice", response["X-Operation-ID"])


def test_operation_id_of_the_client_is_kept(api_client):
    response = api_client.call("get", "/sessions/none", **{"X-Operation-ID": "mine-1"})
    assert response["X-Operation-ID"] == response.json()["operation_id"] == "mine-1"
