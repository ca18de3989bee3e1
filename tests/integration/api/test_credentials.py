"""Credentials over REST: what goes in, what never comes out, who may do what."""

import json

import pytest
from django.db import connection

from ambient.common.encryption import unseal
from ambient.common.exceptions import InvalidField
from projects_app.models import Credential, CredentialUserObjectPermission, Role, RoleBinding
from projects_app.services import credentials as service
from projects_app.services.role_bindings import role_binding_create
from tests.factories import AgentFactory, CredentialFactory, ProjectFactory, UserFactory
from tests.integration.api.test_wire import check_error, fingerprint

TOKEN = "ghp_" + "s3cr3t" * 6
NEW = {"name": "gh", "provider": "github", "token": TOKEN}


@pytest.fixture
def made(api_client):
    """A credential of alice."""
    return Credential.objects.get(pk=api_client.call("post", "/credentials", NEW).json()["id"])


def everything_stored():
    """All rows of all tables as text."""
    with connection.cursor() as cursor:
        texts = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{table}" t')
            texts.append(cursor.fetchone()[0] or "")
    return "\n".join(texts)


def test_a_credential_is_made_and_owned_by_the_caller(api_client, user):
    body = NEW | {"url": "https://git.corp", "email": "a@b", "description": "d", "labels": '{"a":"b"}'}
    response = api_client.call("post", "/credentials", body)
    assert response.status_code == 201
    answer = response.json()
    assert {k: answer[k] for k in body if k != "token"} == {k: v for k, v in body.items() if k != "token"}
    assert answer["kind"] == "Credential"
    assert answer["href"] == f"/api/ambient/v1/credentials/{answer['id']}"
    binding = RoleBinding.objects.get(credential_id=answer["id"])
    assert (binding.user_id, binding.role.name, binding.scope) == ("alice", "credential:owner", "credential")


def test_the_token_is_nowhere_but_sealed(api_client, caplog, made):
    api_client.call("patch", f"/credentials/{made.pk}", {"token": TOKEN + "2"})
    texts = [
        api_client.call("get", path).content.decode()
        for path in ("/credentials", f"/credentials/{made.pk}", "/credentials?fields=name")
    ]
    for bad in (
        {"token": TOKEN, "provider": "nope", "name": "x"},
        {"token": TOKEN, "x": 1},
        {"token": [TOKEN]},
    ):
        texts.append(api_client.call("post", "/credentials", bad).content.decode())
    api_client.call("get", f"/credentials/{made.pk}/token")
    texts += [everything_stored(), caplog.text, repr(made), str(made)]
    assert not any(TOKEN in text for text in texts)
    stored = Credential.objects.get(pk=made.pk)
    assert unseal(stored.token_sealed, context=f"credential:{made.pk}:token") == TOKEN + "2"


def test_a_reading_of_the_token_is_logged(api_client, made, caplog):
    api_client.call("get", f"/credentials/{made.pk}/token")
    event = next(record.msg for record in caplog.records if "credential token read" in record.getMessage())
    assert (event["credential"], event["reader"], event["provider"]) == (made.pk, "alice", "github")


def test_the_token_route(api_client, made):
    path = f"/credentials/{made.pk}"
    response = api_client.call("get", f"{path}/token")
    assert response.json() == {"credential_id": made.pk, "provider": "github", "token": TOKEN}
    assert response["Cache-Control"] == "no-store"
    api_client.call("patch", path, {"url": "https://u", "email": "e"})
    assert api_client.call("get", f"{path}/token").json() == {
        "credential_id": made.pk,
        "provider": "github",
        "token": TOKEN,
        "url": "https://u",
        "email": "e",
    }


@pytest.mark.parametrize(
    ("change", "token"),
    [
        ({}, TOKEN),
        ({"name": "other"}, TOKEN),
        ({"token": None}, TOKEN),
        ({"token": "new-one"}, "new-one"),
        ({"token": ""}, None),
    ],
    ids=["nothing", "another field", "null", "a new one", "an empty one takes it away"],
)
def test_what_a_patch_does_to_the_token(api_client, made, change, token):
    assert api_client.call("patch", f"/credentials/{made.pk}", change).status_code == 200
    response = api_client.call("get", f"/credentials/{made.pk}/token")
    if token is None:
        check_error(response, 404, "7")
    else:
        assert response.json()["token"] == token


