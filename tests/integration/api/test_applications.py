"""Applications over REST: fields, targets, actions that say what does not exist yet."""

import json

import pytest

from projects_app.models import Application
from projects_app.services.applications import application_create
from projects_app.views import applications as views
from tests.factories import CredentialFactory, ProjectFactory, UserFactory
from tests.integration.api.test_wire import check_error, fingerprint

NEW = {
    "name": "fleet",
    "source_repo_url": "https://x/y.git",
    "source_path": "envs/prod",
    "destination_project": "demo",
}


@pytest.fixture
def owner(api_client, project, bind_role):
    bind_role("project:owner", project)
    return api_client


@pytest.fixture
def made(project):
    return application_create(values=NEW)


def test_defaults(owner):
    body = owner.call("post", "/applications", NEW).json()
    expected = NEW | {
        "kind": "Application",
        "auto_sync": False,
        "auto_prune": False,
        "self_heal": False,
        "retry_limit": 3,
        "sync_status": "Unknown",
        "health_status": "Unknown",
    }
    assert {name: body[name] for name in expected} == expected
    assert set(body) == set(expected) | {"id", "href", "created_at", "updated_at", "conditions"}
    assert json.loads(body["conditions"])[0]["reason"] == "EngineNotBuilt"


def test_every_field_is_kept(owner):
    more = {
        "source_target_revision": "v1",
        "auto_sync": True,
        "auto_prune": True,
        "self_heal": True,
        "sync_options": "CreateProject=true",
        "retry_limit": 0,
        "labels": '{ "a": "b" }',
        "annotations": "{}",
    }
    made = owner.call("post", "/applications", NEW | more).json()
    assert {name: made[name] for name in NEW | more} == NEW | more
    change = {"name": "renamed", "source_path": "p", "retry_limit": 9, "auto_sync": False}
    patched = owner.call("patch", f"/applications/{made['id']}", change).json()
    assert {name: patched[name] for name in change} == change


STATUS = {
    "sync_status": "Synced",
    "health_status": "Healthy",
    "sync_revision": "abc",
    "operation_phase": "Succeeded",
    "operation_message": "fine",
    "resource_status": "[]",
    "conditions": "[]",
    "last_synced_at": "2026-01-01T00:00:00Z",
}


def test_the_status_is_not_peoples_to_write(owner, made):
    created = owner.call("post", "/applications", NEW | STATUS | {"name": "other"}).json()
    patched = owner.call("patch", f"/applications/{made.pk}", STATUS).json()
    for body in (created, patched):
        assert body["sync_status"] == "Unknown"
        assert "operation_phase" not in body
        assert "last_synced_at" not in body
        assert json.loads(body["conditions"])[0]["reason"] == "EngineNotBuilt"


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("post", "/sync", b""),
        ("post", "/sync", b"null"),
        ("post", "/sync", {"prune": True, "revision": "v2", "prune_project": False}),
        ("patch", "", {"operation_phase": "Running"}),
    ],
    ids=["no body", "null", "options", "as the CLI asks"],
)
def test_a_sync_fails_and_says_why(owner, made, method, rest, body):
    response = owner.call(method, f"/applications/{made.pk}{rest}", body)
    assert response.status_code == 200
    answer = response.json()
    assert answer["operation_phase"] == "Failed"
    assert "does not sync from Git yet" in answer["operation_message"]
    assert answer == owner.call("get", f"/applications/{made.pk}/status").json()


@pytest.mark.parametrize(
    ("method", "rest", "body"), [("post", "/refresh", b""), ("patch", "", {"sync_status": "Unknown"})]
)
def test_a_refresh_leaves_it_unknown(owner, made, method, rest, body):
    Application.objects.update(sync_status="Synced")
    answer = owner.call(method, f"/applications/{made.pk}{rest}", body).json()
    assert answer["sync_status"] == "Unknown"
    assert "does not sync from Git yet" in answer["operation_message"]


@pytest.mark.parametrize(
    ("change", "status", "error_id"),
    [
        ({"name": ""}, 400, "8"),
        ({"source_repo_url": ""}, 400, "8"),
        ({"source_path": 5}, 400, "17"),
        ({"retry_limit": -1}, 400, "8"),
        ({"retry_limit": 2**31}, 400, "17"),
        ({"auto_sync": "yes"}, 400, "17"),
        ({"nope": 1}, 400, "17"),
        ({"id": "x"}, 400, "8"),
        ({"destination_project": "elsewhere"}, 403, "4"),
        ({"destination_ambient_url": "https://there"}, 403, "4"),
        ({"credential_id": "nothing"}, 400, "8"),
    ],
)
def test_bad_input_is_refused(owner, project, change, status, error_id):
    ProjectFactory(id="elsewhere")
    check_error(owner.call("post", "/applications", NEW | change), status, error_id)
    assert not Application.objects.exists()


@pytest.mark.parametrize("missing", ["name", "source_repo_url", "source_path", "destination_project"])
def test_what_is_required(owner, missing):
    body = {name: value for name, value in NEW.items() if name != missing}
    check_error(owner.call("post", "/applications", body), 400, "17")


