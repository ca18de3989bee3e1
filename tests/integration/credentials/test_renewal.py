"""Short-lived tokens: made of the stored secret, once, kept sealed, and named faults when they cannot be."""

import datetime
import json
import threading

import pytest
from django.db import connections
from django.utils import timezone

from ambient.common.encryption import unseal
from projects_app.models import Credential, CredentialState
from projects_app.services import credential_access
from projects_app.services.credential_access import credential_token
from tests.fakes.provider_api import PAT, PEM
from tests.integration.api.test_credentials import everything_stored
from tests.integration.api.test_wire import check_error, fingerprint

RENEWED = [("github", "github_app"), ("google", "google"), ("vertex", "google"), ("gitlab", "oauth")]


@pytest.fixture(params=RENEWED, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def credential(request, make_credential, providers):
    provider, kind = request.param
    return make_credential(provider, getattr(providers, kind)())


@pytest.fixture
def app(make_credential, providers):
    return make_credential("github", providers.github_app())


def age(credential, **fields):
    """Make what is kept of the credential older."""
    CredentialState.objects.filter(credential=credential).update(**fields)


def ended(seconds=1):
    return timezone.now() - datetime.timedelta(seconds=seconds)


def test_a_renewed_credential_answers_a_fresh_token_and_its_end(api_client, credential, providers):
    response = api_client.call("get", f"/credentials/{credential.pk}/token")
    assert response.status_code == 200, response.content
    body = response.json()
    assert set(body) == {"credential_id", "provider", "token", "url", "expires_at"}
    assert (body["token"], body["provider"]) == ("short-lived-1", credential.provider)
    left = datetime.datetime.fromisoformat(body["expires_at"]) - timezone.now()
    assert datetime.timedelta(minutes=58) < left <= datetime.timedelta(hours=1)
    assert response["Cache-Control"] == "no-store"


def test_it_is_made_once_and_kept_sealed(api_client, credential, providers):
    path = f"/credentials/{credential.pk}/token"
    assert {api_client.call("get", path).json()["token"] for _ in range(3)} == {"short-lived-1"}
    assert len(providers.asked) == 1
    state = CredentialState.objects.get()
    assert unseal(state.access_sealed, context=state.access_context) == "short-lived-1"
    stored = everything_stored()
    assert not any(text in stored for text in ("short-lived-1", "PRIVATE KEY", "c-secret", "refresh-0"))


@pytest.mark.parametrize("life", [3600, 240], ids=["an hour", "less than the usual margin"])
def test_a_long_session_gets_new_tokens(app, providers, life):
    providers.life_seconds = life
    first = credential_token(credential=app, reader="alice")
    assert credential_token(credential=app, reader="alice") == first
    age(app, access_renew_at=ended())
    second = credential_token(credential=app, reader="alice")
    assert (first.token, second.token) == ("short-lived-1", "short-lived-2")


def test_what_stays_a_plain_token(make_credential, providers, api_client):
    """A key file without the mark is what existing programs expect of the route: the file."""
    for provider, text in (("github", PAT), ("vertex", json.dumps(providers.key_file())), ("gitlab", "[1]")):
        made = make_credential(provider, text)
        body = api_client.call("get", f"/credentials/{made.pk}/token").json()
        assert (body["token"], "expires_at" in body) == (text, False)
    assert providers.asked == []


@pytest.mark.django_db(transaction=True)
def test_many_readers_at_once_ask_the_provider_once(make_credential, providers):
    app = make_credential("gitlab", providers.oauth())
    providers.rotates, providers.slow_seconds = True, 0.3
    tokens, faults = [], []

    def read():
        try:
            tokens.append(credential_token(credential=app, reader="alice").token)
        except Exception as exc:  # noqa: BLE001 - told below
            faults.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=read) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (faults, tokens, len(providers.asked)) == ([], ["short-lived-1"] * 6, 1)


def test_a_reader_who_was_overtaken_takes_what_was_made_meanwhile(make_credential, providers, monkeypatch):
    """Another reader makes the token between our look at the state and our claim on it."""
    app, claimed = make_credential("gitlab", providers.oauth()), credential_access._claimed

    def late(state):
        monkeypatch.setattr(credential_access, "_claimed", claimed)
        credential_token(credential=app, reader="bob")
        return claimed(state)

    monkeypatch.setattr(credential_access, "_claimed", late)
    assert credential_token(credential=app, reader="alice").token == "short-lived-1"
    assert len(providers.asked) == 1


