"""What browsers are told about every kind of answer, cookies, hosts and proxies."""

import re

import pytest

from ambient.common.security_headers import ADMIN, NOTHING, PAGE, PERMISSIONS
from projects_app.services.credentials import credential_create
from reconciler.management.commands import serve

V1 = "/api/ambient/v1"


@pytest.mark.parametrize(
    ("path", "status", "policy", "kept"),
    [
        pytest.param("/admin/login/", 200, ADMIN, "no-store", id="sign-in"),
        pytest.param("/admin/", 200, ADMIN, "no-store", id="dashboard"),
        pytest.param("/admin/projects_app/project/", 200, ADMIN, "no-store", id="admin-list"),
        pytest.param("/admin/projects_app/project/add/", 200, ADMIN, "no-store", id="admin-form"),
        pytest.param("/admin/jsi18n/", 200, NOTHING, "no-store", id="admin-script"),
        pytest.param("/admin/nothing/", 404, NOTHING, "no-store", id="admin-page-that-is-not-there"),
        pytest.param(f"{V1}/openapi.html", 200, PAGE, "no-store", id="api-page"),
        pytest.param(f"{V1}/openapi", 200, NOTHING, "no-store", id="api-document"),
        pytest.param(f"{V1}/projects", 200, NOTHING, "no-store", id="list"),
        pytest.param(f"{V1}/projects/demo", 200, NOTHING, "no-store", id="object-with-etag"),
        pytest.param(f"{V1}/projects/none", 404, NOTHING, "no-store", id="error"),
        pytest.param("/nothing", 404, NOTHING, None, id="no-such-page"),
        pytest.param("/static/ambient/admin.css", 200, NOTHING, "max-age=3600", id="file"),
        pytest.param("/healthz", 200, NOTHING, None, id="probe"),
    ],
)
def test_headers_of_every_kind_of_answer(client, admin, project, path, status, policy, kept):
    if path != "/admin/login/":
        client.force_login(admin)
    answer = client.get(path)
    assert answer.status_code == status
    assert answer["Content-Security-Policy"] == policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Permissions-Policy"] == PERMISSIONS
    assert kept is None or kept in answer["Cache-Control"]


@pytest.mark.parametrize("policy", [NOTHING, PAGE, ADMIN])
def test_no_policy_lets_inline_scripts_frames_or_other_hosts_in(policy):
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"
    assert "'unsafe-inline'" not in directives.get("script-src", "")
    assert "http" not in policy
    assert "*" not in policy


def test_a_secret_in_an_answer_is_not_kept(client_for, user):
    credential = credential_create(
        actor=user, values={"name": "c", "provider": "github", "token": "hush-token"}
    )
    answer = client_for(user).call("get", f"/credentials/{credential.pk}/token")
    assert answer.json()["token"] == "hush-token"
    assert answer["Cache-Control"] == "no-store"


def test_etags_go_on_working(client_for, admin, project):
    client = client_for(admin)
    etag = client.call("get", "/projects/demo")["ETag"]
    assert client.call("get", "/projects/demo", None, **{"If-None-Match": etag}).status_code == 304


def test_pages_have_no_inline_script(client, admin, db):
    client.force_login(admin)
    for path in ("/admin/", "/admin/projects_app/project/", f"{V1}/openapi.html"):
        text = client.get(path).content.decode()
        scripts = re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL)
        assert scripts
        assert not [body for attributes, body in scripts if body.strip() and "json" not in attributes]
        assert not re.findall(r"\son(?:click|load|change|submit)=", text)


def test_cookies_are_for_our_own_pages_and_not_for_scripts(client, db):
    from tests.factories import UserFactory

    boss = UserFactory(username="boss", is_staff=True)
    boss.set_password("correct horse battery staple")
    boss.save()
    client.get("/admin/login/")
    client.post("/admin/login/", {"username": "boss", "password": "correct horse battery staple"})
    assert set(client.cookies) == {"csrftoken", "sessionid"}
    for cookie in client.cookies.values():
        assert cookie["samesite"] == "Lax"
        assert cookie["httponly"]


@pytest.mark.parametrize("path", ["/admin/", f"{V1}/projects", f"{V1}/version", "/healthz"])
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a b", ""])
def test_another_host_name_is_refused(client, admin, path, host):
    client.force_login(admin)
    answer = client.get(path, headers={"Host": host}, HTTP_HOST=host)
    assert answer.status_code == 400
    assert b"AMBIENT_ALLOWED_HOSTS" in answer.content
    assert b"evil.example" not in answer.content


@pytest.mark.parametrize(
    ("secure", "seconds", "told"),
    [
        pytest.param(True, 60, "max-age=60", id="over-tls"),
        pytest.param(False, 60, None, id="not-without-tls"),
        pytest.param(True, 0, None, id="not-when-off"),
    ],
)
def test_hsts(client, db, settings, secure, seconds, told):
    settings.SECURE_HSTS_SECONDS = seconds
    answer = client.get("/healthz", secure=secure)
    assert answer.headers.get("Strict-Transport-Security") == told


@pytest.mark.parametrize(
    ("path", "redirected"),
    [
        ("/", True),
        ("/admin/", True),
        ("/admin/login/", True),
        ("/healthz", False),
        ("/metrics", False),
        (f"{V1}/version", False),
        (f"{V1}/admin", False),
        ("/static/ambient/admin.css", False),
    ],
)
def test_production_sends_people_to_tls_and_no_program(client, db, settings, path, redirected):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^(?!admin(/|$)|$)"]
    answer = client.get(path)
    assert (answer.headers.get("Location", "").startswith("https://")) is redirected
    assert client.get(path, secure=True).headers.get("Location", "").startswith("https://") is False


@pytest.mark.parametrize(("proxies", "believed"), [([], False), (["10.0.0.1"], True), (["10.0.0.0/8"], True)])
def test_forwarded_headers_are_believed_of_named_proxies_only(monkeypatch, proxies, believed):
    monkeypatch.setattr(serve.env, "TRUSTED_PROXIES", proxies)
    config = serve.server_config("api")
    assert config.proxy_headers is believed
    assert config.forwarded_allow_ips == proxies
