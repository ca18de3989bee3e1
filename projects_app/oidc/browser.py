"""mozilla-django-oidc for our browsers, with what it lacks: its settings from ours, checks of our core."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from ambient.common.exceptions import Unauthenticated
from projects_app.models import User
from projects_app.oidc.provider import Provider, Tokens, check_nonce, provider_of
from projects_app.oidc.tokens import Refused, identity_of
from projects_app.services.browser_sign_ins import KeptTokens, browser_sign_in_create

PATH = "projects_app.oidc.browser.ProviderBackend"
"""As a browser session names the backend that signed it in."""


def library_setting(name: str, *default: Any) -> Any:
    """What the library asks its settings for. The provider's addresses are discovered, never set by hand."""
    client: Any = settings.OIDC_BROWSER_CLIENT
    match name:
        case "OIDC_OP_AUTHORIZATION_ENDPOINT":
            return provider_of(client).address("authorization_endpoint")
        case "OIDC_RP_CLIENT_ID":
            return client.client_id
        case "OIDC_RP_SCOPES":
            return " ".join(client.scopes)
        case "OIDC_USE_PKCE" | "OIDC_USE_NONCE":
            return True
        case "OIDC_PKCE_CODE_CHALLENGE_METHOD":
            return "S256"
    if default:
        return default[0]
    raise LookupError(name)


class ProviderBackend(OIDCAuthenticationBackend):
    """Signs in whom the provider's ID token names: by issuer and subject, never by an e-mail address."""

    get_settings = staticmethod(library_setting)

    def __init__(self) -> None:
        """Nothing: Django makes one for each question, and the library's would ask for its settings."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """The user of a callback; None for other credentials. Raises Unauthenticated, Unavailable."""
        if request is None or "code_verifier" not in credentials or settings.OIDC_BROWSER_CLIENT is None:
            return None
        self.provider: Provider = provider_of(settings.OIDC_BROWSER_CLIENT)
        self.nonce = str(credentials["nonce"])
        self.OIDC_RP_CLIENT_ID = self.provider.client.client_id
        self.OIDC_RP_CLIENT_SECRET = ""  # `Provider.tokens` adds it
        user: User | None = super().authenticate(request, **credentials)
        return user

    def get_token(self, payload: dict[str, str]) -> dict[str, str | None]:
        self.tokens: Tokens = self.provider.tokens(
            {name: value for name, value in payload.items() if name != "client_secret"}
        )
        return {"id_token": self.tokens.id_token}

    def verify_token(self, token: str | None, **kwargs: Any) -> dict[str, Any]:
        claims = self.provider.claims(token)
        check_nonce(claims, self.nonce)
        return claims

    def get_or_create_user(self, access_token: Any, id_token: str, payload: dict[str, Any]) -> User:
        identity = identity_of(self.provider.client.issuer, payload)
        kept = KeptTokens(id_token=id_token, refresh_token=self.tokens.refresh_token, nonce=self.nonce)
        try:
            sign_in = browser_sign_in_create(identity=identity, tokens=kept, until=identity.expires)
        except Unauthenticated as exc:
            raise Refused(f"{exc.reason} (subject {identity.subject} at {identity.issuer})") from exc
        user: Any = sign_in.identity.user
        user.browser_sign_in = sign_in
        return user

    def get_user(self, user_id: Any) -> User | None:
        """The library's gives deactivated users too."""
        user: User | None = ModelBackend.get_user(self, user_id)
        return user
