"""Attacks on the sign-in of browsers, one a row; none signs anybody in or leaves a user behind."""

import base64
import hmac
import json
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from django.test import Client

from projects_app.models import BrowserSignIn, ExternalIdentity, User
from projects_app.oidc import keys
from projects_app.views import sign_in
from tests.fakes.oidc_issuer import FakeIssuer, rsa_key
from tests.fakes.oidc_provider import CLIENT_ID

pytestmark = pytest.mark.django_db
NOW = int(time.time())


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(provider):
    provider.sign = lambda claims: f"{part({'alg': 'none'})}.{part(provider.claims(**claims))}."


def public_key_as_secret(provider):
    pem = (
        provider.keys["first"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )

    def sign(claims):
        signed = f"{part({'alg': 'HS256', 'kid': 'first'})}.{part(provider.claims(**claims))}"
        digest = hmac.digest(pem, signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    provider.sign = sign


def client_secret_as_key(provider):
    provider.sign = lambda claims: provider.token(key=b"s3cret" * 8, alg="HS256", **claims)


def signed_by(kid, key=None):
    def prepare(provider):
        signing = key() if key else provider.keys["first"]
        provider.sign = lambda claims: provider.token(kid=kid, key=signing, **claims)

    return prepare


def says(**claims):
    return lambda provider: provider.say.update(claims)


def for_two_without_azp(provider):
    provider.say = {"aud": [CLIENT_ID, "grafana"], "azp": None}


def of_several_keys_none_named(provider):
    provider.keys["second"] = rsa_key()
    signed_by(None)(provider)


TOKENS = {
    "alg-none": (unsigned, "algorithm"),
    "hs256-with-the-public-key": (public_key_as_secret, "algorithm"),
    "hs256-with-the-clients-secret": (client_secret_as_key, "algorithm"),
    "another-key": (signed_by("first", rsa_key), "signature"),
    "kid-of-nobody": (signed_by("second", rsa_key), "key is not known"),
    "kid-is-a-path": (signed_by("../../etc/passwd"), "key is not known"),
    "kid-is-sql": (signed_by("' OR 1=1 --"), "key is not known"),
    "kid-missing-among-several": (of_several_keys_none_named, "key is not known"),
    "kid-empty": (signed_by(""), "names no key"),
    "issuer-of-another": (says(iss="https://elsewhere.example"), "issuer"),
    "issuer-missing": (says(iss=None), "issuer"),
    "audience-of-another": (says(aud="grafana"), "audience"),
    "audience-of-the-api": (says(aud="ambient"), "audience"),
    "audience-missing": (says(aud=None), "aud"),
    "client-of-another": (says(azp="grafana"), "another client"),
    "client-missing-among-several": (for_two_without_azp, "another client"),
    "nonce-of-another": (says(nonce="another"), "nonce"),
    "nonce-missing": (says(nonce=None), "nonce"),
    "nonce-is-no-text": (says(nonce=5), "nonce"),
    "expired": (says(exp=NOW - 120), "expired"),
    "expiry-missing": (says(exp=None), "exp"),
    "not-yet-valid": (says(nbf=NOW + 3600), "not valid yet"),
    "issued-in-the-future": (says(iat=NOW + 3600), "not valid yet"),
    "subject-missing": (says(sub=None), "sub"),
}


@pytest.fixture
def nobody():
    """Checks at the end that nobody came in."""
    before = set(User.objects.values_list("pk", flat=True))
    yield
    assert set(User.objects.values_list("pk", flat=True)) == before
    assert not ExternalIdentity.objects.exists()
    assert not BrowserSignIn.objects.exists()


def refused(answer, reason):
    text = answer.content.decode()
    assert answer.status_code == 403, text
    assert reason in text
    assert "Location" not in answer


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("attack", TOKENS)
def test_an_id_token_is_refused_with_its_reason(provider, person, attack):
    prepare, reason = TOKENS[attack]
    prepare(provider)
    refused(person.sign_in(), reason)
    assert person.username is None


def state_of_another(provider, person, answer):
    return answer | {"state": "x" * 32}


def no_state(provider, person, answer):
    return {"code": answer["code"]}


def empty_state(provider, person, answer):
    return answer | {"state": ""}


def error_without_a_state(provider, person, answer):
    return {"error": "access_denied"}


def no_code(provider, person, answer):
    return {"state": answer["state"]}


def another_issuer(provider, person, answer):
    return answer | {"iss": "https://elsewhere.example"}


def made_up_code(provider, person, answer):
    return answer | {"code": "guessed"}


def begun_too_long_ago(provider, person, answer):
    session = person.client.session
    session["oidc_states"][answer["state"]]["added_on"] -= sign_in.STATE_SECONDS + 1
    session.save()
    return answer


def code_of_another_sign_in(provider, person, answer):
    """A stolen code, put into a sign-in of one's own: neither its PKCE verifier nor its nonce fits."""
    return answer | {"code": provider.authorize(person.begin())["code"]}


ANSWERS = {
    "state-of-another": (state_of_another, sign_in.NOT_BEGUN),
    "state-missing": (no_state, sign_in.NOT_BEGUN),
    "state-empty": (empty_state, sign_in.NOT_BEGUN),
    "state-too-old": (begun_too_long_ago, sign_in.NOT_BEGUN),
    "error-without-a-state": (error_without_a_state, sign_in.NOT_BEGUN),
    "code-missing": (no_code, sign_in.DECLINED),
    "code-made-up": (made_up_code, "invalid_grant"),
    "code-of-another-sign-in": (code_of_another_sign_in, "invalid_grant"),
    "issuer-of-another": (another_issuer, "another provider"),
}


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("attack", ANSWERS)
def test_an_answer_is_refused_with_its_reason(provider, person, attack):
    change, reason = ANSWERS[attack]
    answer = change(provider, person, provider.authorize(person.begin()))
    refused(person.come_back(**answer), reason)
    assert person.username is None


def test_a_code_counts_once_here_and_at_the_provider(provider, person, make_person):
    answer = provider.authorize(person.begin())
    assert person.come_back(**answer).status_code == 302
    refused(person.come_back(**answer), sign_in.NOT_BEGUN)  # the state is used up
    thief = make_person()
    own = provider.authorize(thief.begin())
    refused(thief.come_back(**own | {"code": answer["code"]}), "invalid_grant")
    assert thief.username is None
    assert person.username == "alice"


@pytest.mark.usefixtures("nobody")
def test_login_csrf_an_answer_for_the_attackers_browser_signs_nobody_else_in(provider, make_person):
    attacker, victim = make_person(), make_person()
    answer = provider.authorize(attacker.begin())
    refused(victim.come_back(**answer), sign_in.NOT_BEGUN)
    victim.begin()  # nor does one that the victim's own sign-in crosses
    refused(victim.come_back(**answer), sign_in.NOT_BEGUN)
    assert victim.username is None


def test_login_csrf_a_sign_in_is_not_taken_over_by_the_attackers_answer(provider, person, make_person):
    assert person.sign_in().status_code == 302
    provider.say = {"sub": "subject-2", "preferred_username": "mallory"}
    attacker = make_person()
    refused(person.come_back(**provider.authorize(attacker.begin())), sign_in.NOT_BEGUN)
    assert person.username == "alice"
    refused(person.come_back(error="x", state="y"), sign_in.NOT_BEGUN)
    assert person.username == "alice"


@pytest.mark.usefixtures("nobody")
def test_the_nonce_of_another_sign_in_of_the_same_browser_does_not_do(provider, person):
    first, second = person.begin(), person.begin()
    provider.say = {"nonce": dict(parse_qsl(urlsplit(first).query))["nonce"]}
    refused(person.come_back(**provider.authorize(second)), "nonce")


def test_session_fixation_a_sign_in_gets_a_new_browser_session(provider, person):
    address = person.begin()
    planted = person.client.session
    planted["planted"] = "by the attacker"
    planted.save()
    before = person.client.cookies["sessionid"].value
    assert person.come_back(**provider.authorize(address)).status_code == 302
    assert person.client.cookies["sessionid"].value != before
    assert "planted" not in person.client.session
    attacker = Client()
    attacker.cookies["sessionid"] = before
    assert attacker.get("/api/ambient/v1/projects").status_code == 401


def test_session_fixation_signing_in_again_gets_a_new_one_too(person):
    assert person.sign_in().status_code == 302
    before = person.client.cookies["sessionid"].value
    assert person.sign_in().status_code == 302
    after = person.client.cookies["sessionid"].value
    assert after != before
    assert BrowserSignIn.objects.count() == 1
    thief = Client()
    thief.cookies["sessionid"] = before
    assert thief.get("/api/ambient/v1/projects").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/admin/",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "http:elsewhere.example",
        "https:///elsewhere.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://testserver@elsewhere.example/",
        "http://testserver.elsewhere.example/",
        "\thttps://elsewhere.example",
        "/oidc/sign-in",
        "/oidc/sign-in?next=/oidc/sign-in",
        "http://testserver/oidc/callback",
        "",
    ],
)
def test_open_redirect_only_paths_of_ours_come_after_the_sign_in(person, path):
    assert person.sign_in(next=path)["Location"] == "/admin/"


