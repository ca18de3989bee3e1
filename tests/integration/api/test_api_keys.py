"""API keys over REST: made once, seen by their owner, revoked at once, never wider than what made them."""

import datetime
import os
import subprocess
import sys
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from ambient.common.exceptions import Conflict
from projects_app.models import ApiKey, Role, RoleBinding, User
from projects_app.services.api_keys import api_key_create, api_key_revoke
from projects_app.services.users import user_create
from tests.conftest import V1, WireClient
from tests.factories import ProjectFactory, UserFactory
from tests.integration.api.test_credentials import everything_stored
from tests.integration.api.test_wire import check_error, fingerprint


@pytest.fixture
def bot(db):
    """A service account."""
    return user_create(values={"username": "bot", "name": "Bot", "service_account": True})


def role(name, *permissions, level=2):
    import json

    return Role.objects.create(name=name, permissions=json.dumps(permissions), level=level)


def client_of(text):
    return WireClient(headers={"Authorization": f"Bearer {text}"})


def in_days(days):
    return (timezone.now() + datetime.timedelta(days=days)).isoformat().replace("+00:00", "Z")


def days_left(text):
    return round((datetime.datetime.fromisoformat(text) - timezone.now()).total_seconds() / 86_400)


# Made and shown once


def test_a_key_is_made_and_works(api_client, project, bind_role):
    bind_role("project:viewer", project)
    body = {"name": "ci", "project_id": "demo", "role_id": "project:viewer", "expires_at": in_days(3)}
    response = api_client.call("post", "/api_keys", body)
    assert response.status_code == 201, response.content
    assert response["Cache-Control"] == "no-store"
    answer = response.json()
    text = answer.pop("key")
    assert answer["prefix"] == text[:8]
    assert (answer["kind"], answer["username"], answer["name"]) == ("ApiKey", "alice", "ci")
    assert answer["href"] == f"/api/ambient/v1/api_keys/{answer['id']}"
    assert (answer["project_id"], days_left(answer["expires_at"])) == ("demo", 3)
    assert Role.objects.get(pk=answer["role_id"]).name == "project:viewer"
    made = client_of(text)
    assert made.call("get", "/projects/demo").status_code == 200
    assert made.call("post", "/projects", {"name": "x"}).status_code == 403
    shown = api_client.call("get", f"/api_keys/{answer['id']}").json()
    assert shown.pop("last_used_at").endswith("Z")
    assert shown | {"updated_at": 0} == answer | {"updated_at": 0}


def test_the_text_is_nowhere_but_in_the_answer(api_client, caplog):
    headers = {"Idempotency-Key": "k"}
    first = api_client.call("post", "/api_keys", {"name": "a"}, **headers)
    text = first.json()["key"]
    again = api_client.call("post", "/api_keys", {"name": "a"}, **headers)
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert again["Cache-Control"] == "no-store"
    assert again.json() == {name: value for name, value in first.json().items() if name != "key"}
    assert ApiKey.objects.filter(name="a").count() == 1
    listed = api_client.call("get", "/api_keys").content.decode()
    assert not any(text in where for where in (listed, everything_stored(), caplog.text))
    event = next(record.msg for record in caplog.records if "api key made" in record.getMessage())
    assert (event["prefix"], event["owner"]) == (text[:8], "alice")


@pytest.mark.parametrize(
    ("default", "most", "asked", "days"),
    [
        pytest.param(90, 365, None, 90, id="by-default"),
        pytest.param(90, 30, None, 30, id="by-default-within-the-most"),
        pytest.param(0, 30, None, 30, id="the-most-where-there-is-no-default"),
        pytest.param(0, 0, None, None, id="for-ever-where-that-is-allowed"),
        pytest.param(90, 365, 200, 200, id="as-asked"),
        pytest.param(90, 0, 4000, 4000, id="as-asked-without-a-most"),
        pytest.param(90, 365, 366, 400, id="more-than-the-most"),
        pytest.param(90, 365, -1, 400, id="the-past"),
    ],
)
def test_when_a_key_ends(api_client, settings, default, most, asked, days):
    settings.API_KEY_DEFAULT_DAYS, settings.API_KEY_MAX_DAYS = default, most
    body = {"name": "x"} | ({"expires_at": in_days(asked)} if asked else {})
    response = api_client.call("post", "/api_keys", body)
    if days == 400:
        check_error(response, 400, "8")
        return
    end = response.json().get("expires_at")
    assert (end and days_left(end)) == days