@pytest.mark.parametrize(
    ("body", "error_id"),
    [
        ({"name": "x"}, "17"),
        ({"provider": "github"}, "17"),
        ({"name": "", "provider": "github"}, "8"),
        ({"name": "x", "provider": "svn"}, "8"),
        ({"name": "x", "provider": ""}, "8"),
        ({"name": "x", "provider": "github", "token": 5}, "17"),
        ({"name": "x", "provider": "github", "labels": []}, "17"),
        ({"name": "x", "provider": "github", "nope": 1}, "17"),
        ({"name": "x", "provider": "github", "id": "mine"}, "8"),
    ],
)
def test_bad_credentials_are_refused(api_client, body, error_id):
    before = fingerprint()
    check_error(api_client.call("post", "/credentials", body), 400, error_id)
    assert not Credential.objects.exists()
    assert fingerprint() == before


@pytest.mark.parametrize("provider", ["github", "gitlab", "jira", "google", "vertex", "kubeconfig"])
def test_every_provider_can_be_made_in_steps(api_client, provider):
    assert api_client.call("post", "/credentials", {"name": "x", "provider": provider}).status_code == 201


def test_a_name_stands_for_the_id_when_reading(api_client, made):
    first = api_client.call("get", "/credentials/gh").json()
    api_client.call("post", "/credentials", NEW)
    assert api_client.call("get", "/credentials/gh").json() == first
    assert first["id"] == made.pk
    check_error(api_client.call("patch", "/credentials/gh", {"name": "x"}), 404, "7")
    assert api_client.call("delete", "/credentials/gh").status_code == 204
    assert Credential.objects.live().count() == 2


def test_a_strangers_name_is_not_found(client_for, made):
    check_error(client_for(UserFactory()).call("get", "/credentials/gh"), 404, "7")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["gh", "gl"]),
        ("?provider=github", ["gh"]),
        ("?provider=nothing", []),
        ("?search=provider%3D%27gitlab%27", ["gl"]),
        ("?search=name%20%3D%20%27gh%27&size=10", ["gh"]),
    ],
)
def test_lists(api_client, client_for, made, query, names):
    api_client.call("post", "/credentials", {"name": "gl", "provider": "gitlab"})
    client_for(UserFactory()).call("post", "/credentials", NEW | {"name": "hidden"})
    body = api_client.call("get", f"/credentials{query}").json()
    assert [item["name"] for item in body["items"]] == names
    assert body["total"] == len(names)


def test_the_token_cannot_be_probed_by_a_search(api_client, made):
    for search in ("token like 'gh%'", "token_sealed like 'enc%'"):
        response = api_client.call(
            "get", f"/credentials?search={search.replace('%', '%25').replace(' ', '+')}"
        )
        check_error(response, 400, "21")
    check_error(api_client.call("get", "/credentials?orderBy=token"), 400, "21")
    check_error(api_client.call("get", "/credentials?fields=token"), 400, "8")


WHO = [
    # role on the credential: get, patch, delete, token
    ("credential:owner", 200, 200, 204, 200),
    ("credential:viewer", 200, 403, 403, 403),
    ("credential:token-reader", 404, 403, 403, 200),
    (None, 404, 403, 403, 404),
]


@pytest.mark.parametrize(("role", "get", "patch", "delete", "token"), WHO)
def test_who_may_do_what(client_for, bind_role, made, role, get, patch, delete, token):
    bob = UserFactory()
    bind_role(role, made, to=bob) if role else None
    client, path = client_for(bob), f"/credentials/{made.pk}"
    assert client.call("get", path).status_code == get
    assert client.call("get", f"{path}/token").status_code == token
    assert client.call("patch", path, {"description": "d"}).status_code == patch
    assert client.call("delete", path).status_code == delete


def test_an_administrator_reads_everything(admin_client_wire, made):
    assert admin_client_wire.call("get", f"/credentials/{made.pk}/token").json()["token"] == TOKEN


