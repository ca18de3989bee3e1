"""Errors that a caller may read. Each kind has the wire id and HTTP status of the contract.

ApplicationError
+- InvalidField     400, 8   a field-level rule is broken
+- MalformedRequest 400, 17  the body is not decodable as asked
+- BadRequest       400, 21  a query parameter or scope is not understood
+- Unauthenticated  401, 15  no token
|  +- InvalidToken           a bad one
+- Forbidden        403, 4   visible, or a write, but not permitted
+- NotFound         404, 7   missing, or not visible
+- MethodNotAllowed 405, 10
+- Conflict         409, 6   unique violation, wrong phase, last owner
+- TooLarge         413, 8
+- TooMany          429, 8   with a retry time
+- UriTooLong       414, 21  the address is longer than the server reads
+- HeadTooLong      431, 21  the headers are longer than the server reads
+- NoRunner         502, 9   the session's runner cannot be asked
+- ProviderRefused  502, 9   another service does not do what a credential is for
+- NotImplementedYet 501, 10 the route is known, what it is for does not exist here
+- Unavailable      503, 9   a part of the platform is away; with a retry time
"""


class ApplicationError(Exception):
    """Base: `reason` is one plain sentence, safe to show to the caller."""

    status = 500
    id = 9

    def __init__(self, reason: str, *, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after  # seconds
        self.headers: dict[str, str] = {}  # besides, of the answer


class InvalidField(ApplicationError):
    """A field-level rule is broken."""

    status, id = 400, 8


class MalformedRequest(ApplicationError):
    """The body cannot be decoded as this route needs it."""

    status, id = 400, 17


class BadRequest(ApplicationError):
    """A query parameter is not understood."""

    status, id = 400, 21


class Unauthenticated(ApplicationError):
    """No token, or none that is understood; `oauth_error` names the kind of fault (RFC 6750, section 3.1)."""

    oauth_error = ""

    status, id = 401, 15


class InvalidToken(Unauthenticated):
    """A token that is not good; the reason names the kind of fault, safe to show to whoever sent it."""

    oauth_error = "invalid_token"


class Forbidden(ApplicationError):
    """Not permitted."""

    status, id = 403, 4


class NotFound(ApplicationError):
    """Missing, or not visible: the two look the same."""

    status, id = 404, 7


class MethodNotAllowed(ApplicationError):
    """The path exists, the method does not."""

    status, id = 405, 10


class Conflict(ApplicationError):
    """The state or another row forbids it."""

    status, id = 409, 6


class UriTooLong(ApplicationError):
    """The address is longer than the server reads."""

    status, id = 414, 21


class HeadTooLong(ApplicationError):
    """The headers are longer than the server reads."""

    status, id = 431, 21


class TooLarge(ApplicationError):
    """The body is over the limit."""

    status, id = 413, 8


class TooMany(ApplicationError):
    """A limit of this caller or process is reached."""

    status, id = 429, 8


class NoRunner(ApplicationError):
    """The session has no runner that could answer."""

    status, id = 502, 9


class ProviderRefused(ApplicationError):
    """Another service did not do what was asked of it, and will not by itself."""

    status, id = 502, 9


class NotImplementedYet(ApplicationError):
    """The route is part of the contract, what it is for does not exist here."""

    status, id = 501, 10


class Unavailable(ApplicationError):
    """A part of the platform is away for now."""

    status, id = 503, 9


def not_found(kind: str, pk: str) -> NotFound:
    """The one text for missing and invisible objects."""
    return NotFound(f"{kind} with id='{pk}' not found")
