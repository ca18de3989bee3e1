"""Who a browser's cookie stands for, for HTTP and websockets alike."""

from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, get_user
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from ambient.common.errors import error_response
from ambient.common.exceptions import Unavailable
from projects_app.oidc import browser
from projects_app.oidc.renewal import still_counts

SIGN_IN = "browser_sign_in"
"""Under this name a browser session has the id of its sign-in with the provider."""


def cookie_user(request: HttpRequest) -> Any:
    """The user of the request's browser session; its end is the session's end.

    A sign-in with the provider ends when the provider says so. Raises Unavailable when it cannot be asked.
    """
    backend = request.session.get(BACKEND_SESSION_KEY)
    if backend is not None and not _counts(request, backend):
        request.session.flush()
        return AnonymousUser()
    user: Any = get_user(request)
    return AnonymousUser() if getattr(user, "service_account", False) else user  # those come with tokens


def _counts(request: HttpRequest, backend: str) -> bool:
    if backend != browser.PATH:
        return settings.PASSWORD_SIGN_IN
    pk = request.session.get(SIGN_IN)
    return isinstance(pk, str) and still_counts(pk)


def _user_of(request: Any) -> Any:
    if not hasattr(request, "_cached_user"):
        request._cached_user = cookie_user(request)
    return request._cached_user


class CookieUserMiddleware(AuthenticationMiddleware):
    """`request.user`, looked up when somebody asks: a request with a token never does."""

    def process_request(self, request: Any) -> None:
        request.user = SimpleLazyObject(lambda: _user_of(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Outside the API, which has its own handler, nobody can say now who this is."""
        return error_response(request, exception) if isinstance(exception, Unavailable) else None
