"""Sign-in and tokens with a real Keycloak: consent, PKCE, groups, renewal, new keys, sign-out, clocks."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from ambient.embedded.home import free_port
from tests.e2e.browser import visiting
from tests.e2e.keycloak import ADMINS, AUDIENCE, CLI, WEB, Keycloak
from tests.e2e.machine import serves
from tests.e2e.system import READY_SECONDS, V1, eventually
from tests.e2e.test_faults_workers import wrong_clock

pytestmark = [pytest.mark.idp, pytest.mark.timeout(900)]
UNTIL = "SELECT max(extract(epoch FROM expires_at)) FROM projects_app_browsersignin"


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory):
    found = Keycloak(tmp_path_factory.mktemp("keycloak") / "keycloak.log")
    try:
        found.wait()
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def team(make_stage, keycloak):
    """A platform whose people are in that Keycloak, with a group of the same name as one there."""
    stage = make_stage(
        OIDC_ISSUER=keycloak.issuer,
        OIDC_AUDIENCE=AUDIENCE,
        OIDC_CLIENT_ID=WEB,
        OIDC_CLIENT_SECRET=keycloak.secret,
        OIDC_ADMIN_GROUP=ADMINS,
        OIDC_PROVIDER_NAME="Keycloak",
    )
    make = "from django.contrib.auth.models import Group; Group.objects.create(name='night-shift')"
    stage.manage("shell", "--no-imports", "-c", make)
    return stage


@pytest.fixture
def window(team, keycloak, tmp_path):
    with visiting(team.api, tmp_path, also=(keycloak.url,)) as visit:
        yield visit


def credentials(page, keycloak, name):
    page.fill("#username", name)
    page.fill("#password", keycloak.password)
    page.click("#kc-login")


def enter(visit, keycloak, name, path="/admin/"):
    """Sign in with Keycloak's own form, and consent where it asks."""
    page = visit.go(path)
    page.click("text=Sign in with Keycloak")
    credentials(page, keycloak, name)
    accept = page.locator("[name=accept]")
    eventually(lambda: page.url.startswith(visit.base) or accept.count(), "back, or asked for consent")
    if not page.url.startswith(visit.base):
        visit.shot(f"{name}-consent")
        accept.click()
    page.wait_for_url(f"{visit.base}/**")
    page.wait_for_load_state("networkidle")
    return page


def renewed(stage, page):
    """The page again, once the sign-in's token has ended and the platform has asked for new ones."""
    before = stage.query(UNTIL)

    def asked():
        page.reload(wait_until="networkidle")
        return stage.query(UNTIL) != before

    eventually(asked, "the sign-in is renewed or ended", READY_SECONDS)
    return page


def status(stage, token, path="/projects", base=None):
    return stage.request("GET", f"{base or stage.api}{V1}{path}", token=token)


# --- people with a browser


def test_an_administrator_signs_in_with_consent_and_pkce_and_signs_out_everywhere(team, keycloak, window):
    window.go("/admin/")
    window.shot("sign-in")
    page = enter(window, keycloak, "alice", "/admin/projects_app/user/")
    assert urlsplit(page.url).path == "/admin/projects_app/user/"
    assert page.locator("text=alice").count()
    window.shot("alice-users")
    [(admin, groups)] = team.query(
        "SELECT u.is_superuser, array_agg(g.name) FROM projects_app_user u "
        "JOIN projects_app_user_groups m ON m.user_id = u.id JOIN auth_group g ON g.id = m.group_id "
        "WHERE u.username = 'alice' GROUP BY 1"
    )
    assert (admin, groups) == (True, ["night-shift"])
    assert len(keycloak.sessions("alice")) == 1
    [consent] = keycloak.of_realm("GET", f"/users/{keycloak.user_id('alice')}/consents")
    assert consent["clientId"] == WEB
    page.evaluate("document.getElementById('logout-form').submit()")
    page.wait_for_url("**/admin/login/**")
    window.shot("signed-out")
    assert keycloak.sessions("alice") == []
    assert team.query("SELECT count(*) FROM projects_app_browsersignin") == [(0,)]
    page.click("text=Sign in with Keycloak")
    page.wait_for_selector("#password")  # Keycloak asks again
    assert window.elsewhere == []


def test_keycloak_takes_no_sign_in_of_ours_without_pkce(keycloak, team):
    query = {"client_id": WEB, "response_type": "code", "scope": "openid"}
    query["redirect_uri"] = f"{team.api}/oidc/callback"
    address = f"{keycloak.issuer}/protocol/openid-connect/auth?{urlencode(query)}"
    answer = httpx.get(address, trust_env=False)
    assert "code_challenge" in answer.headers["location"]


def test_somebody_without_rights_is_told_so_and_can_leave(team, keycloak, window):
    page = enter(window, keycloak, "bob")
    assert "You are signed in as bob" in page.inner_text("body")
    assert "no access to the admin" in page.inner_text("body")
    window.shot("bob-no-access")
    page.click("text=Sign out")
    page.wait_for_url("**/admin/login/**")
    assert keycloak.sessions("bob") == []
    assert page.locator("text=Sign in with Keycloak").count() == 1