@pytest.mark.parametrize("path", ["https://elsewhere.example/", "//elsewhere.example/"])
def test_open_redirect_nor_do_the_pages_around_it_lead_elsewhere(person, path):
    page = person.client.get("/admin/login/", {"next": path}).content.decode()
    assert f'href="{path}' not in page
    assert person.sign_in().status_code == 302
    left = person.client.post("/admin/logout/", {"next": path}, headers={"X-CSRFToken": "t" * 32})
    assert "elsewhere" not in left.get("Location", "")


def test_a_host_that_is_not_ours_gets_no_redirect_address(person):
    answer = person.client.get("/oidc/sign-in", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
@pytest.mark.parametrize(
    "address", ["http://elsewhere.example/x", "file:///etc/passwd", "javascript:alert(1)", None, 5]
)
def test_addresses_of_the_provider_that_may_not_be_used_are_not(provider, person, name, address):
    described = provider.document("/.well-known/openid-configuration") | {name: address}
    provider.documents["/.well-known/openid-configuration"] = described
    answer = person.client.get("/oidc/sign-in")
    if name == "token_endpoint":
        asked = dict(parse_qsl(urlsplit(answer["Location"]).query))
        answer = person.come_back(code="x", state=asked["state"])
    assert answer.status_code == 503


@pytest.mark.usefixtures("nobody")
def test_key_confusion_a_key_of_another_issuer_does_not_count(provider, person, settings):
    other = FakeIssuer()
    try:
        ours = settings.OIDC_ISSUERS[0]
        settings.OIDC_ISSUERS = [ours, type(ours)(other.url, ("ci",), username_prefix="ci:")]
        other.keys["theirs"] = rsa_key()
        signed_by("theirs", lambda: other.keys["theirs"])(provider)
        refused(person.sign_in(), "key is not known")
        provider.sign = lambda claims: other.token(**claims)  # all of it, for our client
        refused(person.sign_in(), "issuer is not known")
    finally:
        other.close()


def test_jwks_flood_answers_that_nobody_gave_us_do_not_make_us_ask(provider, person):
    assert person.sign_in().status_code == 302
    before = list(provider.asked)
    for number in range(10):
        assert person.come_back(code=f"made-up-{number}", state="made-up").status_code == 403
    assert provider.asked == before


def test_a_revoked_key_on_a_warm_cache_ends_with_the_cache(provider, person, make_person, monkeypatch):
    assert person.sign_in().status_code == 302
    stolen = provider.keys.pop("first")
    provider.keys["second"] = rsa_key()
    monkeypatch.setattr(keys, "LIFE_SECONDS", 0.0)
    monkeypatch.setattr(keys, "PAUSE_SECONDS", 0.0)
    signed_by("first", lambda: stolen)(provider)
    refused(make_person().sign_in(), "key is not known")


def test_an_id_token_is_no_bearer_token_and_a_bearer_token_no_cookie(provider, person):
    assert person.sign_in().status_code == 302
    id_token = provider.token(aud=CLIENT_ID, azp=CLIENT_ID)
    answer = Client().get("/api/ambient/v1/projects", headers={"Authorization": f"Bearer {id_token}"})
    assert answer.status_code == 401
    assert "audience" in answer.json()["reason"]
    session = Client()
    session.cookies["sessionid"] = provider.token()[:100]
    assert session.get("/api/ambient/v1/projects").status_code == 401


def test_a_sign_in_of_another_browser_session_cannot_be_named(provider, person, make_person):
    """What a cookie's session says is the server's own; without a sign-in it counts for nobody."""
    assert person.sign_in().status_code == 302
    session = person.client.session
    session["browser_sign_in"] = "of-nobody"
    session.save()
    assert person.username is None


def test_bad_queries_are_no_500(provider, person):
    for query in ({"state": "\0", "code": "\0"}, {"state": "[]"}, {"code": "x" * 5000}):
        person.begin()
        assert person.client.get(f"/oidc/callback?{urlencode(query)}").status_code == 403
    assert person.client.get("/oidc/sign-in", {"next": "\0"}).status_code == 302
    assert person.client.post("/oidc/callback", {}).status_code in (403, 405)