@pytest.mark.parametrize(
    ("body", "error_id"),
    [
        ({"expires_at": "tomorrow"}, "17"),
        ({"expires_at": 5}, "17"),
        ({"project_id": "nowhere"}, "8"),
        ({"role_id": "no:role"}, "8"),
        ({"name": 5}, "17"),
        ({"key": "amb_mine"}, "17"),
        ({"prefix": "amb_mine", "last_used_at": "now"}, None),
        ({"name": "n" * 256}, "8"),
        ({"scope": "all"}, "17"),
    ],
)
def test_bad_keys(api_client, body, error_id):
    before = fingerprint()
    response = api_client.call("post", "/api_keys", body)
    if error_id is None:  # read-only fields are ignored
        assert response.json()["prefix"] != "amb_mine"
        return
    if "key" in body:  # read-only in the answer, unknown in a request
        assert response.status_code in (201, 400)
        return
    check_error(response, 400, error_id)
    assert fingerprint() == before


def test_a_project_that_one_does_not_see_looks_like_none(api_client, project):
    seen = api_client.call("post", "/api_keys", {"project_id": "demo"})
    missing = api_client.call("post", "/api_keys", {"project_id": "none"})
    assert (seen.status_code, seen.json()["reason"]) == (400, missing.json()["reason"])


# Seen and revoked


def test_everybody_sees_their_own(api_client, client_for, admin, user):
    other = UserFactory(username="bob")
    theirs, _ = api_key_create(user=other)
    listed = api_client.call("get", "/api_keys").json()
    assert {item["username"] for item in listed["items"]} == {"alice"}
    check_error(api_client.call("get", f"/api_keys/{theirs.pk}"), 404, "7")
    check_error(api_client.call("delete", f"/api_keys/{theirs.pk}"), 403, "4")
    assert api_client.call("get", "/api_keys?username=bob").json()["total"] == 0
    boss = client_for(admin)
    assert boss.call("get", "/api_keys?username=bob").json()["items"][0]["id"] == theirs.pk
    assert boss.call("delete", f"/api_keys/{theirs.pk}").status_code == 204
    theirs.refresh_from_db()
    assert theirs.revoked_at is not None
    assert boss.call("delete", "/api_keys/none").status_code == 204


@pytest.mark.parametrize(
    "query",
    ["search=name='a'", "search=prefix+like+'amb_%25'", "orderBy=last_used_at+desc", "fields=prefix,name"],
)
def test_lists_take_the_usual_queries(api_client, query):
    api_client.call("post", "/api_keys", {"name": "a"})
    assert api_client.call("get", f"/api_keys?{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["search=digest+like+'a%25'", "search=key='x'", "orderBy=digest", "fields=digest"]
)
def test_nothing_of_the_digest_can_be_probed(api_client, query):
    assert api_client.call("get", f"/api_keys?{query}").status_code == 400


def test_rotation(api_client):
    """A second key, then the first is revoked, by the second."""
    first = api_client.call("post", "/api_keys", {"name": "one"}).json()
    old = client_of(first["key"])
    second = old.call("post", "/api_keys", {"name": "two"}).json()
    new = client_of(second["key"])
    assert new.call("delete", f"/api_keys/{first['id']}").status_code == 204
    assert (old.call("get", "/projects").status_code, new.call("get", "/projects").status_code) == (401, 200)
    shown = {item["name"]: item for item in new.call("get", "/api_keys").json()["items"]}
    assert "revoked_at" in shown["one"]
    assert "revoked_at" not in shown["two"]


