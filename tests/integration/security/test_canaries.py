"""Canary secrets through every path of one process: none comes out where it should not.

Each path carries a word beside the secret that may be seen; a test that does not find it fails. The paths
between processes (logs, Valkey, process lists, backups, traces) are in tests/e2e/test_canaries.py.
"""

import dataclasses
import importlib
import inspect
import io
import json
import logging
import pkgutil
import re
from urllib.parse import quote

import pytest
from django.test.client import RequestFactory

import ambient
import projects_app
import reconciler
import sessions_app
from ambient import env
from ambient.common.logging import configure
from projects_app.models import Credential
from projects_app.services import credentials as service
from projects_app.services.api_keys import api_key_create
from projects_app.services.credentials import credential_create
from sessions_app.services.sessions import session_create
from tests.factories import UserFactory
from tests.integration.security.canaries import Canary, whole_database

V1 = "/api/ambient/v1"


@pytest.fixture
def canary():
    return Canary()


@pytest.fixture
def logged():
    """All that the process logs from now on at the least severe level, as its handler writes it."""
    before, written = env.LOG_LEVEL, io.StringIO()
    env.LOG_LEVEL = "DEBUG"
    configure({})
    (handler,) = (each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler)
    handler.setStream(written)  # pytest's own replacement of stderr may be closed by the time of the test
    yield written.getvalue
    env.LOG_LEVEL = before
    configure({})


@pytest.fixture
def owner(client_for, user):
    return client_for(user)


@pytest.fixture
def credential(user, canary):
    return credential_create(
        actor=user, values={"name": canary.control, "provider": "github", "token": canary.secret}
    )


def test_the_search_finds_a_secret_however_it_is_written(canary):
    for text in (canary.secret, canary.secret.encode().hex(), f'{{"a": "{canary.secret}"}}'):
        assert canary.found_in(f"before {text} after")
    with pytest.raises(AssertionError):
        canary.check(canary.secret)


# --- credentials over REST


def test_the_token_route_alone_tells_it(owner, credential, canary):
    answer = owner.call("get", f"/credentials/{credential.pk}/token")
    assert canary.found_in(answer.content.decode())


@pytest.mark.parametrize("key", [None, "once"], ids=["plain", "idempotent"])
def test_create_and_patch(owner, canary, logged, key):
    headers = {"Idempotency-Key": key} if key else {}
    body = {"name": canary.control, "provider": "github", "token": canary.secret}
    made = [owner.call("post", "/credentials", body, **headers) for _ in range(2 if key else 1)]
    pk = made[0].json()["id"]
    changed = owner.call("patch", f"/credentials/{pk}", {"token": canary.secret, "name": canary.control})
    read = owner.call("get", f"/credentials/{pk}")
    listed = owner.call("get", "/credentials")
    for answer in (*made, changed, read, listed):
        assert answer.status_code in (200, 201)
        canary.check(answer.content.decode())
    logging.getLogger("tests").debug("beside %s", canary.control)
    canary.check(logged())
    canary.check(whole_database())


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"provider": "CONTROL", "token": "SECRET"}, id="unknown-provider"),
        pytest.param({"provider": "github", "token": ["SECRET"], "CONTROL": 1}, id="token-of-a-wrong-type"),
        pytest.param({"provider": "github", "token": {"SECRET": "SECRET"}, "CONTROL": 1}, id="token-object"),
        pytest.param({"provider": "github", "token": "SECRET", "CONTROL": 1}, id="unknown-field"),
        pytest.param({"provider": "github", "token": "SECRET\0", "id": "CONTROL"}, id="token-with-a-nul"),
        pytest.param({"provider": "github", "token": "SECRET", "name": ["CONTROL"]}, id="wrong-name"),
    ],
)
def test_a_bad_create(owner, canary, logged, body):
    import orjson

    text = orjson.dumps({"name": "x"} | body).decode()
    raw = text.replace("SECRET", canary.secret).replace("CONTROL", canary.control)
    answer = owner.call("post", f"/credentials?fields={canary.control}", raw.encode())
    assert answer.status_code == 400
    assert canary.found_in(answer.content.decode()) == []
    logging.getLogger("tests").debug("beside %s", canary.control)
    canary.check(logged())
    assert canary.found_in(whole_database()) == []


@pytest.mark.parametrize(
    "raw", [b'{"token": "SECRET"', b"SECRET", b'{"token": "SECRET", "token": }', b'["SECRET"]', b'"SECRET"']
)
@pytest.mark.parametrize("path", ["/credentials", "/credentials/PK"])
def test_a_body_that_cannot_be_read(owner, credential, canary, logged, raw, path):
    method = "patch" if "PK" in path else "post"
    answer = owner.call(
        method, path.replace("PK", credential.pk), raw.replace(b"SECRET", canary.secret.encode())
    )
    assert answer.status_code == 400
    assert canary.found_in(answer.content.decode()) == []
    assert canary.found_in(logged()) == []


