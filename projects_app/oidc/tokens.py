"""Verifying a token: signature, issuer, audience, times, client. Every refusal says which it was."""

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from ambient.common.exceptions import InvalidToken
from ambient.issuers import USERNAME_CLAIMS, Issuer
from projects_app.oidc.keys import SigningKeys, keys_of
from projects_app.usernames import normalised

ALGORITHMS = ("RS256", "RS384", "RS512")
LEEWAY_SECONDS = 30
"""How far our clock and the issuer's may be apart."""
MAX_TOKEN = 16 * 1024
MAX_NAME = 255
MAX_TEXT = 320
MAX_GROUPS = 500
HALF_OR_NUL = re.compile("[\0\ud800-\udfff]")
"""What JSON may hold and PostgreSQL does not."""
LATEST = 2.0**53
"""Seconds that no honest token names: a number may have any length."""
CACHED_TOKENS = 10_000
CACHED_SECONDS = 300.0


class Refused(InvalidToken):
    """A token of a provider that is not good."""


@dataclass(frozen=True)
class Identity:
    """Whom a token stands for."""

    issuer: str
    subject: str
    username: str
    name: str
    email: str | None
    groups: frozenset[str]
    is_administrator: bool
    expires: float
    issued_at: datetime | None = None


@dataclass(frozen=True)
class Verified:
    """A token that was good, until it has to be looked at again: later, or when its key is withdrawn."""

    until: float
    identity: Identity
    key_is_trusted: Callable[[], bool]


def looks_like_jwt(token: str) -> bool:
    """Three parts: our own keys and tokens have none or one dot."""
    return token.count(".") == 2 and token.startswith("ey")


class TokenVerifier:
    """Believes the given issuers. What was verified is kept for minutes: signatures are dear."""

    def __init__(
        self,
        issuers: list[Issuer],
        keys: dict[str, SigningKeys] | None = None,
        *,
        from_the_provider: bool = False,
    ) -> None:
        """`from_the_provider`: nobody else can hand in tokens, so an unknown key is looked for at once."""
        self._from_the_provider = from_the_provider
        self._issuers = {issuer.url: issuer for issuer in issuers}
        self._keys = keys or {issuer.url: keys_of(issuer) for issuer in issuers}
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, Verified] = OrderedDict()

    def identity(self, token: str) -> Identity:
        """Raises Refused; Unavailable when the issuer's keys cannot be read at all."""
        if len(token) > MAX_TOKEN:
            raise Refused("The token is too long")
        digest, now = hashlib.sha256(token.encode()).digest(), time.monotonic()
        with self._lock:
            known = self._known.get(digest)
        if known is None or known.until < now or not known.key_is_trusted():
            issuer, claims, key_is_trusted = self._verify(token)
            known = Verified(now + CACHED_SECONDS, identity_of(issuer, claims), key_is_trusted)
            self._remember(digest, known)
        if known.identity.expires + LEEWAY_SECONDS < time.time():
            raise Refused("The token has expired")
        return known.identity

    def claims(self, token: str) -> dict[str, Any]:
        """What a good token says; nothing of it is kept. Raises as `identity` does."""
        if len(token) > MAX_TOKEN:
            raise Refused("The token is too long")
        return self._verify(token)[1]

    def _remember(self, digest: bytes, found: Verified) -> None:
        with self._lock:
            self._known[digest] = found
            self._known.move_to_end(digest)
            while len(self._known) > CACHED_TOKENS:
                self._known.popitem(last=False)

    def _verify(self, token: str) -> tuple[Issuer, dict[str, Any], Callable[[], bool]]:
        """The issuer, the claims, and whether the key is still the issuer's, to be asked again later."""
        try:
            header = jwt.get_unverified_header(token)
            claimed = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as exc:
            raise Refused("The token is malformed") from exc
        if header.get("alg") not in ALGORITHMS:
            raise Refused("The token's algorithm is not accepted")
        if header.get("crit"):
            raise Refused("The token asks for extensions that are not understood")
        # Only what comes from the provider itself may leave it out (OpenID Connect Core 1.0, section 10.1).
        kid, url = header.get("kid", "" if self._from_the_provider else None), claimed.get("iss")
        issuer = self._issuers.get(url) if isinstance(url, str) else None
        if issuer is None:
            raise Refused("The token's issuer is not known")
        if not isinstance(kid, str) or len(kid) > MAX_NAME or ("kid" in header and not kid):
            raise Refused("The token names no key")
        keys = self._keys[issuer.url]
        key = keys.key(kid, at_once=self._from_the_provider)
        if key is None:
            raise Refused("The token's key is not known")
        claims = self._claims(token, key.key, issuer, header["alg"])
        return issuer, claims, lambda: keys.key(kid) is not None

    def _claims(self, token: str, key: Any, issuer: Issuer, algorithm: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=issuer.url,
                audience=list(issuer.audiences),
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as exc:
            raise Refused("The token has expired") from exc
        except (jwt.ImmatureSignatureError, jwt.InvalidIssuedAtError) as exc:
            raise Refused("The token is not valid yet") from exc
        except jwt.InvalidAudienceError as exc:
            raise Refused("The token is meant for another audience") from exc
        except jwt.InvalidSignatureError as exc:
            raise Refused("The token's signature is wrong") from exc
        except jwt.MissingRequiredClaimError as exc:
            raise Refused(f"The token has no {exc.claim}") from exc
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as exc:
            raise Refused("The token is not valid") from exc
        if not all(_is_time(claims[name]) for name in ("exp", "iat") if name in claims):
            raise Refused("The token is not valid")
        if issuer.clients and claims.get("azp") not in issuer.clients:
            raise Refused("The token was given to another client")
        return claims


def identity_of(issuer: Issuer, claims: dict[str, Any]) -> Identity:
    """Whom verified claims stand for. Raises Refused for claims that name nobody."""
    subject = claims["sub"]
    named = (claims.get(key) for key in USERNAME_CLAIMS)
    name = _text(next((found for found in named if found and isinstance(found, str)), None))
    if name is None or _text(subject) is None or len(subject) > MAX_NAME:
        raise Refused("The token names nobody")
    username = normalised(issuer.username_prefix + name)
    if len(username) > MAX_NAME:
        raise Refused("The token names nobody")
    given = " ".join(
        part
        for keys in (("first_name", "given_name"), ("last_name", "family_name"))
        if (part := next((text for key in keys if (text := _text(claims.get(key)))), None))
    )
    listed = claims.get(issuer.groups_claim)
    groups = frozenset(
        group for group in (listed if isinstance(listed, list) else [])[:MAX_GROUPS] if _text(group)
    )
    return Identity(
        issuer=issuer.url,
        subject=subject,
        username=username,
        name=(given or _text(claims.get("name")) or name)[:MAX_NAME],
        email=_text(claims.get("email")),
        groups=groups,
        is_administrator=bool(issuer.admin_group) and issuer.admin_group in groups,
        expires=float(claims["exp"]),
        issued_at=datetime.fromtimestamp(claims["iat"], UTC) if "iat" in claims else None,
    )


def _is_time(value: Any) -> bool:
    """The library takes texts and truth values for numbers, too."""
    return type(value) in (int, float) and 0 <= value <= LATEST


def _text(value: Any) -> str | None:
    """A text that can be stored; None for anything else."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or HALF_OR_NUL.search(value):
        return None
    return value
