"""Any OAuth 2.0 server: an access token from a refresh token (RFC 6749, section 6)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from ambient.common.exceptions import InvalidField
from projects_app.credentials.base import Access, text_member
from projects_app.credentials.grants import granted
from projects_app.credentials.outbound import Call, ask


@dataclass(frozen=True)
class OAuthRefresh:
    """A client and its refresh token. A server that gives a new refresh token takes the old one back."""

    providers: ClassVar[frozenset[str]] = frozenset({"github", "gitlab", "jira", "google"})

    token_url: str
    client_id: str
    client_secret: str | None = field(repr=False)
    refresh_token: str = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        url = text_member(document, "token_url")
        if not url.startswith(("https://", "http://")):
            raise InvalidField("token: token_url must be an https address")
        has_secret = document.get("client_secret") is not None
        return cls(
            token_url=url,
            client_id=text_member(document, "client_id"),
            client_secret=text_member(document, "client_secret") if has_secret else None,
            refresh_token=text_member(document, "refresh_token"),
            document=dict(document),
        )

    def access(self, url: str | None) -> Access:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.refresh_token,
            "client_id": self.client_id,
        }
        if self.client_secret is not None:
            form["client_secret"] = self.client_secret
        # Not repeatable: the first try may have used the refresh token up.
        answer = ask(Call(self.token_url, method="POST", form=form, repeatable=False))
        access, renewed = granted(answer), answer.body.get("refresh_token")
        if not isinstance(renewed, str) or renewed in ("", self.refresh_token):
            return access
        return replace(access, secret=json.dumps({**self.document, "refresh_token": renewed}))