def test_a_name_is_taken_once(owner, made):
    check_error(owner.call("post", "/applications", NEW), 409, "6")
    other = owner.call("post", "/applications", NEW | {"name": "other"}).json()
    check_error(owner.call("patch", f"/applications/{other['id']}", {"name": "fleet"}), 409, "6")
    owner.call("delete", f"/applications/{made.pk}")
    assert owner.call("post", "/applications", NEW).status_code == 201


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"destination_project": "nowhere"}, 400),
        ({"destination_project": "nowhere", "sync_options": "Prune=true, CreateProject=true"}, 201),
        ({"destination_ambient_url": "https://there"}, 400),
        ({"destination_ambient_url": "https://there", "credential_id": "mine"}, 201),
        ({"destination_ambient_url": "", "credential_id": ""}, 201),
    ],
    ids=["unknown project", "to be made", "remote without credential", "remote", "empty texts are unset"],
)
def test_targets(api_client, user, bind_role, project, change, status):
    bind_role("gitops:admin")
    credential = CredentialFactory()
    bind_role("credential:owner", credential)
    body = NEW | change
    if body.get("credential_id"):
        body["credential_id"] = credential.pk
    assert api_client.call("post", "/applications", body).status_code == status


GO = {"destination_ambient_url": "https://there"}
SENDS = [
    # what it has, what is changed, status for who may change it but does not see the credential
    pytest.param(GO, {"destination_ambient_url": "https://evil"}, 400, id="token-to-another-address"),
    pytest.param({}, GO, 400, id="token-sent-at-all"),
    pytest.param(
        GO, {"destination_ambient_url": "https://there", "source_path": "p"}, 200, id="same-address"
    ),
    pytest.param(GO, {"source_path": "p"}, 200, id="another-field"),
    pytest.param(GO, {"operation_phase": "Running"}, 200, id="a-sync"),
    pytest.param(GO, {"destination_ambient_url": "", "credential_id": ""}, 200, id="both-taken-away"),
]


@pytest.mark.parametrize(("has", "change", "status"), SENDS)
@pytest.mark.parametrize("sees", [False, True])
def test_nobody_sends_a_token_that_they_cannot_see(api_client, bind_role, project, has, change, status, sees):
    credential = CredentialFactory()
    made = application_create(values=NEW | has | {"credential_id": credential.pk})
    bind_role("gitops:admin")
    if sees:
        bind_role("credential:viewer", credential)
    before = fingerprint()
    response = api_client.call("patch", f"/applications/{made.pk}", change)
    assert response.status_code == (200 if sees else status)
    if response.status_code == 400:
        check_error(response, 400, "8")
        assert fingerprint() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["application_update", "application_sync", "application_refresh"])
def test_a_fault_in_a_patch_leaves_nothing_of_it(owner, made, monkeypatch, step):
    before = fingerprint()

    def fail(*args, **kwargs):
        raise RuntimeError("injected")

    monkeypatch.setattr(views, step, fail)
    body = {"source_path": "p", "operation_phase": "Running", "sync_status": "Unknown"}
    assert owner.call("patch", f"/applications/{made.pk}", body).status_code == 500
    assert fingerprint() == before


MATRIX = [
    # role, on the project?, list, get, create, patch, sync, delete
    ("gitops:admin", False, 1, 200, 201, 200, 200, 204),
    ("gitops:viewer", False, 1, 200, 403, 403, 403, 403),
    ("gitops:admin", True, 1, 200, 201, 200, 200, 204),
    ("gitops:viewer", True, 1, 200, 403, 403, 403, 403),
    ("project:owner", True, 1, 200, 201, 200, 200, 204),
    ("project:editor", True, 1, 200, 403, 403, 403, 403),
    ("project:viewer", True, 1, 200, 403, 403, 403, 403),
    ("platform:viewer", False, 1, 200, 403, 403, 403, 403),
    (None, False, 0, 404, 403, 403, 403, 403),
]


@pytest.mark.parametrize(("role", "on_project", "listed", "get", "create", "patch", "sync", "delete"), MATRIX)
def test_who_may_do_what(
    api_client, bind_role, project, made, role, on_project, listed, get, create, patch, sync, delete
):
    bind_role(role, project if on_project else None) if role else None
    path = f"/applications/{made.pk}"
    assert api_client.call("get", "/applications").json()["total"] == listed
    assert api_client.call("get", path).status_code == get
    assert api_client.call("get", f"{path}/status").status_code == get
    assert api_client.call("post", "/applications", NEW | {"name": "n"}).status_code == create
    assert api_client.call("patch", path, {"source_path": "p"}).status_code == patch
    assert api_client.call("post", f"{path}/sync").status_code == sync
    assert api_client.call("post", f"{path}/refresh").status_code == sync
    assert api_client.call("delete", path).status_code == delete


def test_a_project_elsewhere_of_the_same_name_gives_no_rights(owner):
    remote = NEW | {"name": "remote", "destination_ambient_url": "https://there"}
    application = application_create(values=remote | {"credential_id": CredentialFactory().pk})
    check_error(owner.call("get", f"/applications/{application.pk}"), 404, "7")
    check_error(owner.call("patch", f"/applications/{application.pk}", {"name": "x"}), 403, "4")


def test_strangers_see_no_applications_at_all(client_for, made):
    """The first implementation showed everybody all of them."""
    assert client_for(UserFactory()).call("get", "/applications").json()["items"] == []


def test_deleting_what_is_gone(owner, made):
    assert owner.call("delete", f"/applications/{made.pk}").status_code == 204
    assert owner.call("delete", f"/applications/{made.pk}").status_code == 204
    check_error(owner.call("get", f"/applications/{made.pk}"), 404, "7")
