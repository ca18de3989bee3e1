"""A request id for everything that happens because of one request: header, logs, history, passes."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from ambient.common import tracing
from ambient.common.http_metrics import ROUTE
from ambient.common.ksuid import ksuid

HEADER = "X-Operation-ID"
FEATURES = "idempotency"
"""What clients may rely on that servers of the first generation do not have (contract: sdk-cli 2.3)."""
TRACED = ("/api/", "/admin/")
_NO_GZIP = re.compile(r"\bgzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.I)
"""A weight of 0 refuses (RFC 9110, 12.4.2); Django looks for the word only."""
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
        if request.resolver_match is not None and hasattr(request, "scope"):
            request.scope[ROUTE] = request.resolver_match.route
        if request.path.startswith("/api/"):
            response["Vary"] = "Authorization, Origin" if settings.CORS_ALLOWED_ORIGINS else "Authorization"
            response["X-Ambient-Features"] = FEATURES
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        self._begin(request)
        with _traced(request) as finish:
            return finish(self._finish(request, self.get_response(request)))

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        self._begin(request)
        with _traced(request) as finish:
            return finish(self._finish(request, await self.get_response(request)))


def _same(response: HttpResponseBase) -> HttpResponseBase:
    return response


@contextmanager
def _traced(request: HttpRequest) -> Iterator[Callable[[HttpResponseBase], HttpResponseBase]]:
    """A span of the request up to the start of its answer, below the caller's own where it sent one."""
    if not tracing.is_on() or not request.path.startswith(TRACED):
        yield _same
        return
    parent = request.headers.get("traceparent")
    method = str(request.method)
    with tracing.span(method, kind="server", parent=parent) as span:

        def finish(response: HttpResponseBase) -> HttpResponseBase:
            match = request.resolver_match
            if match is not None:
                span.name(f"{method} /{match.route}")
                span.note(http__route=f"/{match.route}")
                if "pk" in match.kwargs:
                    span.note(ambient__object_id=str(match.kwargs["pk"]))
            span.note(http__request__method=method, http__response__status_code=response.status_code)
            span.note(ambient__request_id=str(getattr(request, "operation_id", "")))
            if response.status_code >= 500:
                span.fail(str(response.status_code))
            return response

        yield finish


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


class CompressMiddleware(GZipMiddleware):
    """gzip for API answers that are worth it; never for a stream, whose events must not wait in a buffer."""

    LEAST_BYTES = 1400  # what fits one packet is not sent faster

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if response.streaming or not request.path.startswith("/api/"):
            return response
        if len(response.content) < self.LEAST_BYTES:
            return response
        if _NO_GZIP.search(request.headers.get("Accept-Encoding", "")):
            return response
        return super().process_response(request, response)
