"""The provider as browser sign-in talks to it: its addresses, and tokens for a code or a refresh token."""

import functools
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import requests
import structlog

from ambient.common.exceptions import Unavailable
from ambient.issuers import BrowserClient
from projects_app.oidc.keys import (
    CONNECT_SECONDS,
    LIFE_SECONDS,
    MAX_BYTES,
    PAUSE_SECONDS,
    READ_SECONDS,
    STALE_SECONDS,
    CannotFetch,
    discovered,
    endpoint,
    fetch_json,
    keys_of,
)
from projects_app.oidc.tokens import Refused, TokenVerifier

log = structlog.get_logger(__name__)

AWAY = "The identity provider cannot be reached"
_ERROR = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gave. Nothing of it is shown."""

    id_token: str | None
    refresh_token: str | None
    expires_in: float | None

    def __repr__(self) -> str:
        return "<tokens>"


class Provider:
    """One provider, for one client of ours. Safe to use from many threads."""

    def __init__(
        self,
        client: BrowserClient,
        fetch: Callable[[str], Any] = fetch_json,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self._fetch = fetch
        self._clock = clock
        keys = {client.issuer.url: keys_of(client.issuer)}
        self._verifier = TokenVerifier([client.id_tokens], keys, from_the_provider=True)
        self._lock = threading.Lock()
        self._document: dict[str, Any] = {}
        self._fetched = self._tried = float("-inf")

    def address(self, name: str) -> str:
        """An endpoint by its name in the discovery document. Raises Unavailable."""
        try:
            return endpoint(self._described(), name)
        except CannotFetch as exc:
            log.warning("a provider's endpoint cannot be used", issuer=self.client.issuer.url, error=str(exc))
            raise Unavailable(AWAY, retry_after=int(PAUSE_SECONDS)) from exc

    def offers(self, name: str) -> bool:
        """Whether the provider has an endpoint of this name."""
        return name in self._described()

    def _described(self) -> dict[str, Any]:
        with self._lock:
            now = self._clock()
            if now - self._fetched > LIFE_SECONDS and now - self._tried >= PAUSE_SECONDS:
                self._tried = now
                try:
                    self._document = discovered(self.client.issuer.url, self._fetch)
                    self._fetched = now
                except CannotFetch as exc:
                    log.warning("a provider cannot be read", issuer=self.client.issuer.url, error=str(exc))
            if now - self._fetched > STALE_SECONDS:
                raise Unavailable(AWAY, retry_after=int(PAUSE_SECONDS))
            return self._document

    def tokens(self, form: Mapping[str, str]) -> Tokens:
        """Ask the token endpoint. Raises Refused when it says no, Unavailable when it cannot be asked."""
        form = {**form, "client_id": self.client.client_id}
        headers = {"Accept": "application/json"}
        if self.client.secret and self._takes_basic():
            pair = f"{quote_plus(self.client.client_id)}:{quote_plus(self.client.secret)}"
            headers["Authorization"] = requests.auth._basic_auth_str(*pair.split(":", 1))
        elif self.client.secret:
            form["client_secret"] = self.client.secret
        status, answer = _post(self.address("token_endpoint"), form, headers)
        if status != 200:
            said = answer.get("error")
            reason = said if isinstance(said, str) and _ERROR.fullmatch(said) else str(status)
            log.warning("a provider gave no tokens", issuer=self.client.issuer.url, error=reason)
            raise Refused(f"The identity provider refused: {reason}")
        life = answer.get("expires_in")
        return Tokens(
            id_token=_text(answer.get("id_token")),
            refresh_token=_text(answer.get("refresh_token")),
            expires_in=float(life) if isinstance(life, int | float) and life > 0 else None,
        )

    def _takes_basic(self) -> bool:
        """OpenID Connect Discovery 1.0: a provider that does not say takes HTTP Basic."""
        methods = self._described().get("token_endpoint_auth_methods_supported")
        return not isinstance(methods, list) or "client_secret_basic" in methods

    def claims(self, id_token: str | None) -> dict[str, Any]:
        """What a good ID token of ours says. Raises Refused, or Unavailable without the issuer's keys."""
        if id_token is None:
            raise Refused("The identity provider gave no ID token")
        claims = self._verifier.claims(id_token)
        check_client(claims, self.client.client_id)
        return claims


@functools.cache
def provider_of(client: BrowserClient) -> Provider:
    """The provider of a client; what is known of it is kept in this process."""
    return Provider(client)


def check_client(claims: Mapping[str, Any], client_id: str) -> None:
    """OpenID Connect Core 1.0, section 3.1.3.7: a token for several must say that it was given to us."""
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise Refused("The token was given to another client")


def check_nonce(claims: Mapping[str, Any], nonce: str) -> None:
    """The token answers the request that this browser began."""
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise Refused("The token answers another sign-in (nonce)")


def _post(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer that means something; bounded in size and time, no redirects."""
    try:
        with requests.post(
            url,
            data=form,
            headers=headers,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            stream=True,
            allow_redirects=False,
        ) as response:
            raw = response.raw.read(MAX_BYTES + 1, decode_content=True)
            answer = json.loads(raw) if len(raw) <= MAX_BYTES else None
            status = response.status_code
    except (requests.RequestException, ValueError, OSError) as exc:
        log.warning("a token endpoint could not be asked", url=url, error=type(exc).__name__)
        raise Unavailable(AWAY, retry_after=1) from None  # its cause may quote the form
    if not isinstance(answer, dict) or not (status == 200 or 400 <= status < 500) or status == 429:
        log.warning("a token endpoint answered with nonsense", url=url, status=status)
        raise Unavailable(AWAY, retry_after=1)
    return status, answer


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
