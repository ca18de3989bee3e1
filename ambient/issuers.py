"""OpenID Connect issuers that the settings name, and what we expect of their tokens. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

USERNAME_CLAIMS = ("username", "preferred_username", "sub")
"""In this order (contract 1.5); `sub` is all that tokens of machine clients have."""
KEYS = {"issuer", "audience", "jwks_url", "clients", "groups_claim", "username_prefix", "admin_group"}
LISTS = {"audience", "clients"}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Issuer:
    """One provider. Subjects are known by issuer and `sub`, never by e-mail.

    `audiences`: a token must be meant for one of them. `clients`: who may have asked for it (`azp`); none:
    anybody. `username_prefix` keeps the names of a second issuer apart from those of the first. Who is in
    `admin_group` is an administrator.
    """

    url: str
    audiences: tuple[str, ...]
    jwks_url: str | None = None
    clients: tuple[str, ...] = ()
    groups_claim: str = "groups"
    username_prefix: str = ""
    admin_group: str = ""


@dataclass(frozen=True)
class BrowserClient:
    """What we are at the provider of `issuer` when people sign in with a browser.

    Without a secret we are a public client. `provider_name` stands on the button.
    """

    issuer: Issuer
    client_id: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...]
    provider_name: str

    @property
    def id_tokens(self) -> Issuer:
        """What we expect of tokens that say who signed in: they are meant for us."""
        return replace(self.issuer, audiences=(self.client_id,), clients=())


def safe_url(raw: str) -> str:
    """An address that keys may be fetched from: https, or this machine. ValueError says what is wrong."""
    parts = urlsplit(raw)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.fragment:
        raise ValueError(f"{raw[:200]!r} is not an https URL")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError(f"{raw[:200]!r} must be https: keys that come over http can be anybody's")
    return raw


def parse_issuer(entry: Mapping[str, Any]) -> Issuer:
    """One entry of `OIDC_ISSUERS`. ValueError says what is wrong."""
    unknown = sorted(set(entry) - KEYS)
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not one of: {', '.join(sorted(KEYS))}")
    texts = {name: entry.get(name, "") for name in sorted(KEYS - LISTS)}
    if not all(isinstance(value, str) for value in texts.values()):
        raise ValueError(f"{', '.join(texts)} are texts")
    audiences, clients = (_names(name, entry.get(name, [])) for name in ("audience", "clients"))
    if not audiences:
        raise ValueError("audience is missing: a token that is meant for somebody else would be taken")
    return Issuer(
        url=safe_url(texts["issuer"]),
        audiences=audiences,
        jwks_url=safe_url(texts["jwks_url"]) if texts["jwks_url"] else None,
        clients=clients,
        groups_claim=texts["groups_claim"] or "groups",
        username_prefix=texts["username_prefix"],
        admin_group=texts["admin_group"],
    )


def _names(name: str, value: Any) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(entry, str) and entry for entry in values):
        raise ValueError(f"{name} is a text or a list of texts")
    return tuple(values)


def parse_issuers(raw: str) -> list[Issuer]:
    """`OIDC_ISSUERS`: a JSON array of objects, each with a prefix for the names of its people."""
    try:
        entries = json.loads(raw)
    except ValueError as exc:
        raise ValueError("it is no JSON") from exc
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("it is no JSON array of objects")
    issuers = [parse_issuer(entry) for entry in entries]
    if not all(issuer.username_prefix for issuer in issuers):
        raise ValueError("username_prefix is missing: a second issuer could name itself anybody")
    return issuers


def check_issuers(issuers: list[Issuer]) -> list[Issuer]:
    """Together they must be told apart: one entry an issuer, one prefix an issuer."""
    for what in ("url", "username_prefix"):
        values = [getattr(issuer, what) for issuer in issuers]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"two issuers have the {what.replace('url', 'issuer')} {twice[0]!r}")
    return issuers
