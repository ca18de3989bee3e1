"""Google: an access token from a service account's key (RFC 7523, section 2.1)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from ambient.common.exceptions import InvalidField
from projects_app.credentials.base import Access, text_member
from projects_app.credentials.github_app import rsa_key
from projects_app.credentials.grants import granted
from projects_app.credentials.outbound import Call, ask

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 600


@dataclass(frozen=True)
class GoogleServiceAccount:
    """The key file as Google gives it out; `scopes` may be added to it."""

    providers: ClassVar[frozenset[str]] = frozenset({"google", "vertex"})

    client_email: str
    private_key_id: str | None
    private_key: rsa.RSAPrivateKey = field(repr=False)
    token_uri: str
    scopes: tuple[str, ...]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        if document.get("type") != "service_account":
            raise InvalidField("token: type must be service_account")
        scopes = document.get("scopes", [SCOPE])
        if not isinstance(scopes, list) or not scopes or not all(isinstance(one, str) for one in scopes):
            raise InvalidField("token: scopes must be an array of texts")
        key_id = document.get("private_key_id")
        return cls(
            client_email=text_member(document, "client_email"),
            private_key_id=key_id if isinstance(key_id, str) else None,
            private_key=rsa_key(text_member(document, "private_key")),
            token_uri=text_member(document, "token_uri", TOKEN_URI),
            scopes=tuple(scopes),
        )

    def access(self, url: str | None) -> Access:
        now = int(time.time())
        claims = {
            "iss": self.client_email,
            "scope": " ".join(self.scopes),
            "aud": self.token_uri,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        headers = {"kid": self.private_key_id} if self.private_key_id else None
        assertion = jwt.encode(claims, self.private_key, algorithm="RS256", headers=headers)
        form = {"grant_type": GRANT, "assertion": assertion}
        return granted(ask(Call(self.token_uri, method="POST", form=form)))