# --- the same of what callers show


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Authorization", "Bearer SECRET"),
        ("Authorization", "Basic SECRET"),
        ("Authorization", "SECRET"),
        ("X-Forwarded-Access-Token", "SECRET"),
        ("Cookie", "sessionid=SECRET"),
    ],
)
@pytest.mark.parametrize("path", [f"{V1}/projects", f"{V1}/no/such", "/admin/", "/admin/no/such/"])
def test_a_bad_proof(client, db, canary, logged, header, value, path):
    answer = client.get(
        f"{path}?{canary.control}",
        headers={header: value.replace("SECRET", canary.secret), "X-Operation-ID": canary.control},
    )
    assert answer.status_code in (302, 401, 404)
    logging.getLogger("tests").debug("beside %s", canary.control)
    canary.check(f"{answer.content.decode()} {answer.headers} {logged()}")


def test_a_bad_password(client, db, canary, logged):
    form = {"username": canary.control, "password": canary.secret}
    answer = client.post("/admin/login/", form)
    logging.getLogger("tests").debug("beside %s", canary.control)
    canary.check(answer.content.decode() + logged())
    assert canary.found_in(whole_database()) == []


# --- error reports


def test_a_fault_while_the_secret_is_in_hand(owner, canary, logged, monkeypatch):
    def fail(*args, **kwargs):
        secret = canary.secret  # noqa: F841 - a local variable, as the one that a report could show
        raise RuntimeError(canary.control)

    monkeypatch.setattr(service, "seal", fail)
    body = {"name": "x", "provider": "github", "token": canary.secret}
    owner.raise_request_exception = False
    answer = owner.call("post", "/credentials", body)
    assert answer.status_code == 500
    assert canary.control not in answer.content.decode()
    assert canary.found_in(answer.content.decode()) == []
    canary.check(logged())


