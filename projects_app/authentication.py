"""Who is calling: by a bearer token, or by the browser's Django session.

`authenticate_bearer` is the one door for tokens, for HTTP and websockets alike. It asks the verifiers that
the setting BEARER_VERIFIERS names, in turn; each knows one kind of token.
"""

import datetime
import functools
import hashlib
import re
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication, SessionAuthentication

from ambient.common.exceptions import InvalidToken, Unauthenticated
from projects_app.access import PersonAccess
from projects_app.models import ApiKey
from projects_app.services.controller import controller_ensure

KEY_PREFIX = "amb_"
API_KEY = re.compile(r"amb_[A-Za-z0-9_-]{43}", re.ASCII)
LAST_USED_STEP = datetime.timedelta(minutes=1)
FORWARDED_HEADER = "X-Forwarded-Access-Token"
REFUSED = "A valid token is needed"


def digest_of(key: str) -> str:
    """What is kept of an API key. It has 256 random bits, so it needs no salt and no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def api_key_user(token: str) -> Any:
    """The user of a live API key, with `access` narrowed to the key; None for another kind of token.

    Raises InvalidToken for a key that is not good. What became of it is told to who has all of it alone.
    """
    if not token.startswith(KEY_PREFIX):
        return None
    if not API_KEY.fullmatch(token):
        raise InvalidToken("The API key is malformed")
    now = timezone.now()
    rows = ApiKey.objects.select_related("user", "role", "project")
    key = rows.filter(digest=digest_of(token), deleted_at=None).first()
    if key is None:
        raise InvalidToken("The API key is not known")
    fault = _fault(key, now)
    if fault:
        raise InvalidToken(fault)
    user: Any = key.user
    if key.last_used_at is None or now - key.last_used_at >= LAST_USED_STEP:
        # One of many requests at the same time writes; the others find the row changed.
        ApiKey.objects.filter(pk=key.pk, last_used_at=key.last_used_at).update(last_used_at=now)
        controller_ensure(user=user)
    user.access = PersonAccess(user, key)
    user.came_by = ("api_key", key.pk)
    return user


def _fault(key: ApiKey, now: datetime.datetime) -> str | None:
    """Why a key is refused; None when it is good."""
    if key.revoked_at is not None:
        return "The API key is revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "The API key has expired"
    if not key.user.is_active or key.user.deleted_at is not None:
        return "The account may not sign in"
    if key.project is not None and key.project.deleted_at is not None:
        return "The API key's project is deleted"
    if key.role is not None and key.role.deleted_at is not None:
        return "The API key's role is deleted"
    return None


@functools.cache
def _verifier(path: str) -> Any:
    return import_string(path)


def authenticate_bearer(token: str) -> Any:
    """The caller that a token stands for: a User or a RunnerIdentity. Raises InvalidToken."""
    for path in settings.BEARER_VERIFIERS:
        caller = _verifier(path)(token)
        if caller is not None:
            return caller
    raise InvalidToken("The token is of no known kind")


def bearer_token(authorization: str | None, forwarded: str | None) -> str | None:
    """The token of a request's headers. `Authorization` alone counts where it is present."""
    if authorization is None:
        return forwarded or None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(REFUSED)
    return token.strip()


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer`, else the token that an OAuth proxy in front passes on."""

    def authenticate(self, request: Any) -> tuple[Any, str] | None:
        token = bearer_token(request.headers.get("Authorization"), request.headers.get(FORWARDED_HEADER))
        return None if token is None else (authenticate_bearer(token), token)

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"


class CookieAuthentication(SessionAuthentication):
    """The browser's Django session; unsafe methods need the CSRF token."""

    def authenticate(self, request: Any) -> tuple[Any, None] | None:
        user = getattr(request._request, "user", None)
        if user is None or not user.is_active or user.deleted_at is not None:
            return None
        request.body_bytes  # noqa: B018  the CSRF check parses forms, after which the body cannot be read
        self.enforce_csrf(request)
        return (user, None)
