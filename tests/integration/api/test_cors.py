"""Pages of other origins: only those that are listed, with a token, never with a cookie."""

import pytest

CONSOLE = "https://console.example"


@pytest.fixture
def listed(settings):
    settings.CORS_ALLOWED_ORIGINS = [CONSOLE]
    settings.CORS_URLS_REGEX = r"^/api/"


def preflight(client, origin, method="PUT", path="/projects"):
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.call("options", path, None, **asked)


@pytest.mark.parametrize("method", ["DELETE", "GET", "PATCH", "POST", "PUT"])
def test_a_listed_origin_may_ask(anonymous, listed, method):
    answer = preflight(anonymous, CONSOLE, method)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == CONSOLE
    assert method in answer["Access-Control-Allow-Methods"].split(", ")
    headers = set(answer["Access-Control-Allow-Headers"].split(", "))
    assert {"authorization", "content-type", "x-forwarded-access-token", "x-ambient-project"} <= headers
    assert answer["Access-Control-Max-Age"] == "600"
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{CONSOLE}.evil.example", "http://console.example"]
)
def test_another_origin_may_not(anonymous, listed, origin):
    assert "Access-Control-Allow-Origin" not in preflight(anonymous, origin)


def test_answers_and_errors_carry_the_origin(client_for, admin, anonymous, listed):
    for client, status in ((client_for(admin), 200), (anonymous, 401)):
        answer = client.call("get", "/projects", None, Origin=CONSOLE)
        assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (status, CONSOLE)
        assert "origin" in answer["Vary"].lower()


def test_without_a_list_nobody_may(anonymous, db):
    answer = preflight(anonymous, CONSOLE)
    assert answer.status_code == 401
    assert "Access-Control-Allow-Origin" not in answer


def test_only_the_api_is_open_to_them(client, listed, db):
    answer = client.get("/admin/login/", headers={"Origin": CONSOLE})
    assert "Access-Control-Allow-Origin" not in answer
