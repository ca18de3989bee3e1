"""A request id for everything that happens because of one request: header, logs, history, passes."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ambient.common.ksuid import ksuid

HEADER = "X-Operation-ID"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class RequestIdMiddleware:
    """Takes `X-Operation-ID` from the client where it is well formed, else makes one; answers with it.

    Views of the API carry it into the history tables (`ambient.common.viewsets.WireView`).
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self._answer_async(request) if self.is_async else self._answer(request)

    def _begin(self, request: Any) -> str:
        given = request.headers.get(HEADER, "")
        request.operation_id = given if _ACCEPTABLE.fullmatch(given) else ksuid()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.operation_id)
        return str(request.operation_id)

    def _finish(self, request: Any, response: HttpResponseBase) -> HttpResponseBase:
        response[HEADER] = request.operation_id
        if request.path.startswith("/api/"):
            response["Vary"] = "Authorization"
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        self._begin(request)
        return self._finish(request, self.get_response(request))

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        self._begin(request)
        return self._finish(request, await self.get_response(request))


class TrailingSlashMiddleware:
    """Below /api one trailing slash means nothing: the path is routed without it, never redirected."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info[:-1]
        response: HttpResponseBase | Awaitable[HttpResponseBase] = self.get_response(request)
        return response
