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
from ambient.common.errors import error_body
from ambient.common.exceptions import TooMany, Unauthenticated, Unavailable
from ambient.common.ksuid import ksuid
from ambient.common.renderers import dumps
from ambient.common.threads import in_thread
from projects_app.authentication import FORWARDED_HEADER, authenticate_bearer, bearer_token
from projects_app.cookies import cookie_user
from sessions_app.selectors import Caller
from sessions_app.streams.transports import note_transport

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
PROTOCOL_PREFIX = "bearer."
TRY_AGAIN_LATER = 1013  # of the registry that RFC 6455, section 11.7 begins


class WebsocketAuth:
    """Puts `caller` into the scope: a Caller, or None for nobody. A token in the query is never looked at."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        scope = dict(scope)
        note_transport(scope, send)
        try:
            scope["caller"] = await in_thread(find_caller, scope)
        except Unavailable as exc:
            await _refuse(scope, send, exc)
            return
        await self.app(scope, receive, send)


async def _refuse(scope: Mapping[str, Any], send: Any, error: Unavailable) -> None:
    """Say that it is not the caller's fault, where the server has words before the websocket opens."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        return
    headers = [(b"content-type", b"application/json"), (b"retry-after", str(error.retry_after or 1).encode())]
    await send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": dumps(error_body(error, ksuid()))})


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