def test_a_sign_in_is_renewed_follows_the_groups_and_ends_when_keycloak_says_so(team, keycloak, window):
    page = enter(window, keycloak, "alice")
    assert page.locator("#content").count()
    assert renewed(team, page).locator("#content").count()
    keycloak.rotate_keys()
    assert renewed(team, page).locator("#content").count(), "out after new keys"
    keycloak.set_member("alice", ADMINS, member=False)
    try:
        assert "no access to the admin" in renewed(team, page).inner_text("body")
    finally:
        keycloak.set_member("alice", ADMINS, member=True)
    renewed(team, page)
    assert window.go("/admin/").locator("#content").count()
    keycloak.of_realm("POST", f"/users/{keycloak.user_id('alice')}/logout")
    assert renewed(team, page).locator("text=Sign in with Keycloak").count()


def test_a_person_who_declines_is_told(team, keycloak, window):
    keycloak.of_realm("DELETE", f"/users/{keycloak.user_id('bob')}/consents/{WEB}")
    page = window.go("/admin/")
    page.click("text=Sign in with Keycloak")
    credentials(page, keycloak, "bob")
    page.click("[name=cancel]")
    page.wait_for_url(f"{window.base}/**")
    assert "did not sign you in" in page.inner_text("body")
    window.shot("bob-declined")


# --- programs


def test_the_password_grant_of_a_program_is_a_bearer_token(team, keycloak):
    answer = status(team, keycloak.password_token("bob"))
    assert answer.status_code == 200
    assert answer.json()["items"] == []
    assert status(team, keycloak.password_token("alice"), "/users").json()["total"] >= 2  # an administrator


def test_a_program_gets_a_bearer_token_with_a_code_and_pkce(team, keycloak, window):
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = "http://127.0.0.1:9/callback"  # nobody listens: the window notes where it was sent
    query = {"client_id": CLI, "response_type": "code", "scope": "openid", "redirect_uri": back}
    query |= {"code_challenge": challenge, "code_challenge_method": "S256", "state": "s"}
    window.page.goto(f"{keycloak.issuer}/protocol/openid-connect/auth?{urlencode(query)}")
    credentials(window.page, keycloak, "bob")
    [landed] = eventually(lambda: window.page.title() and window.elsewhere, "the program gets its code")
    code = dict(parse_qsl(urlsplit(landed).query))["code"]
    form = {"grant_type": "authorization_code", "client_id": CLI, "redirect_uri": back, "code": code}
    assert status(team, keycloak.token(**form, code_verifier=verifier)).status_code == 200


def test_a_service_account_works_with_client_credentials(team, keycloak):
    token = keycloak.service_token()
    name = f"p-{secrets.token_hex(4)}"
    made = team.request("POST", "/projects", token=token, json={"name": name})
    assert made.status_code == 201, made.text
    assert status(team, token, f"/projects/{name}").status_code == 200
    assert status(team, keycloak.password_token("bob"), f"/projects/{name}").status_code == 404
    [(username,)] = team.query("SELECT username FROM projects_app_user WHERE username ~ '^service-'")
    assert username == "service-account-ambient-ci"


def test_a_token_for_another_audience_is_refused(team, keycloak):
    answer = status(
        team,
        keycloak.token(
            grant_type="password",
            client_id="admin-cli",
            username="bob",
            password=keycloak.password,
            scope="openid",
        ),
    )
    assert answer.status_code == 401
    assert "aud" in answer.json()["reason"]


def test_tokens_of_new_keys_are_taken_and_those_of_withdrawn_keys_end(team, keycloak):
    before = keycloak.password_token("bob")
    assert status(team, before).status_code == 200
    keycloak.rotate_keys()
    after = keycloak.password_token("bob")
    eventually(lambda: status(team, after).status_code == 200, "the new key is known", READY_SECONDS)
    assert status(team, before).status_code == 401


# --- clocks


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        pytest.param(20, None, id="a-little-ahead"),
        pytest.param(-20, None, id="a-little-behind"),
        pytest.param(3600, "expired", id="far-ahead"),
        pytest.param(-3600, "not valid yet", id="far-behind"),
    ],
)
def test_a_wrong_clock(team, keycloak, tmp_path, seconds, reason):
    port = free_port()
    team.add("api-2", "serve", "api", AMBIENT_API_PORT=str(port), **wrong_clock(seconds))
    base = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: serves(base), "the server with a wrong clock", READY_SECONDS)
        answer = status(team, keycloak.password_token("alice"), base=base)
        assert answer.status_code == (401 if reason else 200)
        assert (reason or "") in answer.text
        with visiting(base, tmp_path, also=(keycloak.url,)) as visit:
            text = enter(visit, keycloak, "alice").inner_text("body")
            visit.shot(f"clock-{seconds}")
        assert ("Not signed in" in text) is bool(reason)
        assert (reason or "") in text
    finally:
        team.end_replicas()
