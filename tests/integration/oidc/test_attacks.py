"""Tokens that must not be believed, one attack a row; none leaves a user behind."""

import base64
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from projects_app.models import ExternalIdentity, User
from tests.conftest import WireClient
from tests.fakes.oidc_issuer import rsa_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("trusted")]
NOW = int(time.time())
DAY = 24 * 3600  # the table is made long before its last row is tried


def part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(issuer, ci):
    return f"{part({'alg': 'none', 'kid': 'first'})}.{part(issuer.claims())}."


def public_key_as_secret(issuer, ci):
    pem = (
        issuer.keys["first"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signed = f"{part({'alg': 'HS256', 'kid': 'first', 'typ': 'JWT'})}.{part(issuer.claims())}"
    return f"{signed}.{part(hmac.digest(pem, signed.encode(), 'sha256'))}"


def changed_after_signing(issuer, ci):
    head, _, signature = issuer.token().split(".")
    return f"{head}.{part(issuer.claims(preferred_username='root'))}.{signature}"


def own_key_in_the_header(issuer, ci):
    key = rsa_key()
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "first"}
    return issuer.token(key=key, header={"jwk": jwk, "jku": f"{ci.url}/jwks"})


def key_of_the_other_issuer(issuer, ci):
    ci.keys["theirs"] = rsa_key()
    return issuer.token(kid="theirs", key=ci.keys["theirs"])


def secret_key_in_the_jwks(issuer, ci):
    issuer.extra_keys.append({"kty": "oct", "kid": "shared", "k": part(b"x" * 32), "alg": "HS256"})
    return issuer.token(kid="shared", key=b"x" * 32, alg="HS256")


def encryption_key(issuer, ci):
    key = issuer.keys["enc"] = rsa_key()
    issuer.extra_keys.append(issuer.jwk("enc") | {"use": "enc"})
    del issuer.keys["enc"]
    return issuer.token(kid="enc", key=key)


def token(**how):
    return lambda issuer, ci: issuer.token(**how)


ATTACKS = {
    "alg-none": (unsigned, "algorithm"),
    "hs256-with-the-public-key": (public_key_as_secret, "algorithm"),
    "changed-after-signing": (changed_after_signing, "signature"),
    "another-key": (lambda i, c: i.token(key=rsa_key()), "signature"),
    "key-in-the-header": (own_key_in_the_header, "signature"),
    "key-of-another-issuer": (key_of_the_other_issuer, "key is not known"),
    "secret-key-in-the-jwks": (secret_key_in_the_jwks, "algorithm"),
    "key-for-encryption": (encryption_key, "key is not known"),
    "no-kid": (token(kid=None), "names no key"),
    "kid-is-a-path": (lambda i, c: i.token(kid="../../etc/passwd", key=i.keys["first"]), "not known"),
    "kid-is-sql": (lambda i, c: i.token(kid="' OR 1=1 --", key=i.keys["first"]), "not known"),
    "kid-is-long": (lambda i, c: i.token(kid="k" * 300, key=i.keys["first"]), "names no key"),
    "critical-extension": (token(header={"crit": ["b64"], "b64": True}), "malformed|extensions"),
    "issuer-unknown": (token(iss="https://elsewhere.example"), "issuer"),
    "issuer-missing": (token(iss=None), "issuer"),
    "issuer-with-a-slash": (lambda i, c: i.token(iss=f"{i.url}/"), "issuer"),
    "issuer-is-no-text": (lambda i, c: i.token(iss=["x"]), "issuer|malformed"),
    "audience-of-another": (token(aud="grafana"), "audience"),
    "audience-missing": (token(aud=None), "no aud|audience"),
    "audience-of-the-other-issuer": (token(aud="ci"), "audience"),
    "client-unknown": (token(azp="stolen"), "client"),
    "client-missing": (token(azp=None), "client"),
    "expired": (token(exp=NOW - 120), "expired"),
    "no-expiry": (token(exp=None), "no exp"),
    "expiry-is-a-text": (token(exp="tomorrow"), "not valid"),
    "not-yet-valid": (token(nbf=NOW + 3600), "not valid yet"),
    "issued-in-the-future": (token(iat=NOW + 3600), "not valid yet"),
    "no-subject": (token(sub=None), "no sub"),
    "subject-is-no-text": (token(sub=5), "not valid|nobody"),
    "subject-too-long": (token(sub="s" * 300), "nobody"),
    "subject-with-nul": (token(sub="a\0b"), "nobody"),
    "subject-with-half-a-character": (token(sub="a\ud800"), "nobody"),
    "username-with-half-a-character": (token(preferred_username="a\ud800", sub="s"), "nobody"),
    "username-of-a-session": (token(preferred_username="session:x"), "sessions are named so"),
    "expiry-without-end": (token(exp=10**400), "not valid"),
    "expiry-is-infinite": (token(exp=float("inf")), "not valid"),
    "expiry-is-a-number-in-a-text": (token(exp=str(NOW + DAY)), "not valid"),
    "made-at-no-time": (token(iat="yesterday"), "not valid"),
    "made-at-a-number-in-a-text": (token(iat=str(NOW)), "not valid"),
    "made-before-there-was-time": (token(iat=-(10**400)), "not valid"),
    "not-before-is-infinite": (token(nbf=float("inf")), "not valid"),
    "claims-of-many-levels": (lambda i, c: f"{part({'kid': 'first'})}.{part(b'[' * 10_000)}.x", "malformed"),
    "garbage": (lambda i, c: "eyJ.eyJ.x", "malformed"),
    "claims-are-a-list": (lambda i, c: f"{part({'alg': 'RS256', 'kid': 'first'})}.{part([])}.x", "malformed"),
    "header-is-a-list": (lambda i, c: f"{part([])}.{part({})}.x", "no known kind|malformed"),
    "too-long": (lambda i, c: i.token(padding="x" * 20_000), "too long"),
}  # fmt: skip


def test_what_cannot_be_stored_of_a_good_token_is_left_out(issuer):
    told = issuer.token(name="A\ud800", email="a\ud800@example.org", groups=["g\ud800"])
    answer = WireClient(headers={"Authorization": f"Bearer {told}"}).call("get", "/projects")
    assert answer.status_code == 200, answer.content
    assert User.objects.get(identities__isnull=False).email is None


@pytest.mark.parametrize("attack", ATTACKS)
def test_is_refused_with_its_reason_and_leaves_nothing(issuer, ci, attack):
    forge, reason = ATTACKS[attack]
    before = set(User.objects.values_list("pk", flat=True))
    answer = WireClient(headers={"Authorization": f"Bearer {forge(issuer, ci)}"}).call("get", "/projects")
    assert answer.status_code == 401, answer.content
    body = json.loads(answer.content)
    assert body["id"] == "15"
    assert any(word in body["reason"] for word in reason.split("|")), body["reason"]
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert not ExternalIdentity.objects.exists()
    assert set(User.objects.values_list("pk", flat=True)) == before


def test_made_up_key_ids_do_not_make_us_ask_the_provider_each_time(issuer):
    client = WireClient(headers={"Authorization": f"Bearer {issuer.token()}"})
    assert client.call("get", "/projects").status_code == 200
    for number in range(50):
        forged = issuer.token(kid=f"made-up-{number}", key=issuer.keys["first"])
        assert (
            WireClient(headers={"Authorization": f"Bearer {forged}"}).call("get", "/projects").status_code
            == 401
        )
    assert issuer.asked.count("/jwks") == 1
    assert client.call("get", "/projects").status_code == 200


def test_the_second_issuer_cannot_name_itself_a_person_of_the_first(issuer, ci):
    first = WireClient(headers={"Authorization": f"Bearer {issuer.token()}"})
    assert first.call("get", "/projects").status_code == 200
    second = WireClient(headers={"Authorization": f"Bearer {ci.token(aud='ci')}"})
    assert second.call("get", "/projects").status_code == 200
    assert set(User.objects.values_list("username", flat=True)) >= {"alice", "ci:alice"}


@pytest.mark.parametrize("powers", [{"is_superuser": True}, {"is_staff": True}, {"password": "x"}], ids=str)
def test_a_name_does_not_take_over_an_account_that_is_used(issuer, powers):
    user = User.objects.create(username="alice", **powers)
    if "password" in powers:
        user.set_password("a long password")
        user.save()
    answer = WireClient(headers={"Authorization": f"Bearer {issuer.token()}"}).call("get", "/projects")
    assert answer.status_code == 401
    assert "administrator can link" in json.loads(answer.content)["reason"]
    assert not user.identities.exists()