def test_what_is_deleted_is_forgotten(api_client, made):
    assert api_client.call("delete", f"/credentials/{made.pk}").status_code == 204
    assert api_client.call("delete", f"/credentials/{made.pk}").status_code == 204
    for path in (f"/credentials/{made.pk}", "/credentials/gh", f"/credentials/{made.pk}/token"):
        check_error(api_client.call("get", path), 404, "7")
    assert Credential.objects.get(pk=made.pk).token_sealed is None
    assert not RoleBinding.objects.live().filter(credential=made).exists()
    assert not CredentialUserObjectPermission.objects.filter(content_object=made).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "step"),
    [
        ("delete", "role_binding_delete"),
        ("patch", "require_one_per_provider"),
        ("patch", "seal"),
        ("patch", "index_labels"),
    ],
)
def test_a_fault_in_a_change_leaves_all_as_it_was(api_client, shared, monkeypatch, method, step):
    before, sealed = fingerprint(), Credential.objects.get().token_sealed

    def fail(*args, **kwargs):
        raise RuntimeError("injected")

    monkeypatch.setattr(service, step, fail)
    body = {"provider": "gitlab", "token": TOKEN + "2"} if method == "patch" else None
    assert api_client.call(method, f"/credentials/{shared.pk}", body).status_code == 500
    assert fingerprint() == before
    assert Credential.objects.get().token_sealed == sealed


@pytest.mark.parametrize("case", ["key is gone", "of another row"])
def test_a_token_that_cannot_be_opened_is_a_500_without_detail(api_client, made, caplog, case):
    """It is bound to its row: copied to another one it opens for nobody."""
    api_client.raise_request_exception = False
    if case == "key is gone":
        target = made
        sealed = "enc:00000000:" + made.token_sealed.split(":")[2]
    else:
        target = Credential.objects.get(pk=api_client.call("post", "/credentials", NEW).json()["id"])
        sealed = made.token_sealed
    Credential.objects.filter(pk=target.pk).update(token_sealed=sealed)
    response = api_client.call("get", f"/credentials/{target.pk}/token")
    check_error(response, 500, "9")
    assert response.json()["reason"] == "An unexpected error happened"
    assert not any(text in caplog.text for text in (TOKEN, sealed))


@pytest.mark.parametrize(
    ("key", "create", "read", "token"),
    [
        pytest.param({}, 201, 200, 200, id="plain-key-is-the-user"),
        pytest.param({"project": "demo"}, 403, 404, 404, id="project-key-reaches-no-credential"),
        pytest.param({"role": "project:owner"}, 403, 404, 404, id="role-key-without-credentials"),
        pytest.param({"role": "credential:viewer"}, 403, 200, 403, id="viewer-key-reads-no-token"),
    ],
)
def test_a_narrowed_key(client_for, user, made, project, key, create, read, token):
    narrow = {"project": project} if "project" in key else {}
    if "role" in key:
        narrow["role"] = Role.objects.get(name=key["role"])
    client = client_for(user, **narrow)
    assert client.call("post", "/credentials", NEW).status_code == create
    assert client.call("get", f"/credentials/{made.pk}").status_code == read
    assert client.call("get", f"/credentials/{made.pk}/token").status_code == token


# Below a project


@pytest.fixture
def shared(api_client, made, project, bind_role):
    """alice owns the project too, and shares the credential with it; another project has none."""
    bind_role("project:owner", project)
    bind_role("project:owner", ProjectFactory(id="other"))
    body = {
        "role_id": "credential:viewer",
        "scope": "credential",
        "credential_id": made.pk,
        "project_id": "demo",
    }
    assert api_client.call("post", "/role_bindings", body).status_code == 201
    return made


def test_a_project_lists_what_is_bound_to_it(api_client, shared):
    assert api_client.call("get", "/projects/demo/credentials").json()["items"][0]["id"] == shared.pk
    assert api_client.call("get", "/projects/other/credentials").json()["total"] == 0


def test_what_is_bound_to_an_agent_is_the_projects(api_client, made, project, bind_role):
    bind_role("project:owner", project)
    agent = AgentFactory(project=project)
    target = {"credential_id": made.pk, "project_id": "demo", "agent_id": agent.pk}
    body = {"role_id": "credential:viewer", "scope": "credential"} | target
    assert api_client.call("post", "/role_bindings", body).status_code == 201
    assert api_client.call("get", "/projects/demo/credentials").json()["total"] == 1