def test_a_new_refresh_token_is_kept(make_credential, providers):
    made = make_credential("gitlab", providers.oauth())
    providers.rotates = True
    for number in (1, 2, 3):
        assert credential_token(credential=made, reader="a").token == f"short-lived-{number}"
        made.refresh_from_db()
        secret = json.loads(unseal(made.token_sealed, context=made.token_context))
        assert secret["refresh_token"] == f"refresh-{number}"
        assert secret["client_secret"] == "c-secret"
        age(made, access_renew_at=ended())


FAULTS = [
    # what the provider does, status, reason, how often it is asked
    (401, 502, "Rejected", 1),
    (403, 502, "Forbidden", 1),
    (404, 502, "NotFound", 1),
    (429, 503, "RateLimited", 1),
    (500, 503, "ProviderFailed", 2),
    ("timeout", 503, "TimedOut", 1),
    ("garbage", 502, "UnreadableAnswer", 1),
    ("array", 502, "UnreadableAnswer", 1),
    ("redirect", 502, "Redirected", 1),
    ("huge", 502, "UnreadableAnswer", 1),
]


@pytest.mark.parametrize(("fault", "status", "reason", "asked"), FAULTS, ids=[str(row[0]) for row in FAULTS])
@pytest.mark.parametrize("kind", ["github_app", "google", "oauth"])
def test_faults_of_the_provider(
    api_client, make_credential, providers, impatient, caplog, kind, fault, status, reason, asked
):
    provider = {"github_app": "github", "google": "google", "oauth": "gitlab"}[kind]
    made = make_credential(provider, getattr(providers, kind)())
    providers.fault = fault
    providers.headers = {"Retry-After": "17"} if fault == 429 else {}
    response = api_client.call("get", f"/credentials/{made.pk}/token")
    check_error(response, status, "9")
    assert response.json()["reason"].startswith(f"{reason}: ")
    assert ("Retry-After" in response) == (status == 503)
    if fault == 429:
        assert response["Retry-After"] == "17"
    if kind == "oauth":
        asked = 1  # its refresh token may be used up
    assert len(providers.asked) == asked
    told = response.content.decode() + caplog.text
    assert not any(text in told for text in ("secret-of-the-provider", "PRIVATE", "c-secret", providers.url))


def test_a_fault_is_told_again_without_asking_again(api_client, app, providers):
    providers.fault = 500
    path = f"/credentials/{app.pk}/token"
    assert [api_client.call("get", path).status_code for _ in range(3)] == [503] * 3
    assert len(providers.asked) == 2
    providers.fault = None
    age(app, failed_at=ended(credential_access.FAULT_KEPT.total_seconds() + 1))
    assert api_client.call("get", path).status_code == 200


def test_one_fault_that_passes_is_not_told(api_client, app, providers):
    providers.fault, providers.faults_left = 500, 1
    assert api_client.call("get", f"/credentials/{app.pk}/token").status_code == 200


@pytest.mark.parametrize(
    ("fault", "ends_in", "status"),
    [
        pytest.param(500, 120, 200, id="away-and-the-token-lasts"),
        pytest.param(500, 10, 503, id="away-and-the-token-is-about-to-end"),
        pytest.param(401, 120, 502, id="revoked-is-told-at-once"),
    ],
)
def test_a_token_that_lasts_bridges_a_fault(api_client, app, providers, fault, ends_in, status):
    path = f"/credentials/{app.pk}/token"
    api_client.call("get", path)
    age(app, access_renew_at=ended(), access_expires_at=ended(-ends_in))
    providers.fault = fault
    assert api_client.call("get", path).status_code == status


@pytest.mark.parametrize(
    "change",
    [
        {"token": "plain"},
        {"token": ""},
        {"url": "https://elsewhere.example"},
        {"provider": "gitlab", "token": "x"},
    ],
    ids=["another-token", "no-token", "another-url", "another-provider"],
)
def test_a_change_forgets_what_was_made_before(api_client, app, change):
    api_client.call("get", f"/credentials/{app.pk}/token")
    assert CredentialState.objects.exists()
    assert api_client.call("patch", f"/credentials/{app.pk}", change).status_code == 200
    assert not CredentialState.objects.exists()


