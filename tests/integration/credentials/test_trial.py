"""The test of a credential: a closed reason, kept as the last result, and no more often than allowed."""

import json

import pytest
from django.urls import reverse

from projects_app.credentials.base import Reason
from projects_app.models import CredentialState
from tests.factories import CredentialFactory, UserFactory
from tests.fakes.provider_api import EMAIL, PAT
from tests.integration.api.test_wire import check_error
from tests.integration.credentials.test_renewal import FAULTS, age, ended

STATIC = [
    # provider, token, further fields
    ("github", PAT, {}),
    ("gitlab", PAT, {}),
    ("jira", PAT, {"email": EMAIL}),
    ("google", "key file", {}),
    ("vertex", "key file", {}),
    ("kubeconfig", "kubeconfig", {}),
]


def secret(providers, token):
    files = {"key file": json.dumps(providers.key_file()), "kubeconfig": providers.kubeconfig()}
    return files.get(token, token)


def trial_of(client, credential):
    response = client.call("post", f"/credentials/{credential.pk}/test")
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize(("provider", "token", "fields"), STATIC, ids=[row[0] for row in STATIC])
def test_what_works(api_client, make_credential, providers, provider, token, fields):
    made = make_credential(provider, secret(providers, token), **fields)
    body = trial_of(api_client, made)
    assert (body["works"], body["reason"]) == (True, "Works"), (body, providers.asked)
    assert body["checked_at"].endswith("Z")
    state = CredentialState.objects.get()
    assert (state.works, state.test_reason, state.access_sealed) == (True, "Works", None)
    assert len(providers.asked) == 1


@pytest.mark.parametrize(
    ("provider", "kind", "calls"),
    [
        ("github", "github_app", 2),
        ("google", "google", 1),
        ("vertex", "google", 1),
        ("gitlab", "oauth", 2),
        ("jira", "oauth", 2),
    ],
)
def test_what_is_renewed_is_made_anew(api_client, make_credential, providers, provider, kind, calls):
    made = make_credential(provider, getattr(providers, kind)())
    api_client.call("get", f"/credentials/{made.pk}/token")
    providers.asked.clear()
    body = trial_of(api_client, made)
    assert (body["works"], body["reason"]) == (True, "Works"), providers.asked
    assert "expires_at" in body
    assert len(providers.asked) == calls
    token = api_client.call("get", f"/credentials/{made.pk}/token").json()["token"]
    assert token == "short-lived-2"  # it is kept for the next reader


@pytest.mark.parametrize(("fault", "status", "reason", "asked"), FAULTS, ids=[str(row[0]) for row in FAULTS])
@pytest.mark.parametrize(("provider", "token", "fields"), STATIC, ids=[row[0] for row in STATIC])
def test_why_not(
    api_client, make_credential, providers, impatient, provider, token, fields, fault, status, reason, asked
):
    made = make_credential(provider, secret(providers, token), **fields)
    providers.fault = fault
    body = trial_of(api_client, made)
    if fault == "array" and token not in ("key file",):
        reason = "Works"  # what the answer holds is not looked at
    assert (body["works"], body["reason"]) == (reason == "Works", reason)
    assert "secret-of-the-provider" not in json.dumps(body)
    state = CredentialState.objects.get()
    assert (state.works, state.test_reason) == (body["works"], reason)


@pytest.mark.parametrize(
    ("provider", "token", "fields", "reason"),
    [
        pytest.param("github", None, {}, "NoToken", id="no-token"),
        pytest.param("github", "wrong", {}, "Rejected", id="wrong-token"),
        pytest.param("github", "line\nbreak", {}, "InvalidSecret", id="a-header-in-the-token"),
        pytest.param("github", "tökén", {}, "InvalidSecret", id="no-ascii"),
        pytest.param("jira", PAT, {}, "Incomplete", id="jira-without-email"),
        pytest.param("jira", PAT, {"email": EMAIL, "url": ""}, "Incomplete", id="jira-without-url"),
        pytest.param("jira", "wrong", {"email": EMAIL}, "Rejected", id="jira-wrong"),
        pytest.param("google", "not json", {}, "InvalidSecret", id="no-key-file"),
        pytest.param("kubeconfig", "a: [", {}, "InvalidSecret", id="no-yaml"),
        pytest.param("kubeconfig", "a: &a [*a]", {}, "InvalidSecret", id="aliases"),
        pytest.param("kubeconfig", "- 1", {}, "InvalidSecret", id="yaml-of-another-shape"),
        pytest.param("kubeconfig", "[" * 5000, {}, "InvalidSecret", id="too-deep"),
        pytest.param("kubeconfig", "!!python/object/apply:os.system [id]", {}, "InvalidSecret", id="code"),
    ],
)
def test_secrets_that_cannot_work(api_client, make_credential, provider, token, fields, reason):
    body = trial_of(api_client, make_credential(provider, token, **fields))
    assert (body["works"], body["reason"]) == (False, reason)
    assert body["message"] == Reason(reason).label


def test_a_kubeconfig_runs_no_command(api_client, make_credential, providers):
    body = trial_of(api_client, make_credential("kubeconfig", providers.kubeconfig(token=None)))
    assert (body["works"], body["reason"], providers.asked) == (False, "NotTestable", [])


def test_the_end_that_the_provider_tells(api_client, make_credential, providers):
    providers.headers = {"GitHub-Authentication-Token-Expiration": "2031-02-03 04:05:06 UTC"}
    assert trial_of(api_client, make_credential("github", PAT))["expires_at"] == "2031-02-03T04:05:06Z"


def test_one_test_in_ten_seconds(api_client, make_credential, providers):
    made = make_credential("github", PAT)
    trial_of(api_client, made)
    response = api_client.call("post", f"/credentials/{made.pk}/test")
    check_error(response, 429, "8")
    assert response["Retry-After"] == "10"
    assert len(providers.asked) == 1
    age(made, tested_at=ended(11))
    trial_of(api_client, made)


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("credential:owner", 200),
        ("credential:viewer", 403),
        ("credential:token-reader", 200),
        (None, 403),
    ],
)
def test_who_may_test(client_for, bind_role, make_credential, role, status):
    made, bob = make_credential("github", PAT), UserFactory()
    bind_role(role, made, to=bob)
    assert client_for(bob).call("post", f"/credentials/{made.pk}/test").status_code == status


def test_a_test_is_logged_without_the_secret(api_client, make_credential, caplog):
    made = make_credential("github", PAT)
    trial_of(api_client, made)
    event = next(record.msg for record in caplog.records if "credential tested" in record.getMessage())
    assert (event["credential"], event["reader"], event["reason"]) == (made.pk, "alice", "Works")
    assert PAT not in caplog.text


def test_the_admin_tests_and_shows_the_result(client, admin, make_credential):
    client.force_login(admin)
    made, page = make_credential("github", "wrong"), reverse("admin:projects_app_credential_changelist")
    client.post(page, {"action": "test_now", "_selected_action": [made.pk]})
    assert "does not accept the secret" in client.get(page).content.decode()
    detail = client.get(reverse("admin:projects_app_credential_change", args=[made.pk])).content.decode()
    assert "does not accept the secret" in detail


def test_staff_who_may_not_read_a_token_do_not_test_it(db, client, providers):
    from django.contrib.auth.models import Permission

    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__endswith="_credential"))
    client.force_login(clerk)
    made = CredentialFactory(url=providers.url)
    page = reverse("admin:projects_app_credential_changelist")
    client.post(page, {"action": "test_now", "_selected_action": [made.pk]})
    assert "may read a credential" in client.get(page).content.decode()
    assert not CredentialState.objects.exists()
