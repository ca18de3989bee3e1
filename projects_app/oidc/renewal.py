"""Whether a browser that signed in with the provider is still signed in; the provider is asked when due."""

import time
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from ambient.common.exceptions import Unauthenticated, Unavailable
from projects_app.models import BrowserSignIn
from projects_app.oidc.provider import Provider, Tokens, check_nonce, provider_of
from projects_app.oidc.tokens import Identity, Refused, identity_of
from projects_app.services.browser_sign_ins import (
    KeptTokens,
    browser_sign_in_claim,
    browser_sign_in_end,
    browser_sign_in_release,
    browser_sign_in_renew,
)

log = structlog.get_logger(__name__)


def still_counts(pk: str) -> bool:
    """One query, but when its time is over. Raises Unavailable when nobody can say."""
    if settings.OIDC_BROWSER_CLIENT is None:
        return False
    if BrowserSignIn.objects.filter(pk=pk, expires_at__gt=timezone.now()).exists():
        return True
    claim = browser_sign_in_claim(pk=pk)
    if claim.sign_in is None or claim.tokens is None:
        return claim.counts
    try:
        _renew(claim.sign_in, claim.tokens)
    except Unauthenticated as exc:
        log.info("a browser is signed out", reason=exc.reason, user=claim.sign_in.identity.user.username)
        browser_sign_in_end(pk=pk)
        return False
    except Unavailable:
        browser_sign_in_release(pk=pk)
        raise
    return True


def _renew(sign_in: BrowserSignIn, kept: KeptTokens) -> None:
    client: Any = settings.OIDC_BROWSER_CLIENT
    provider = provider_of(client)
    given = provider.tokens({"grant_type": "refresh_token", "refresh_token": str(kept.refresh_token)})
    identity, until = None, time.time() + (given.expires_in or 0)
    if given.id_token is not None:
        claims = provider.claims(given.id_token)
        identity = _same_person(sign_in, provider, claims, kept.nonce)
        until = identity.expires
    browser_sign_in_renew(sign_in=sign_in, identity=identity, tokens=renewed(kept, given), until=until)


def _same_person(sign_in: BrowserSignIn, provider: Provider, claims: dict[str, Any], nonce: str) -> Identity:
    """OpenID Connect Core 1.0, section 12.2: as the first ID token, but the nonce may be missing."""
    if claims["sub"] != sign_in.identity.subject:
        raise Refused("The token is another person's")
    if "nonce" in claims:
        check_nonce(claims, nonce)
    return identity_of(provider.client.issuer, claims)


def renewed(kept: KeptTokens, given: Tokens) -> KeptTokens:
    """What was not given anew stays."""
    return KeptTokens(
        id_token=given.id_token or kept.id_token,
        refresh_token=given.refresh_token or kept.refresh_token,
        nonce=kept.nonce,
    )