def test_a_fault_on_a_page_of_the_admin(client, admin, canary, logged, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError(canary.control)

    monkeypatch.setattr(service, "seal", fail)
    client.force_login(admin)
    client.raise_request_exception = False
    form = {"name": "x", "provider": "github", "new_token": canary.secret, "token": canary.secret}
    answer = client.post("/admin/projects_app/credential/add/", form)
    text = answer.content.decode()
    assert canary.found_in(text) == []
    assert answer.status_code in (200, 500)
    logging.getLogger("tests").debug("beside %s", canary.control)
    canary.check(logged())


# --- the admin


def test_pages_of_the_admin(client, admin, credential, canary):
    client.force_login(admin)
    base = "/admin/projects_app/credential/"
    for path in ("", f"{credential.pk}/change/", f"{credential.pk}/history/", f"{credential.pk}/delete/"):
        canary.check(client.get(base + path, follow=True).content.decode())
    refused = client.post(
        f"{base}add/", {"name": canary.control, "provider": "nothing", "token": canary.secret}
    )
    assert refused.status_code == 200
    assert canary.control in refused.content.decode()


def test_a_password_is_nowhere(client, db, canary):
    person = UserFactory(username=canary.control, is_staff=True, is_superuser=True)
    person.set_password("an old one of hers")
    person.save()
    client.force_login(person)
    form = {
        "old_password": "an old one of hers",
        "new_password1": canary.secret,
        "new_password2": canary.secret,
    }
    changed = client.post("/admin/password_change/", form)
    person.refresh_from_db()
    assert person.check_password(canary.secret), changed.content
    canary.check(whole_database())
    for path in ("", f"{person.pk}/change/", f"{person.pk}/history/"):
        text = client.get(f"/admin/projects_app/user/{path}", follow=True).content.decode()
        canary.check(text)
        assert person.password not in text


# --- what is stored


def test_an_api_key_is_nowhere_after_it_was_shown(client, user, admin):
    _, text = api_key_create(user=user, name="seen-key")
    canary = Canary(secret=text, control="seen-key")
    canary.check(whole_database())
    client.force_login(admin)
    canary.check(client.get("/admin/projects_app/apikey/").content.decode())


def test_a_runners_secret_is_nowhere(db, project, client, admin):
    from reconciler.launch import runner_secret

    session = session_create(actor="alice", project=project, spec={"name": "seen-session"})
    canary = Canary(secret=runner_secret(session), control="seen-session")
    canary.check(whole_database())
    client.force_login(admin)
    for path in ("change", "history"):
        page = client.get(f"/admin/sessions_app/session/{session.pk}/{path}/", follow=True)
        canary.check(page.content.decode())


# --- what programs print


OURS = (ambient, projects_app, sessions_app, reconciler)
SECRET_NAME = re.compile(r"secret|token|bearer|password|hidden|api_key|private", re.IGNORECASE)
NO_SECRET = {"private_folder", "reconciler.workqueue.Claim.token", "token_url", "token_uri", "private_key_id"}
LEFT_OUT = ("__main__", "migrations", "ambient.asgi", "demo", "preflight")


def our_classes():
    """Every class of the platform's own modules."""
    for package in OURS:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if any(part in module.name for part in LEFT_OUT):
                continue
            for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if found.__module__ == module.name:
                    yield found


def test_no_value_object_shows_a_secret_of_its_fields(db):
    shown, hidden = [], []
    for found in our_classes():
        name = f"{found.__module__}.{found.__qualname__}"
        if hasattr(found, "_fields") and issubclass(found, tuple):
            shown += [f"{name}.{each}" for each in found._fields if SECRET_NAME.search(each)]
        if not dataclasses.is_dataclass(found):
            continue
        for each in dataclasses.fields(found):
            if SECRET_NAME.search(each.name) and not {each.name, f"{name}.{each.name}"} & NO_SECRET:
                is_own = "__create_fn__" not in getattr(found.__repr__, "__qualname__", "")
                generated = getattr(found.__repr__, "__wrapped__", None) is not None
                (hidden if not each.repr or (is_own and not generated) else shown).append(
                    f"{name}.{each.name}"
                )
    assert "sessions_app.tokens.SessionToken.token" in hidden
    assert shown == []


def test_models_serializers_and_errors_do_not_show_it(credential, canary, user):
    from ambient.common.exceptions import InvalidField
    from projects_app.resource_serializers import CredentialSerializer

    stored = Credential.objects.get(pk=credential.pk)
    form = CredentialSerializer(data={"name": canary.control, "provider": "github", "token": canary.secret})
    for text in (
        repr(stored),
        str(stored),
        f"{repr(form)} {canary.control}",
        repr(stored.token_sealed) + canary.control,
    ):
        canary.check(text)
    assert canary.found_in(f"{InvalidField('x')!r} {api_key_create(user=user)[0]!r}") == []


def test_settings_and_keys_do_not_show_themselves(settings):
    request = RequestFactory().get("/")
    assert settings.SECRET_KEY not in repr(request) + repr(settings)


# --- what is open to everybody


@pytest.mark.parametrize(
    ("path", "control"),
    [("/metrics", "ambient_http_requests_total"), (f"{V1}/openapi", "2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B")],
)
def test_open_documents(client, owner, credential, canary, settings, path, control):
    owner.call("get", f"/credentials/{credential.pk}/token")
    text = client.get(path).content.decode()
    for secret in (canary.secret, settings.SECRET_KEY, *settings.ENCRYPTION_KEYS):
        Canary(secret=secret, control=control).check(text)
    assert re.findall(r"\bambs?_[A-Za-z0-9_-]{20,}|\beyJ[\w-]{10,}\.", text) == []


# --- addresses with a password in them

ADDRESS = "https://bot:SECRET@git.example/CONTROL.git"
REPOS = json.dumps([{"url": ADDRESS}])
WITH_ADDRESSES = [
    # POST, PATCH: path and body; ADDRESS goes into each
    ("/credentials", {"name": "c", "provider": "gitlab", "description": f"For {ADDRESS}"}),
    ("/projects/demo/agents", {"name": "a", "repo_url": ADDRESS}),
    ("/sessions", {"name": "s", "project_id": "demo", "repo_url": ADDRESS}),
    ("/sessions", {"name": "s", "project_id": "demo", "repos": REPOS}),
    ("/sessions", {"name": "s", "project_id": "demo", "prompt": f"Clone {ADDRESS} and look."}),
    ("/project_settings", {"project_id": "demo", "repositories": REPOS}),
    (
        "/applications",
        {"name": "f", "source_repo_url": ADDRESS, "source_path": "x", "destination_project": "demo"},
    ),
]


@pytest.mark.parametrize(
    ("path", "body"), WITH_ADDRESSES, ids=[f"{path}-{list(body)[-1]}" for path, body in WITH_ADDRESSES]
)
def test_a_password_in_an_address(client_for, admin, project, canary, logged, path, body):
    """Not in the log of changes, before or after, and in no log line; the rest of the address is."""

    def filled(spelling):
        secret = quote(canary.secret, safe="") if spelling == "quoted" else canary.secret
        text = json.dumps(body).replace("SECRET", secret).replace("CONTROL", canary.control)
        return json.loads(text)

    owner = client_for(admin)
    made = owner.call("post", path, filled("quoted"))
    assert made.status_code == 201, made.content
    pk = made.json()["id"]
    changes = {name: value for name, value in filled("raw").items() if name not in ("project_id", "provider")}
    assert owner.call("patch", f"{path}/{pk}", changes).status_code == 200
    assert owner.call("delete", f"{path}/{pk}").status_code == 204
    told = owner.call("get", f"/audit?object_id={pk}").content.decode()
    stored = "\n".join(line for line in whole_database().splitlines() if "projects_app_auditentry" in line)
    assert [entry["action"] for entry in json.loads(told)["items"]] == ["delete", "update", "create"]
    for text in (told, stored):
        canary.check(text)
    logging.getLogger("tests").debug("cloning %s of %s", filled("raw"), ADDRESS.replace("SECRET", "x"))
    canary.check(logged())
