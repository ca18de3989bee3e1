"""Open paths: what the server is and whether it is well."""

import pytest
import redis
from django.db import OperationalError

from ambient.common import health, hints
from ambient.version import VERSION


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nonsense"}])
def test_server_info_needs_no_token(anonymous, slash, header):
    info = anonymous.call("get", f"/api/ambient{slash}", **header).json()
    assert set(info) == {"id", "href", "kind", "version", "build_time"}
    assert (info["id"], info["href"], info["kind"]) == ("ambient-api-server", "/api/ambient", "API")
    version = anonymous.call("get", f"/version{slash}", **header).json()
    assert (set(version), version["version"]) == ({"version", "build_time", "git_tag"}, VERSION)


def test_openapi_as_json_and_as_a_page(anonymous):
    schema = anonymous.call("get", "/openapi")
    assert schema.json()["openapi"].startswith("3.")
    page = anonymous.call("get", "/openapi.html", Accept="text/html").content.decode()
    assert "swagger-ui" in page
    assert "//cdn" not in page
    script = next(part.split('"')[0] for part in page.split('src="')[1:] if "bundle" in part)
    asset = anonymous.get(script)
    assert asset.status_code == 200


@pytest.mark.parametrize(
    "path", ["../settings.py", "%2e%2e/settings.py", "admin", "none.css", "admin/css/../../x"]
)
def test_static_serves_known_files_only(anonymous, path):
    response = anonymous.get(f"/static/{path}")
    assert response.status_code in (400, 404)
    assert b"SECRET" not in response.content


@pytest.mark.parametrize("path", ["/healthz", "/healthcheck"])
def test_alive(anonymous, path):
    assert anonymous.get(path).status_code == 200
    assert anonymous.post(path).status_code == 405


def test_browsers_ask_for_an_icon_once_a_day(anonymous):
    answer = anonymous.get("/favicon.ico")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Cache-Control"] == "public, max-age=86400"
    assert anonymous.post("/favicon.ico").status_code == 405


def test_ready(anonymous):
    assert anonymous.get("/readyz").json() == {"ready": True, "not_ready": {}}


def test_not_ready_names_what(anonymous, monkeypatch):
    monkeypatch.setitem(health._checks, "mine", lambda: "is tired")
    response = anonymous.get("/readyz")
    assert (response.status_code, response.json()["not_ready"]) == (503, {"mine": "is tired"})


@pytest.mark.parametrize(
    ("reached", "status"),
    [
        pytest.param(False, 503, id="never-reached-it-may-be-set-wrong"),
        pytest.param(True, 200, id="once-reached-it-is-done-without"),
    ],
)
def test_redis_that_is_away_is_named(anonymous, monkeypatch, reached, status):
    monkeypatch.setattr(health, "_dispensable", set())
    if reached:
        assert anonymous.get("/readyz").json() == {"ready": True, "not_ready": {}}
    away = redis.Redis.from_url("redis://127.0.0.1:1/0")
    monkeypatch.setattr(hints, "client", lambda: away)
    answer = anonymous.get("/readyz")
    assert answer.status_code == status
    assert answer.json() == {"ready": reached, "not_ready": {"redis": "does not answer"}}


def test_database_that_is_away_is_named(monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr("ambient.common.health.connection.cursor", fail)
    assert health.database() == "does not answer"


def test_metrics(anonymous):
    response = anonymous.get("/metrics")
    assert response["Content-Type"].startswith("text/plain")
    assert b"python_info" in response.content


def test_root_leads_to_the_admin(anonymous):
    response = anonymous.get("/")
    assert (response.status_code, response["Location"]) == (302, "/admin/")


@pytest.mark.parametrize("path", ["/api/ambient/v1/sessions", "/api/nothing"])
def test_bad_host_is_json_below_api(anonymous, path):
    response = anonymous.get(path, headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"
    assert "AMBIENT_ALLOWED_HOSTS" in response.json()["reason"]


def test_admin_pages_show_no_secret(client, admin, user):
    from projects_app.services.api_keys import api_key_create
    from tests.factories import CredentialFactory

    key, _ = api_key_create(user=user)
    credential = CredentialFactory(token_sealed="enc:sealed-secret")
    client.force_login(admin)
    for path in (
        f"/admin/projects_app/apikey/{key.pk}/change/",
        f"/admin/projects_app/credential/{credential.pk}/change/",
        f"/admin/projects_app/user/{user.pk}/change/",
    ):
        page = client.get(path)
        assert page.status_code == 200
        for secret in (key.digest, "sealed-secret", user.password or "-none-"):
            assert secret not in page.content.decode()


def test_how_to_sign_in_is_told_without_a_token(anonymous):
    assert anonymous.call("get", "/auth/config").json() == {"methods": ["api_key"]}
