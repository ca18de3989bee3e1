"""Who opens a websocket: Authorization header, subprotocol `bearer.<token>`, or the browser's cookie."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, parse_cookie

from ambient import env
from ambient.common import throttling
from ambient.common.exceptions import TooMany, Unauthenticated, Unavailable
from ambient.common.threads import in_thread
from projects_app.authentication import FORWARDED_HEADER, authenticate_bearer, bearer_token
from projects_app.cookies import cookie_user
from sessions_app.selectors import Caller
from sessions_app.streams.transports import note_transport

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
PROTOCOL_PREFIX = "bearer."


class WebsocketAuth:
    """Puts `caller` into the scope: a Caller, or None for nobody. A token in the query is never looked at."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        scope = dict(scope)
        note_transport(scope, send)
        scope["caller"] = await in_thread(find_caller, scope)
        await self.app(scope, receive, send)


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])
    }


def find_caller(scope: Mapping[str, Any]) -> Caller | None:
    """The first kind of proof that is there counts; a bad one is nobody."""
    headers = _headers(scope)
    offered = [name for name in scope.get("subprotocols", ()) if name.startswith(PROTOCOL_PREFIX)]
    try:
        token = bearer_token(headers.get("authorization"), headers.get(FORWARDED_HEADER.lower()))
        if token is None and offered:
            token = offered[0].removeprefix(PROTOCOL_PREFIX)
        if token is not None:
            return Caller(authenticate_bearer(token), token)
    except Unauthenticated:
        with contextlib.suppress(TooMany):  # a refused websocket has no words
            throttling.refused_token((scope.get("client") or (None,))[0])
        return None
    if not same_origin(headers, env.ALLOWED_ORIGINS):
        return None
    return _cookie_caller(headers)


def same_origin(headers: Mapping[str, str], allowed: list[str]) -> bool:
    """Whether a page of ours opens the socket: browsers always say which page does."""
    origin = headers.get("origin", "")
    return bool(origin) and (origin in allowed or urlsplit(origin).netloc == headers.get("host"))


def _cookie_caller(headers: Mapping[str, str]) -> Caller | None:
    key = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    try:
        user = cookie_user(request)
    except Unavailable:
        return None
    if not user.is_authenticated or not user.is_active or user.deleted_at is not None:
        return None
    return Caller(user)
