"""GitHub App: an installation token from the app's private key."""

import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ambient.common.exceptions import InvalidField
from projects_app.credentials.base import Access, ProviderError, Reason, text_member
from projects_app.credentials.outbound import Call, ask, bearer

PUBLIC_API = "https://api.github.com"
PUBLIC_HOSTS = ("https://github.com", "https://www.github.com", PUBLIC_API)
CLOCKS_DIFFER_SECONDS, ASSERTION_SECONDS = 60, 300
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


def api_of(url: str | None) -> str:
    """Where the REST API of a GitHub is: the public one, or below the address of one's own."""
    base = (url or "").rstrip("/")
    if not base or base in PUBLIC_HOSTS:
        return PUBLIC_API
    return base if base.endswith("/api/v3") else f"{base}/api/v3"


def rsa_key(text: str) -> rsa.RSAPrivateKey:
    """A private key in PEM. Raises InvalidField without saying what it holds."""
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):  # not chained: the message may quote it
        raise InvalidField("token: private_key must be an unencrypted RSA key in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise InvalidField("token: private_key must be an unencrypted RSA key in PEM")
    return key


@dataclass(frozen=True)
class GitHubApp:
    """An app's key and one of its installations."""

    providers: ClassVar[frozenset[str]] = frozenset({"github"})

    app_id: str
    installation_id: str
    private_key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        installation = text_member(document, "installation_id")
        if not installation.isascii() or not installation.isdigit():
            raise InvalidField("token: installation_id must be a number")
        return cls(
            app_id=text_member(document, "app_id"),
            installation_id=installation,
            private_key=rsa_key(text_member(document, "private_key")),
        )

    def access(self, url: str | None) -> Access:
        now = int(time.time())
        claims = {"iss": self.app_id, "iat": now - CLOCKS_DIFFER_SECONDS, "exp": now + ASSERTION_SECONDS}
        assertion = jwt.encode(claims, self.private_key, algorithm="RS256")
        answer = ask(
            Call(
                f"{api_of(url)}/app/installations/{self.installation_id}/access_tokens",
                method="POST",
                headers=HEADERS | bearer(assertion),
            )
        )
        try:
            token, end = answer.body["token"], datetime.datetime.fromisoformat(answer.body["expires_at"])
        except (KeyError, TypeError, ValueError):
            raise ProviderError(Reason.UNREADABLE) from None
        if not isinstance(token, str) or not token or end.tzinfo is None:
            raise ProviderError(Reason.UNREADABLE)
        return Access(token, end)
