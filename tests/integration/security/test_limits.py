"""Limits per caller and class: who pays, what they are told, and that Valkey may be away."""

import time

import pytest
import redis

from ambient.common import throttling
from ambient.common.exceptions import TooMany
from projects_app.access import RunnerIdentity
from projects_app.services.credentials import credential_create
from tests.factories import UserFactory

REFUSED = {"kind": "Error", "id": "8", "code": "ambient-api-server-8", "reason": "Too many requests"}


def statuses(client, path, count, method="get", body=None, **headers):
    return [client.call(method, path, body, **headers).status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "method", "path", "body", "good"),
    [
        pytest.param("read", "get", "/projects", None, 200, id="lists"),
        pytest.param("read", "get", "/projects/none", None, 404, id="what-is-not-there-counts"),
        pytest.param("write", "post", "/projects", {}, 400, id="bad-writes-count"),
        pytest.param("write", "delete", "/projects/none", None, 204, id="deletes"),
        pytest.param("read", "get", "/no/such/path", None, 404, id="unknown-paths"),
    ],
)
def test_beyond_its_limit_a_caller_gets_a_429(client_for, admin, limit, name, method, path, body, good):
    limit(**{name: "3/hour"})
    client = client_for(admin)
    assert statuses(client, path, 4, method, body) == [good] * 3 + [429]
    answer = client.call(method, path, body)
    found = answer.json()
    assert {key: found[key] for key in REFUSED} == REFUSED
    assert found["operation_id"] == answer["X-Operation-ID"]
    assert 1 <= int(answer["Retry-After"]) <= 1200
    assert answer["RateLimit-Policy"] == f'"{name}";q=3;w=3600'
    assert answer["RateLimit"].startswith(f'"{name}";r=0;t=')


def test_answers_say_what_is_left(client_for, user, limit):
    limit(read="3/hour")
    client = client_for(user)
    told = [client.call("get", "/projects")["RateLimit"].split(";")[1] for _ in range(3)]
    assert told == ["r=2", "r=1", "r=0"]


def test_reads_do_not_use_up_writes(client_for, admin, limit):
    limit(read="1/hour", write="1/hour")
    client = client_for(admin)
    assert statuses(client, "/projects", 2) == [200, 429]
    assert statuses(client, "/projects", 2, "post", {"name": "one"}) == [201, 429]


def test_a_person_pays_whatever_they_come_with(client_for, client, admin, user, limit):
    """More keys are no more calls; a service account is somebody of its own."""
    limit(read="3/hour")
    bot = UserFactory(service_account=True)
    assert statuses(client_for(admin), "/projects", 2) == [200, 200]
    client.force_login(admin)
    assert [client.get("/api/ambient/v1/projects").status_code for _ in range(2)] == [200, 429]
    assert statuses(client_for(admin, name="another"), "/projects", 1) == [429]
    for other in (user, bot):
        assert statuses(client_for(other), "/projects", 4) == [200, 200, 200, 429]


def test_a_token_of_a_provider_is_the_same_person(client_for, user, limit, address):
    limit(read="1/hour")
    user.came_by = ("jwt", "https://idp.example")
    throttling.spend("read", user, address)
    assert statuses(client_for(user), "/projects", 1) == [429]


def test_who_sends_no_token_pays_by_address(anonymous, limit, address):
    limit(anonymous="2/hour")
    path = "/api/ambient/v1/version"
    other = address.replace("198.18.", "198.19.")
    assert [anonymous.get(path, REMOTE_ADDR=address).status_code for _ in range(3)] == [200, 200, 429]
    assert anonymous.get("/api/ambient/v1/projects", REMOTE_ADDR=address).status_code == 429
    assert anonymous.get("/api/ambient/v1/projects", REMOTE_ADDR=other).status_code == 401


def test_tokens_of_credentials_have_a_limit_of_their_own(client_for, user, limit):
    limit(token="1/hour", read="1/hour")
    credential = credential_create(
        actor=user, values={"name": "c", "provider": "github", "token": "hush-token"}
    )
    client = client_for(user)
    assert statuses(client, f"/credentials/{credential.pk}/token", 2) == [200, 429]
    assert statuses(client, "/projects", 1) == [200]


def test_bad_tokens_are_told_to_stop_and_good_ones_get_through(anonymous, client_for, user, limit, address):
    limit(bad_token="2/hour")

    def ask(token):
        headers = {"Authorization": token}
        return anonymous.get("/api/ambient/v1/projects", headers=headers, REMOTE_ADDR=address).status_code

    guesses = [f"Bearer amb_{'x' * 43}", "Bearer ambs_forged", "Basic abc", "Bearer a.b.c"]
    assert [ask(guess) for guess in guesses] == [401, 401, 429, 429]
    good = client_for(user)
    assert good.get("/api/ambient/v1/projects", REMOTE_ADDR=address).status_code == 200


def test_a_limit_of_0_is_none(client_for, user, limit):
    limit(read="0")
    client = client_for(user)
    answers = [client.call("get", "/projects") for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("RateLimit" in answer for answer in answers)


def test_what_was_used_up_comes_back_by_itself(user, limit):
    limit(read="1/second")
    throttling.spend("read", user, None)
    with pytest.raises(TooMany) as refused:
        throttling.spend("read", user, None)
    assert refused.value.retry_after == 1
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            throttling.spend("read", user, None)
            return
        except TooMany:
            time.sleep(0.05)
    raise AssertionError("it never came back")


def test_where_one_cell_is_empty_the_others_pay_nothing(settings, limit, address):
    limit(sign_in="1/hour", sign_in_address="3/hour")
    one, two = (throttling.cell("sign-in", address, name) for name in ("one", "two"))
    shared = throttling.cell("sign-in-address", address)
    throttling.take([one, shared])
    for _ in range(5):
        with pytest.raises(TooMany):
            throttling.take([one, shared])
    assert [found.left for found in throttling.take([two, shared])] == [0, 1]


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_whose_address_it_is(address, counted_as):
    assert throttling.network(address) == counted_as


def test_runners_pay_by_session():
    assert throttling.caller_name(RunnerIdentity("s1"), "192.0.2.7") == "session:s1"


def test_no_name_token_or_address_is_in_a_key(settings, limit, address, db):
    limit(sign_in="5/hour", read="5/hour")
    user = UserFactory(username="nameless-in-valkey")
    throttling.take([throttling.cell("sign-in", address, "nameless-in-valkey")])
    throttling.spend("read", user, address)
    keys = b" ".join(redis.Redis.from_url(settings.REDIS_URL).keys(f"{throttling.KEY}*")).decode()
    assert f"{throttling.KEY}sign-in:" in keys
    assert not [word for word in ("nameless", user.pk, address) if word in keys]


def test_without_valkey_everything_gets_through(client_for, user, limit, settings, monkeypatch, caplog):
    limit(read="1/hour")
    client = client_for(user)
    assert statuses(client, "/projects", 2) == [200, 429]
    monkeypatch.setattr(throttling, "_away_until", 0.0)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    before = throttling.UNCOUNTED._value.get()
    assert statuses(client, "/projects", 3) == [200, 200, 200]
    assert throttling.UNCOUNTED._value.get() == before + 3
    assert len([record for record in caplog.records if "limits are not counted" in record.getMessage()]) == 1
    monkeypatch.setattr(throttling, "_away_until", 0.0)
