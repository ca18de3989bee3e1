"""Programs with tokens of an OpenID Connect provider: who they are, and what follows from the token."""

import json
import time

import pytest
from django.contrib.auth.models import Group

from ambient.common.exceptions import Conflict
from projects_app.models import ExternalIdentity, Role, User
from projects_app.oidc import keys, tokens
from projects_app.services.identities import identity_link, identity_unlink
from projects_app.services.role_bindings import role_binding_create
from projects_app.services.users import user_delete
from projects_app.usernames import BLANKS, HIDDEN, MIXED
from tests.conftest import WireClient
from tests.fakes.oidc_issuer import rsa_key
from tests.integration.api.test_wire import check_error

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("trusted")]


def caller(issuer, **claims):
    return WireClient(headers={"Authorization": f"Bearer {issuer.token(**claims)}"})


def status(client, path="/projects"):
    return client.call("get", path).status_code


def test_first_sight_makes_a_user_without_rights(issuer, project):
    answer = caller(issuer).call("get", "/projects")
    assert (answer.status_code, json.loads(answer.content)["total"]) == (200, 0)
    user = User.objects.get(username="alice")
    assert (user.name, user.email) == ("Alice Example", "alice@example.org")
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (False, False, False)
    assert status(caller(issuer), f"/projects/{project.pk}") == 404


def test_a_binding_that_waits_for_the_name_takes_effect(issuer, project):
    viewer = Role.objects.get(name="project:viewer")
    bound = {"scope": "project", "user_id": "alice", "project_id": project.pk}
    role_binding_create(role=viewer, values=bound)
    assert status(caller(issuer), f"/projects/{project.pk}") == 200


def test_an_unlinked_account_is_nobodys_by_its_name(issuer):
    assert status(caller(issuer)) == 200
    identity_unlink(link=ExternalIdentity.objects.get())
    for subject in ("subject-1", "subject-2"):
        assert status(caller(issuer, sub=subject)) == 401
    identity_link(user=User.objects.get(username="alice"), issuer=issuer.url, subject="subject-1")
    assert status(caller(issuer)) == 200


def test_no_issuer_gives_out_names_with_anothers_prefix(issuer, ci):
    assert status(caller(issuer, preferred_username="ci:deploy")) == 401
    assert not User.objects.filter(username="ci:deploy").exists()
    assert status(caller(ci, aud="ci", preferred_username="deploy")) == 200


@pytest.mark.parametrize(
    ("claims", "username"),
    [
        ({"username": "al"}, "al"),
        ({}, "alice"),
        ({"preferred_username": None}, "subject-1"),
        ({"username": 5, "preferred_username": ""}, "subject-1"),
    ],
)
def test_which_claim_names_the_user(issuer, claims, username):
    assert status(caller(issuer, **claims)) == 200
    assert ExternalIdentity.objects.get().user.username == username


def test_a_person_is_known_by_issuer_and_subject_whatever_else_changes(issuer):
    assert status(caller(issuer)) == 200
    changed = {"preferred_username": "alicia", "email": "new@example.org", "name": "Alicia"}
    assert status(caller(issuer, **changed)) == 200
    user = ExternalIdentity.objects.get().user
    assert (user.username, user.email, user.name) == ("alice", "new@example.org", "Alicia")
    stranger = caller(issuer, sub="subject-2", email="new@example.org")
    assert status(stranger) == 401  # the name is taken, and an e-mail address proves nothing


def test_an_administrator_links_an_identity_to_an_account(issuer, admin):
    alice = User.objects.create_user("alice", "a long password")
    assert status(caller(issuer)) == 401
    identity_link(user=alice, issuer=issuer.url, subject="subject-1")
    assert status(caller(issuer)) == 200
    with pytest.raises(Conflict):
        identity_link(user=admin, issuer=issuer.url, subject="subject-1")


def test_an_account_that_was_made_for_the_name_and_never_used_is_theirs(issuer):
    made = User.objects.create(username="alice", name="Alice")
    made.set_unusable_password()
    made.save()
    assert status(caller(issuer)) == 200
    assert ExternalIdentity.objects.get().user == made


def deactivate(user):
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.parametrize(
    "end", [deactivate, lambda user: user_delete(user=user)], ids=["inactive", "deleted"]
)
def test_an_account_that_ended_is_out_at_once_with_a_token_that_was_good(issuer, end):
    client = caller(issuer)
    assert status(client) == 200
    end(User.objects.get(username="alice"))
    assert status(client) == 401


def test_groups_of_the_token_that_exist_here_are_joined_and_left(issuer, trusted):
    for name in ("team", "other", "local"):
        Group.objects.create(name=name)
    assert status(caller(issuer, groups=["team", "unknown", 5])) == 200
    user = User.objects.get(username="alice")
    user.groups.add(Group.objects.get(name="local"))
    assert status(caller(issuer, groups=["other"])) == 200
    assert set(user.groups.values_list("name", flat=True)) == {"other", "local"}
    assert status(caller(issuer, groups=None)) == 200
    assert set(user.groups.values_list("name", flat=True)) == {"local"}
    assert not Group.objects.filter(name="unknown").exists()


def test_administrators_are_who_is_in_the_configured_group_and_nobody_longer(issuer):
    assert status(caller(issuer, groups=["platform-admins"])) == 200
    user = User.objects.get(username="alice")
    assert user.is_superuser
    assert user.is_staff
    assert status(caller(issuer, groups=[])) == 200
    user.refresh_from_db()
    assert (user.is_superuser, user.is_staff) == (False, False)