@pytest.mark.parametrize(("project_id", "status"), [("demo", 200), ("other", 404)])
@pytest.mark.parametrize("rest", ["", "/token"])
def test_a_credential_is_read_through_its_own_project_only(api_client, shared, project_id, status, rest):
    path = f"/projects/{project_id}/credentials/{shared.pk}{rest}"
    assert api_client.call("get", path).status_code == status


def test_made_below_a_project_it_is_bound_to_it(api_client, project, bind_role):
    bind_role("project:editor", project)
    response = api_client.call("post", "/projects/demo/credentials", NEW)
    assert response.status_code == 201
    roles = RoleBinding.objects.filter(credential_id=response.json()["id"]).values_list(
        "role__name", "project_id"
    )
    assert set(roles) == {("credential:owner", None), ("credential:viewer", "demo")}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["project:viewer", None])
def test_who_may_not_bind_makes_nothing(api_client, project, bind_role, role):
    bind_role(role, project) if role else None
    check_error(api_client.call("post", "/projects/demo/credentials", NEW), 403, "4")
    assert not Credential.objects.exists()
    assert not RoleBinding.objects.filter(scope="credential").exists()


@pytest.mark.django_db(transaction=True)
def test_a_second_one_of_a_provider_is_a_conflict_and_makes_nothing(api_client, shared):
    check_error(api_client.call("post", "/projects/demo/credentials", NEW), 409, "6")
    assert Credential.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_of_provider_makes_no_second_one_in_a_project(api_client, shared):
    """Which of two a session gets would be chance."""
    other = api_client.call("post", "/projects/demo/credentials", NEW | {"provider": "gitlab"}).json()
    before = fingerprint()
    response = api_client.call("patch", f"/credentials/{other['id']}", {"provider": "github"})
    check_error(response, 409, "6")
    assert fingerprint() == before
    assert api_client.call("patch", f"/credentials/{other['id']}", {"provider": "jira"}).status_code == 200


def test_what_is_bound_nowhere_may_change_its_provider(api_client, shared):
    other = api_client.call("post", "/credentials", NEW | {"provider": "gitlab"}).json()
    assert api_client.call("patch", f"/credentials/{other['id']}", {"provider": "github"}).status_code == 200


BELOW = [
    # method, rest, body, status for a member of the project who holds nothing on the credential
    ("get", "/{id}", None, 404),
    ("get", "/{id}/token", None, 404),
    ("patch", "/{id}", {"description": "d"}, 403),
    ("delete", "/{id}", None, 403),
]


@pytest.mark.parametrize("role", ["project:viewer", "project:editor", "project:owner"])
@pytest.mark.parametrize(("method", "rest", "body", "status"), BELOW)
def test_members_of_a_project_use_its_credentials_and_read_none(
    client_for, bind_role, shared, project, role, method, rest, body, status
):
    bob = UserFactory()
    bind_role(role, project, to=bob)
    client = client_for(bob)
    before = fingerprint()
    path = f"/projects/demo/credentials{rest.format(id=shared.pk)}"
    assert client.call(method, path, body).status_code == status
    assert client.call("get", "/projects/demo/credentials").json()["items"] == []
    assert fingerprint() == before


def test_what_is_bound_elsewhere_is_changed_through_no_other_project(api_client, shared):
    path = f"/projects/other/credentials/{shared.pk}"
    check_error(api_client.call("patch", path, {"name": "x"}), 404, "7")
    assert api_client.call("delete", path).status_code == 204
    assert Credential.objects.live().get().name == "gh"


def test_a_deleted_credential_is_bound_to_nothing(user, project):
    gone = CredentialFactory()
    values = {"scope": "credential", "credential_id": gone.pk, "project_id": project.pk}
    service.credential_delete(credential=gone)
    with pytest.raises(InvalidField):
        role_binding_create(role=Role.objects.get(name="credential:viewer"), values=values)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["index_labels", "role_binding_create", "require_may_create", "seal"])
def test_a_fault_at_any_step_leaves_nothing(api_client, project, bind_role, monkeypatch, step):
    bind_role("project:owner", project)
    before = fingerprint()

    def fail(*args, **kwargs):
        raise RuntimeError("injected")

    monkeypatch.setattr(service, step, fail)
    response = api_client.call("post", "/projects/demo/credentials", NEW)
    assert response.status_code == 500
    assert not Credential.objects.exists()
    assert fingerprint() == before
    assert TOKEN not in json.dumps(response.json())
