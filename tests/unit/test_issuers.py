"""The settings that name issuers: what is taken, and what is said of what is not."""

import json

import pytest

from ambient.issuers import BrowserClient, Issuer, check_issuers, parse_issuers, safe_url
from ambient.setting_types import Secret

GOOD = {"issuer": "https://ci.example", "audience": "ambient", "username_prefix": "ci:"}


def test_a_whole_entry():
    entry = GOOD | {"audience": ["a", "b"], "clients": "c", "groups_claim": "roles", "admin_group": "admins"}
    assert parse_issuers(json.dumps([entry | {"jwks_url": "http://127.0.0.1:1/jwks"}])) == [
        Issuer("https://ci.example", ("a", "b"), "http://127.0.0.1:1/jwks", ("c",), "roles", "ci:", "admins")
    ]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("{", "no JSON"),
        ("{}", "no JSON array"),
        ("[1]", "no JSON array"),
        (json.dumps([GOOD | {"secret": "x"}]), "'secret' is not one of"),
        (json.dumps([GOOD | {"issuer": 1}]), "are texts"),
        (json.dumps([GOOD | {"issuer": ""}]), "https URL"),
        (json.dumps([GOOD | {"audience": []}]), "audience is missing"),
        (json.dumps([GOOD | {"audience": [1]}]), "audience is a text"),
        (json.dumps([GOOD | {"clients": {}}]), "clients is a text"),
        (json.dumps([GOOD | {"username_prefix": ""}]), "username_prefix is missing"),
    ],
)
def test_what_is_wrong_is_said(raw, words):
    with pytest.raises(ValueError, match=words):
        parse_issuers(raw)


@pytest.mark.parametrize(
    "url", ["http://idp.example", "ftp://x", "https://", "https://u:p@x", "x", "https://x#y"]
)
def test_an_address_that_keys_may_not_come_from(url):
    with pytest.raises(ValueError, match="https"):
        safe_url(url)


@pytest.mark.parametrize("change", [{"username_prefix": "other:"}, {"url": "https://other.example"}])
def test_issuers_must_be_told_apart(change):
    first = Issuer("https://ci.example", ("a",), username_prefix="ci:")
    with pytest.raises(ValueError, match="two issuers"):
        check_issuers([first, Issuer(**{**first.__dict__, **change})])


def test_a_client_for_browsers_hides_its_secret_and_takes_tokens_for_itself_alone():
    issuer = Issuer("https://idp.example", ("ambient",), clients=("cli",), admin_group="admins")
    client = BrowserClient(issuer, "web", Secret("hunter2"), ("openid",), "Example ID")
    assert "hunter2" not in repr(client) + repr(client.secret) + repr([client.secret])
    assert (client.id_tokens.audiences, client.id_tokens.clients) == (("web",), ())
    assert (client.id_tokens.url, client.id_tokens.admin_group) == (issuer.url, "admins")