def test_the_same_token_again_writes_nothing(issuer):
    client = caller(issuer)
    assert status(client) == 200
    seen = ExternalIdentity.objects.get().last_seen_at
    assert status(client) == 200
    assert ExternalIdentity.objects.get().last_seen_at == seen
    assert issuer.asked == ["/.well-known/openid-configuration", "/jwks"]


def test_a_token_that_was_verified_ends_with_its_time(issuer, monkeypatch):
    client = caller(issuer)
    assert status(client) == 200
    later = time.time() + 3600
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    assert status(client) == 401


def test_keys_rotate(issuer, monkeypatch):
    assert status(caller(issuer)) == 200
    old = issuer.token(jti="another")
    issuer.keys["second"] = rsa_key()
    monkeypatch.setattr(keys, "PAUSE_SECONDS", 0.0)
    assert status(caller(issuer, kid="second", key=issuer.keys["second"])) == 200
    del issuer.keys["first"]
    monkeypatch.setattr(keys, "LIFE_SECONDS", 0.0)
    assert status(WireClient(headers={"Authorization": f"Bearer {old}"})) == 401


def test_a_token_that_was_verified_ends_with_its_key(issuer, monkeypatch):
    client = caller(issuer)
    assert status(client) == 200
    issuer.keys = {"second": rsa_key()}  # the first was stolen, and withdrawn
    assert status(client) == 200  # until its keys are read again
    monkeypatch.setattr(keys, "LIFE_SECONDS", 0.0)
    monkeypatch.setattr(keys, "PAUSE_SECONDS", 0.0)
    assert status(client) == 401


def test_known_keys_are_used_while_the_provider_is_away(issuer, monkeypatch):
    assert status(caller(issuer)) == 200
    issuer.away = True
    monkeypatch.setattr(keys, "LIFE_SECONDS", 0.0)
    monkeypatch.setattr(keys, "PAUSE_SECONDS", 0.0)
    assert status(caller(issuer, jti="new")) == 200


@pytest.mark.parametrize(
    "document",
    [
        None,
        b"no json",
        [],
        {"issuer": "https://other.example", "jwks_uri": "https://other.example/jwks"},
        {"issuer": "SELF", "jwks_uri": "http://keys.example/jwks"},
        {"issuer": "SELF", "jwks_uri": "file:///etc/passwd"},
        {"issuer": "SELF"},
    ],
    ids=["away", "no-json", "no-object", "of-another", "keys-over-http", "keys-from-a-file", "no-keys"],
)
def test_without_keys_the_answer_is_503_and_not_a_refusal(issuer, document):
    if document is None:
        issuer.away = True
    if isinstance(document, dict) and document["issuer"] == "SELF":
        document["issuer"] = issuer.url
    issuer.documents["/.well-known/openid-configuration"] = document
    answer = caller(issuer).call("get", "/projects")
    assert answer.status_code == 503
    assert answer["Retry-After"]


def test_a_jwks_that_is_endless_is_not_read_to_its_end(issuer, monkeypatch):
    monkeypatch.setattr(keys, "MAX_BYTES", 1000)
    issuer.documents["/jwks"] = b" " * 10_000
    assert status(caller(issuer)) == 503


def test_clients_are_told_where_people_sign_in(issuer, api_client):
    found = json.loads(api_client.call("get", "/auth/config").content)
    assert found == {"methods": ["oidc", "api_key"], "issuer": issuer.url, "audience": "ambient"}


def test_without_issuers_such_a_token_is_like_any_other_bad_one(issuer, settings):
    settings.OIDC_ISSUERS = []
    assert status(caller(issuer)) == 401
    assert issuer.asked == []


BAD_NAMES = [
    ("al\u200bice", HIDDEN),
    ("\u202eecila", HIDDEN),
    ("alice\r\nroot", HIDDEN),
    ("\u0430lice", MIXED),
    (" alice", BLANKS),
]


@pytest.mark.parametrize(("name", "fault"), BAD_NAMES, ids=[ascii(name) for name, _ in BAD_NAMES])
def test_names_that_deceive_are_refused_at_first_sight(issuer, name, fault):
    answer = caller(issuer, preferred_username=name).call("get", "/projects")
    check_error(answer, 401, "15")
    assert answer.json()["reason"] == f"The token's {fault}"
    assert answer["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert not User.objects.exists()


def test_who_had_such_a_name_before_still_comes_in(issuer):
    """It stays as at first sight; the person is known by issuer and subject."""
    old = User.objects.create(username="al\u200bice", name="Alice")
    identity_link(user=old, issuer=issuer.url, subject="subject-1")
    assert status(caller(issuer, preferred_username="al\u200bice")) == 200


def test_a_name_has_one_form(issuer, ci, project):
    """Also where a prefix of another issuer is written in other characters."""
    bound = {"scope": "project", "user_id": "\uff41lice", "project_id": project.pk}
    role_binding_create(role=Role.objects.get(name="project:viewer"), values=bound)
    client = caller(issuer, preferred_username="\uff41lice")
    assert status(client, f"/projects/{project.pk}") == 200
    assert ExternalIdentity.objects.get().user.username == "alice"
    assert status(caller(issuer, sub="2", preferred_username="ci\uff1adeploy")) == 401
    assert status(caller(issuer, sub="3", preferred_username="al\u200bice")) == 401
