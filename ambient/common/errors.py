"""The one place where an exception becomes a response body."""

import sys
from typing import Any

import psycopg.errors
import structlog
from django.conf import settings
from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from ambient.common.exceptions import (
    ApplicationError,
    BadRequest,
    Conflict,
    Forbidden,
    InvalidField,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from ambient.common.ksuid import ksuid
from ambient.common.renderers import dumps

log = structlog.get_logger(__name__)

CODE_PREFIX = "ambient-api-server"
API_PREFIX = "/api/"
BUSY_SECONDS = 1
TAKEN = "This change conflicts with an existing record"


class Unexpected(ApplicationError):
    """Anything that nobody foresaw; the log has the details, the caller only the operation id."""


def error_body(error: ApplicationError, operation_id: str) -> dict[str, Any]:
    """The body of every error of the API."""
    return {
        "kind": "Error",
        "id": str(error.id),
        "href": f"/api/ambient/v1/errors/{error.id}",
        "code": f"{CODE_PREFIX}-{error.id}",
        "reason": error.reason,
        "operation_id": operation_id,
    }


def error_headers(error: ApplicationError) -> dict[str, str]:
    """`Retry-After` and `WWW-Authenticate` where the kind of error has them."""
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        told = error.reason.replace('"', "'")  # it stands in quotes (RFC 6750, section 3)
        fault = f' error="{error.oauth_error}", error_description="{told}"' if error.oauth_error else ""
        headers["WWW-Authenticate"] = f"Bearer{fault}"
    return headers


def operation_id_of(request: Any) -> str:
    """The request's id; a new one where the middleware was not reached."""
    return str(getattr(request, "operation_id", None) or ksuid())


def as_application_error(exc: BaseException) -> ApplicationError:
    """The error that the caller may read for any exception."""
    match exc:
        case ApplicationError():
            return exc
        case RequestDataTooBig():
            return TooLarge(f"The body may be at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes")
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return Unauthenticated("A valid token is needed")
        case drf.PermissionDenied() | PermissionDenied():
            return Forbidden(str(exc) if "CSRF" in str(exc) else "Not permitted")
        case drf.NotFound() | Http404():
            return NotFound("Not found")
        case drf.MethodNotAllowed():
            return MethodNotAllowed(str(exc.detail))
        case drf.ValidationError() | drf.ParseError() | drf.UnsupportedMediaType():
            return MalformedRequest(f"Invalid request format: {_flat(exc.detail)}")
        case drf.Throttled():
            return TooMany("Too many requests", retry_after=int(getattr(exc, "wait", None) or BUSY_SECONDS))
        case DisallowedHost():
            return BadRequest("The Host header is not one of AMBIENT_ALLOWED_HOSTS")
        case TooManyFieldsSent() | SuspiciousOperation() | MultiPartParserError():
            return BadRequest("The request is not acceptable")
        case IntegrityError():
            return _integrity(exc)
        case OperationalError() | InterfaceError():
            return Unavailable("The database is not available, try again", retry_after=BUSY_SECONDS)
        case DataError():
            return InvalidField("A value cannot be stored")
        case _:
            return Unexpected("An unexpected error happened")


def _flat(detail: Any) -> str:
    """DRF's nested details as one sentence."""
    if isinstance(detail, dict):
        return "; ".join(f"{key}: {_flat(value)}" for key, value in detail.items())
    if isinstance(detail, list | tuple):
        return " ".join(_flat(entry) for entry in detail)
    return str(detail)


def _integrity(exc: IntegrityError) -> ApplicationError:
    """What a constraint of the database refused, without its detail (it may quote other rows)."""
    match exc.__cause__:
        case psycopg.errors.UniqueViolation():
            return Conflict(TAKEN)
        case psycopg.errors.ForeignKeyViolation():
            return InvalidField("A named object does not exist")
        case psycopg.errors.CheckViolation() | psycopg.errors.NotNullViolation():
            return InvalidField("A value is not allowed")
        case _:
            return Unexpected("An unexpected error happened")


def _log(error: ApplicationError, exc: BaseException | None) -> None:
    if isinstance(error, Unexpected):
        log.error("request failed", exc_info=exc)
    elif isinstance(error, Unavailable):
        log.warning("request met a part that is away", error=type(exc).__name__)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Of Django REST framework: answers every exception of a view, so that none escapes."""
    set_rollback()
    error = as_application_error(exc)
    _log(error, exc)
    body = error_body(error, operation_id_of(context["request"]))
    return Response(body, status=error.status, headers=error_headers(error))


def error_response(request: HttpRequest, error: ApplicationError) -> HttpResponse:
    """The same body for code outside Django REST framework; plain text outside the API."""
    headers = error_headers(error)
    if not request.path.startswith(API_PREFIX):
        return HttpResponse(f"{error.reason}\n", "text/plain; charset=utf-8", error.status, headers=headers)
    body = dumps(error_body(error, operation_id_of(request)))
    return HttpResponse(body, "application/json", error.status, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return error_response(request, as_application_error(exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return error_response(request, as_application_error(exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return error_response(request, NotFound("Not found"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what failed outside a view of the API. Django has logged it already."""
    exc = sys.exc_info()[1]
    error = as_application_error(exc) if exc else Unexpected("An unexpected error happened")
    return error_response(request, error)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    return error_response(request, Forbidden("The request's origin could not be checked (CSRF)"))
