"""Browsers that are signed in with a provider: begun, made longer, ended."""

import datetime
import json
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone

from ambient.common.database import transactional
from ambient.common.encryption import DecryptionError, seal, unseal
from ambient.common.exceptions import Unavailable
from projects_app.models import BrowserSignIn, ExternalIdentity
from projects_app.oidc.tokens import LEEWAY_SECONDS, Identity
from projects_app.services.identities import identity_sign_in

RENEWAL_SECONDS = 10
"""Longer than asking the provider takes; then another request may try."""


@dataclass(frozen=True)
class KeptTokens:
    """What we keep of a sign-in's tokens, sealed."""

    id_token: str
    refresh_token: str | None
    nonce: str

    def __repr__(self) -> str:
        return "<tokens>"


@dataclass(frozen=True)
class Claim:
    """What a look at a sign-in came to. With `tokens` it is the caller's to renew."""

    counts: bool
    sign_in: BrowserSignIn | None = None
    tokens: KeptTokens | None = field(default=None, repr=False)


@transactional
def browser_sign_in_create(*, identity: Identity, tokens: KeptTokens, until: float) -> BrowserSignIn:
    """Somebody signed in. Raises Unauthenticated as `identity_sign_in` does."""
    identity_sign_in(identity=identity)
    gone = timezone.now() - datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    BrowserSignIn.objects.filter(expires_at__lt=gone).delete()  # their cookies have ended
    link = ExternalIdentity.objects.get(issuer=identity.issuer, subject=identity.subject)
    made = BrowserSignIn(identity=link, expires_at=_time(until))
    made.tokens_sealed = _sealed(made, tokens)
    made.save()
    return made


@transactional
def browser_sign_in_claim(*, pk: str) -> Claim:
    """Whether a sign-in whose time is over still counts, or else what the caller is to renew it with now.

    Raises Unavailable when another request has been renewing it for so long that nobody can vouch for it.
    """
    found = BrowserSignIn.objects.select_for_update(of=("self",)).select_related("identity").filter(pk=pk)
    sign_in, now = found.first(), timezone.now()
    if sign_in is None:
        return Claim(counts=False)
    if now < sign_in.expires_at:
        return Claim(counts=True)
    if sign_in.renewing_until is not None and now < sign_in.renewing_until:
        if now < sign_in.expires_at + datetime.timedelta(seconds=LEEWAY_SECONDS):
            return Claim(counts=True)
        raise Unavailable("The sign-in is being renewed, try again", retry_after=1)
    tokens = _kept(sign_in)
    if tokens is None or tokens.refresh_token is None:
        sign_in.delete()
        return Claim(counts=False)
    sign_in.renewing_until = now + datetime.timedelta(seconds=RENEWAL_SECONDS)
    sign_in.save(update_fields=["renewing_until"])
    return Claim(counts=False, sign_in=sign_in, tokens=tokens)


@transactional
def browser_sign_in_renew(
    *, sign_in: BrowserSignIn, identity: Identity | None, tokens: KeptTokens, until: float
) -> None:
    """The provider vouches for it again, and says anew (`identity`) what it knows of the person."""
    if identity is not None:
        identity_sign_in(identity=identity)
    BrowserSignIn.objects.filter(pk=sign_in.pk).update(
        tokens_sealed=_sealed(sign_in, tokens), expires_at=_time(until), renewing_until=None
    )


@transactional
def browser_sign_in_release(*, pk: str) -> None:
    """Whoever claimed it could not ask the provider: the next request tries again."""
    BrowserSignIn.objects.filter(pk=pk).update(renewing_until=None)


@transactional
def browser_sign_in_end(*, pk: str) -> KeptTokens | None:
    """It counts no more; its tokens, for the sign-out at the provider."""
    found = BrowserSignIn.objects.select_for_update().filter(pk=pk).first()
    if found is None:
        return None
    tokens = _kept(found)
    found.delete()
    return tokens


def _kept(sign_in: BrowserSignIn) -> KeptTokens | None:
    """The tokens of a sign-in; None when their key is gone: then it cannot be renewed."""
    if sign_in.tokens_sealed is None:
        return None
    try:
        return KeptTokens(**json.loads(unseal(sign_in.tokens_sealed, context=sign_in.tokens_context)))
    except DecryptionError:
        return None


def _sealed(sign_in: BrowserSignIn, tokens: KeptTokens) -> str:
    return seal(json.dumps(vars(tokens)), context=sign_in.tokens_context)


def _time(until: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(until, datetime.UTC)