READER = """
import os, sys, django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from django.test import Client
client = Client(headers={"Authorization": "Bearer " + sys.stdin.readline().strip()})
print("ready", flush=True)
for line in sys.stdin:
    print(client.get("/api/ambient/v1/users").status_code, flush=True)
"""


class Replica:
    """Another process of the API, asked line by line."""

    def __init__(self, text):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "ambient.settings",
            "AMBIENT_ALLOWED_HOSTS": "testserver,localhost",
            "AMBIENT_LOG_LEVEL": "ERROR",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, connection.settings_dict["NAME"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.write(text)
        assert self.process.stdout.readline() == "ready\n"

    def write(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def status(self):
        self.write("")
        return int(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def revoke(key):
    api_key_revoke(key=key)


def deactivate(key):
    from projects_app.services.users import user_update

    user_update(user=key.user, changes={"is_active": False})


def expire(key):
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", [revoke, deactivate, expire])
def test_a_key_that_ends_is_out_on_every_replica_with_the_next_request(end):
    key, text = api_key_create(user=UserFactory())
    replicas = [Replica(text) for _ in range(2)]
    try:
        assert [replica.status() for replica in replicas for _ in range(2)] == [200] * 4  # all is warm
        end(key)
        assert [replica.status() for replica in replicas] == [401, 401]
    finally:
        for replica in replicas:
            replica.close()


# Narrowed keys


@pytest.mark.parametrize(
    ("mine", "asked", "status"),
    [
        pytest.param({}, {}, 201, id="plain-makes-plain"),
        pytest.param({}, {"role_id": "project:viewer"}, 201, id="plain-makes-narrower"),
        pytest.param({"role": "project:owner"}, {"role_id": "project:viewer"}, 403, id="role-without-keys"),
        pytest.param({"role": "keys"}, {}, 403, id="role-key-makes-no-plain-one"),
        pytest.param({"role": "keys"}, {"role_id": "keys"}, 201, id="the-same-role"),
        pytest.param({"role": "keys"}, {"role_id": "less"}, 201, id="a-smaller-role"),
        pytest.param({"role": "keys"}, {"role_id": "platform:admin"}, 403, id="a-bigger-role"),
        pytest.param({"role": "keys"}, {"role_id": "credential:token-reader"}, 403, id="another-role"),
        pytest.param({"project": "demo"}, {}, 403, id="project-key-makes-no-plain-one"),
        pytest.param({"project": "demo"}, {"project_id": "demo"}, 201, id="the-same-project"),
        pytest.param({"project": "demo"}, {"project_id": "other"}, 400, id="another-project-is-not-seen"),
        pytest.param({"role": "keys", "project": "demo"}, {"role_id": "keys"}, 403, id="both-one-is-missing"),
        pytest.param(
            {"role": "keys", "project": "demo"}, {"role_id": "less", "project_id": "demo"}, 201, id="both"
        ),
    ],
)
@pytest.mark.parametrize("superuser", [False, True])
def test_a_key_makes_no_wider_key(client_for, bind_role, project, mine, asked, status, superuser):
    owner = UserFactory(is_superuser=superuser)
    for home in (project, ProjectFactory(id="other")):
        bind_role("project:owner", home, to=owner)
    role("keys", "api_key:create", "api_key:read", "project:read", "session:read")
    role("less", "project:read")
    narrow = {}
    if "project" in mine:
        narrow["project"] = project
    if "role" in mine:
        narrow["role"] = Role.objects.get(name=mine["role"])
    before = ApiKey.objects.count()
    response = client_for(owner, **narrow).call("post", "/api_keys", asked)
    assert response.status_code == status, response.content
    assert ApiKey.objects.count() == before + 1 + (status == 201)


def test_a_narrowed_key_makes_none_that_outlives_it(client_for, user):
    narrow = role("keys", "api_key:create", "api_key:read")
    end = timezone.now() + datetime.timedelta(days=2)
    client = client_for(user, role=narrow, expires_at=end)
    made = client.call("post", "/api_keys", {"role_id": "keys"}).json()
    assert days_left(made["expires_at"]) == 2
    later = {"role_id": "keys", "expires_at": in_days(3)}
    check_error(client.call("post", "/api_keys", later), 403, "4")


@pytest.mark.parametrize(
    ("key", "listed", "revoke"),
    [
        pytest.param({}, 3, 204, id="plain"),
        pytest.param({"project": "demo"}, 2, 204, id="project-key-sees-and-ends-those-of-its-project"),
        pytest.param({"role": "project:viewer"}, 0, 403, id="role-key-without-keys"),
        pytest.param({"role": "sees"}, 3, 403, id="role-key-that-only-sees"),
    ],
)
def test_what_a_narrowed_key_sees_and_ends(client_for, user, project, key, listed, revoke):
    role("sees", "api_key:read")
    other, _ = api_key_create(user=user, project=project)
    api_key_create(user=user)
    narrow = {"project": project} if "project" in key else {}
    if "role" in key:
        narrow["role"] = Role.objects.get(name=key["role"])
    client = client_for(user, **narrow)
    assert client.call("get", "/api_keys").json()["total"] == listed
    assert client.call("delete", f"/api_keys/{other.pk}").status_code == revoke


@pytest.mark.parametrize(
    ("narrow", "grants"),
    [("giver", set()), ("project:owner", {"project:editor", "project:viewer"}), ("project:editor", set())],
)
def test_a_narrowed_key_grants_nothing_above_itself(client_for, bind_role, project, narrow, grants):
    """A role of one's own gives no level; project:editor has no role_binding:create, which a key needs."""
    owner = UserFactory()
    bind_role("project:owner", project, to=owner)
    role("giver", "role_binding:create", "project:read", level=1)
    client = client_for(owner, role=Role.objects.get(name=narrow))
    binding = {"scope": "project", "project_id": "demo", "user_id": "x"}
    for name in ("project:editor", "project:viewer", "project:owner"):
        status = 201 if name in grants else 403
        assert client.call("post", "/role_bindings", binding | {"role_id": name}).status_code == status


# Service accounts


def test_an_administrator_makes_a_service_account_and_its_key(admin_client_wire, project):
    body = {"username": "ci", "name": "CI", "service_account": True}
    made = admin_client_wire.call("post", "/users", body).json()
    assert made["service_account"] is True
    text = admin_client_wire.call("post", "/api_keys", {"username": "ci", "name": "n"}).json()["key"]
    client = client_of(text)
    assert client.call("get", "/users").json()["items"][0]["username"] == "ci"
    assert client.call("get", "/projects/demo").status_code == 404
    assert client.call("post", "/api_keys", {"name": "its own"}).status_code == 201
    change = {"service_account": False, "name": "x"}
    answer = admin_client_wire.call("patch", f"/users/{made['id']}", change).json()
    assert (answer["service_account"], answer["name"]) == (True, "x")


def test_who_is_no_administrator_makes_none(api_client, bot):
    body = {"username": "ci", "name": "CI", "service_account": True}
    check_error(api_client.call("post", "/users", body), 403, "4")
    check_error(api_client.call("post", "/api_keys", {"username": "bot"}), 403, "4")
    check_error(api_client.call("post", "/api_keys", {"username": "nobody"}), 403, "4")


def test_nobody_makes_a_key_in_the_name_of_a_person(admin_client_wire, user):
    for username in ("alice", "nobody"):
        check_error(admin_client_wire.call("post", "/api_keys", {"username": username}), 400, "8")


@pytest.mark.parametrize(
    ("theirs", "status"),
    [(None, 201), ("platform:viewer", 403), ("credential:owner", 403), ("platform:admin", 403)],
)
def test_keys_only_for_accounts_below_oneself(client_for, bind_role, user, bot, theirs, status):
    """A custom role with `api_key:create` is of level 1."""
    role("keeper", "api_key:*", level=1)
    bind_role("keeper")
    bind_role(theirs, to=bot)
    assert client_for(user).call("post", "/api_keys", {"username": "bot"}).status_code == status


@pytest.mark.parametrize("narrow", ["project", "role"])
def test_a_narrowed_key_makes_none_for_service_accounts(client_for, admin, bot, project, narrow):
    given = {"project": project} if narrow == "project" else {"role": Role.objects.get(name="project:owner")}
    check_error(client_for(admin, **given).call("post", "/api_keys", {"username": "bot"}), 403, "4")


def test_no_password_and_no_cookie_for_a_service_account(client, bot):
    bot.set_password("let me in 123")  # as `manage.py changepassword` does
    bot.save()
    assert not client.login(username="bot", password="let me in 123")
    client.force_login(bot)
    assert client.get(f"{V1}/users").status_code == 401
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_a_service_account_gets_no_powers(client, admin, bot, power):
    from django.db import IntegrityError
    from django.urls import reverse

    client.force_login(admin)
    page = reverse("admin:projects_app_user_change", args=[bot.pk])
    data = {"username": "bot", "name": "Bot", "is_active": "on", power: "on"}
    assert "a service account does not use the admin" in client.post(page, data).content.decode()
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=bot.pk).update(**{power: True})


def test_the_admin_makes_a_service_account(client, admin):
    from django.urls import reverse

    client.force_login(admin)
    data = {"username": "ci", "name": "CI", "service_account": "on"}
    client.post(reverse("admin:projects_app_user_add"), data)
    assert User.objects.get(username="ci").service_account


@pytest.mark.parametrize("name", ["session:2ZQ", "session:"])
def test_nobody_is_called_as_a_runner(admin_client_wire, user, name):
    check_error(admin_client_wire.call("post", "/users", {"username": name, "name": "x"}), 400, "8")
    check_error(admin_client_wire.call("patch", f"/users/{user.pk}", {"username": name}), 400, "8")


@pytest.mark.parametrize("username", ["controller", "service-account-controller"])
def test_the_named_controller_is_an_administrator_from_its_first_request(
    client_for, settings, project, username
):
    settings.SERVICE_ACCOUNT = "controller"
    account = user_create(values={"username": username, "name": "C", "service_account": True})
    client = client_for(account)
    assert client.call("get", "/projects/demo").status_code == 200
    binding = RoleBinding.objects.get(user_id=username)
    assert (binding.role.name, binding.scope) == ("platform:admin", "global")
    from projects_app.services.role_bindings import role_binding_delete

    role_binding_delete(binding=binding)  # it is judged as everybody, and what was taken away stays away
    ApiKey.objects.update(last_used_at=None)
    assert client.call("get", "/projects/demo").status_code == 404


def test_nobody_else_is_made_an_administrator(client_for, settings, user):
    settings.SERVICE_ACCOUNT = "controller"
    client_for(user).call("get", "/projects")
    assert not RoleBinding.objects.exists()


# How many


def test_a_person_has_only_so_many_live_keys(api_client, client_for, user, bot, admin, settings):
    """Revoked and ended ones do not count; others' neither."""
    settings.API_KEYS_PER_USER = 3  # one is the client's own
    made = [api_client.call("post", "/api_keys", {"name": f"k{n}"}) for n in range(3)]
    assert [answer.status_code for answer in made] == [201, 201, 409]
    check_error(made[2], 409, "6")
    assert made[2].json()["reason"] == "a user may have at most 3 live API keys; revoke one first"
    api_key_create(user=bot)
    for end in (revoke, expire):
        end(ApiKey.objects.filter(user=user, revoked_at=None).order_by("-created_at").first())
        assert api_client.call("post", "/api_keys", {"name": "again"}).status_code == 201
        assert api_client.call("post", "/api_keys", {"name": "again"}).status_code == 409
    with pytest.raises(CommandError, match="at most 3"):
        call_command("create_api_key", "--user", "alice")
    settings.API_KEYS_PER_USER = 0
    assert api_client.call("post", "/api_keys", {"name": "no limit"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_last_keys_cannot_both_be_made(settings):
    settings.API_KEYS_PER_USER = 1
    user, outcomes, barrier = UserFactory(), [], threading.Barrier(2)

    def make():
        barrier.wait(timeout=20)
        try:
            api_key_create(user=user)
            outcomes.append("made")
        except Conflict:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["made", "refused"]
