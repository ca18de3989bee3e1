"""Who is calling: keys, cookies with CSRF, and the name in the audit log."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from ambient.common.exceptions import Unauthenticated
from projects_app.authentication import authenticate_bearer
from projects_app.models import ApiKey, AuditEntry
from projects_app.services.api_keys import api_key_create, api_key_revoke
from projects_app.services.users import user_delete
from tests.conftest import V1, WireClient


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


REFUSED = {
    "expired": expire,
    "revoked": lambda row: api_key_revoke(key=row),
    "inactive-user": deactivate,
    "deleted-user": lambda row: user_delete(user=row.user),
    "deleted-key": lambda row: ApiKey.objects.filter(pk=row.pk).update(deleted_at=timezone.now()),
}


@pytest.mark.parametrize("how", REFUSED)
def test_refused_keys(key, how):
    row, text = key
    REFUSED[how](row)
    with pytest.raises(Unauthenticated):
        authenticate_bearer(text)


@pytest.mark.parametrize(
    "token", ["", "amb_", "amb_" + "x" * 43, "x" * 5000, "amb_" + "\0" * 43, "ambs_x", "a.b.c"]
)
def test_refused_tokens(db, token):
    with pytest.raises(Unauthenticated):
        authenticate_bearer(token)


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
