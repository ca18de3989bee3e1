"""`Authorization: Bearer` with a token of an OpenID Connect provider, for programs."""

import functools
from typing import Any

import pghistory
from django.conf import settings

from ambient.issuers import Issuer
from projects_app.models import ExternalIdentity
from projects_app.oidc.tokens import TokenVerifier, looks_like_jwt
from projects_app.services.identities import identity_sign_in, is_told, may_sign_in


@functools.cache
def _verifier(issuers: tuple[Issuer, ...]) -> TokenVerifier:
    return TokenVerifier(list(issuers))


def oidc_user(token: str) -> Any:
    """The user of a token; None for what is none of a known kind, or when no issuer is set.

    Raises Refused for a token that is not good. The provider is not asked: keys are kept. The user's row is
    read each time, so that a deactivated account is out at once.
    """
    if not settings.OIDC_ISSUERS or not looks_like_jwt(token):
        return None
    identity = _verifier(tuple(settings.OIDC_ISSUERS)).identity(token)
    came_by = ("jwt", identity.issuer)
    pghistory.context(via=came_by[0], via_id=came_by[1])  # the sign-in may write: nobody else decides it
    link = (
        ExternalIdentity.objects.select_related("user")
        .filter(issuer=identity.issuer, subject=identity.subject)
        .first()
    )
    if link is not None and is_told(link, identity) and may_sign_in(link.user):
        user: Any = link.user
    else:
        user = identity_sign_in(identity=identity)
    user.came_by = came_by
    return user