def test_what_is_deleted_leaves_no_token(api_client, app):
    api_client.call("get", f"/credentials/{app.pk}/token")
    api_client.call("delete", f"/credentials/{app.pk}")
    assert not CredentialState.objects.exists()


def test_what_was_made_of_a_secret_before_is_not_stored(app, providers, monkeypatch, user):
    """The secret changes while its provider is asked."""
    from projects_app.credentials.github_app import GitHubApp
    from projects_app.services.credentials import credential_update

    ask, changed = GitHubApp.access, []

    def slow(self, url):
        access = ask(self, url)
        if not changed:
            changed.append(True)
            secret = providers.github_app(installation_id=77, note="new")
            credential_update(credential=app, changes={"token": secret})
        return access

    monkeypatch.setattr(GitHubApp, "access", slow)
    assert credential_token(credential=app, reader="alice").token == "short-lived-2"


def test_a_claim_of_a_dead_process_ends(app, providers, monkeypatch):
    monkeypatch.setattr(credential_access, "WAIT_SECONDS", 0)
    CredentialState.objects.create(credential=app, claim="gone", claimed_until=ended(-30))
    with pytest.raises(Exception, match="TimedOut"):
        credential_token(credential=app, reader="alice")
    age(app, claimed_until=ended())
    assert credential_token(credential=app, reader="alice").token == "short-lived-1"


SAYS = {
    "unknown kind": ("github", {"ambient_type": "magic"}, "ambient_type must be one of"),
    "kind is no text": ("github", {"ambient_type": 5}, "ambient_type must be one of"),
    "another provider's": ("gitlab", {"ambient_type": "github_app"}, "github_app is for github"),
    "no app id": ("github", {"ambient_type": "github_app"}, "installation_id must be"),
    "no key": ("github", {"ambient_type": "github_app", "app_id": 1, "installation_id": 2}, "private_key"),
    "a path for an id": (
        "github",
        {"ambient_type": "github_app", "app_id": 1, "installation_id": "2/../3", "private_key": PEM},
        "installation_id must be a number",
    ),
    "no RSA key": (
        "github",
        {"ambient_type": "github_app", "app_id": 1, "installation_id": 2, "private_key": "hush"},
        "private_key must be an unencrypted RSA key",
    ),
    "no key file": ("google", {"ambient_type": "google_service_account"}, "type must be service_account"),
    "no address": ("jira", {"ambient_type": "oauth_refresh"}, "token_url must be"),
    "another scheme": ("jira", {"ambient_type": "oauth_refresh", "token_url": "file:///x"}, "https"),
    "no client": ("jira", {"ambient_type": "oauth_refresh", "token_url": "https://x"}, "client_id"),
}


@pytest.mark.parametrize("case", SAYS)
def test_what_a_secret_lacks_is_said_when_it_is_written(api_client, case):
    provider, document, said = SAYS[case]
    before = fingerprint()
    body = {"name": "x", "provider": provider, "token": json.dumps(document)}
    response = api_client.call("post", "/credentials", body)
    check_error(response, 400, "8")
    assert said in response.json()["reason"]
    assert "hush" not in response.content.decode()
    assert fingerprint() == before


def test_a_change_of_provider_must_fit_the_stored_secret(api_client, app):
    response = api_client.call("patch", f"/credentials/{app.pk}", {"provider": "google"})
    check_error(response, 400, "8")
    assert Credential.objects.get().provider == "github"


@pytest.mark.parametrize("change", [{"url": "https://evil.example"}, {"provider": "gitlab"}])
def test_who_may_not_read_a_secret_sends_it_nowhere_else(
    client_for, bind_role, make_credential, user, change
):
    from projects_app.models import Role
    from tests.factories import UserFactory

    made, bob = make_credential("github", PAT), UserFactory()
    Role.objects.create(name="changer", permissions='["credential:read", "credential:update"]', level=2)
    bind_role("changer", made, to=bob)
    client, path = client_for(bob), f"/credentials/{made.pk}"
    check_error(client.call("patch", path, change), 403, "4")
    assert client.call("patch", path, {"description": "d"}).status_code == 200
    assert client.call("patch", path, {"url": made.url}).status_code == 200
    assert client.call("patch", path, change | {"token": "of-bob"}).status_code == 200
