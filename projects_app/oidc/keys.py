"""The public keys of one issuer: fetched from its JWKS (RFC 7517), kept, fetched again when they change."""

import functools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import jwt
import requests
import structlog

from ambient.common.exceptions import Unavailable
from ambient.issuers import Issuer, safe_url

log = structlog.get_logger(__name__)

LIFE_SECONDS = 3600.0
PAUSE_SECONDS = 30.0
"""Between two fetches: tokens with made-up key ids must not make us ask the provider each time."""
STALE_SECONDS = 24 * 3600.0
"""For so long keys are used while the provider is away."""
CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0
MAX_BYTES = 1024 * 1024
MAX_KEYS = 100
DISCOVERY = "/.well-known/openid-configuration"


class CannotFetch(Exception):
    """The provider's keys could not be read."""


def fetch_json(url: str) -> Any:
    """A JSON document, bounded in size and time; no redirects. Raises CannotFetch."""
    try:
        with requests.get(
            url, timeout=(CONNECT_SECONDS, READ_SECONDS), stream=True, allow_redirects=False
        ) as response:
            if response.status_code != 200:
                raise CannotFetch(f"{url} answered {response.status_code}")
            raw = response.raw.read(MAX_BYTES + 1, decode_content=True)
            if len(raw) > MAX_BYTES:
                raise CannotFetch(f"{url} answered with more than {MAX_BYTES} bytes")
            return json.loads(raw)
    except (requests.RequestException, ValueError, OSError) as exc:
        raise CannotFetch(f"{url}: {type(exc).__name__}") from exc


def discovered(issuer: str, fetch: Callable[[str], Any] = fetch_json) -> dict[str, Any]:
    """The provider's own description (OpenID Connect Discovery 1.0, section 4); it must name the issuer."""
    document = fetch(issuer.rstrip("/") + DISCOVERY)
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise CannotFetch("the discovery document is another issuer's")
    return document


def endpoint(document: dict[str, Any], name: str) -> str:
    """One address of a discovery document. Raises CannotFetch for one that may not be used."""
    try:
        return safe_url(str(document.get(name)))
    except ValueError as exc:
        raise CannotFetch(f"{name}: {exc}") from exc


class SigningKeys:
    """The keys of one issuer in this process. Safe to use from many threads; one of them fetches."""

    def __init__(
        self,
        issuer: Issuer,
        fetch: Callable[[str], Any] = fetch_json,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._tried = float("-inf")

    def key(self, kid: str, *, at_once: bool = False) -> jwt.PyJWK | None:
        """The key of this id; None when the issuer has none. Raises Unavailable while no keys are known.

        An empty id is that of a token without one: the issuer's only key, read anew (OpenID Connect Core 1.0,
        section 10.1). `at_once` looks for a new key without a pause: for what comes from the provider itself.
        """
        now = self._clock()
        if kid not in self._keys or not kid or now - self._fetched > LIFE_SECONDS:
            self._refresh(now, 0.0 if at_once else PAUSE_SECONDS)
        if self._clock() - self._fetched > STALE_SECONDS:
            raise Unavailable("The identity provider's keys cannot be read", retry_after=int(PAUSE_SECONDS))
        only = next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid) if kid else only

    def _refresh(self, now: float, pause: float) -> None:
        with self._lock:
            if now - self._tried < pause:
                return
            self._tried = self._clock()
            try:
                self._keys = self._read()
            except CannotFetch as exc:
                log.warning("an issuer's keys could not be read", issuer=self._issuer.url, error=str(exc))
                return
            self._fetched = self._tried

    def _read(self) -> dict[str, jwt.PyJWK]:
        document = self._fetch(self._issuer.jwks_url or endpoint(self._discovered(), "jwks_uri"))
        entries = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(entries, list):
            raise CannotFetch("the JWKS has no keys")
        return dict(filter(None, map(_signing_key, entries[:MAX_KEYS])))

    def _discovered(self) -> dict[str, Any]:
        return discovered(self._issuer.url, self._fetch)


@functools.cache
def keys_of(issuer: Issuer) -> SigningKeys:
    """The one copy of an issuer's keys in this process."""
    return SigningKeys(issuer)


def _signing_key(entry: Any) -> tuple[str, jwt.PyJWK] | None:
    """(key id, key) of a public RSA key that signs; None for any other, never a secret one."""
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
        return None
    kid = entry.get("kid", "")
    if not isinstance(kid, str) or "d" in entry:
        return None
    try:
        return kid, jwt.PyJWK(entry | {"alg": "RS256"})
    except jwt.PyJWTError:
        return None
