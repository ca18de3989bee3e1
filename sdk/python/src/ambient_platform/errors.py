"""What can go wrong.

AmbientError
+- APIError          the server refused: status_code, code, reason, operation_id
+- UnexpectedAnswer  the server did it, but its answer is not of the documented form
+- ConnectionFailed  no answer
"""

import json
from types import ModuleType
from typing import Any

import httpx

BODY_SHOWN = 4096  # characters of a body that is not the standard error


class AmbientError(Exception):
    """Base of everything this package raises."""


class ConnectionFailed(AmbientError):
    """The server could not be reached, or the connection was lost."""


class UnexpectedAnswer(AmbientError):
    """A success whose body is not what the API's document says."""


class APIError(AmbientError):
    """The server answered with an error."""

    def __init__(self, status_code: int, code: str, reason: str, operation_id: str = "") -> None:
        super().__init__(
            f"{status_code} {code}: {reason}" + (f" (op {operation_id})" if operation_id else "")
        )
        self.status_code = status_code
        self.code = code
        self.reason = reason
        self.operation_id = operation_id

    @classmethod
    def of(cls, response: httpx.Response) -> "APIError":
        """From a read response, whatever its body is."""
        try:
            body = json.loads(response.content)
            return cls(
                response.status_code,
                str(body["code"]),
                str(body["reason"]),
                str(body.get("operation_id") or ""),
            )
        except (ValueError, KeyError, TypeError):
            return cls(
                response.status_code, "http_error", response.text[:BODY_SHOWN] or response.reason_phrase
            )


def parsed(call: ModuleType, response: httpx.Response) -> Any:
    """What a generated call makes of an answer; raises APIError or UnexpectedAnswer."""
    if not response.is_success:
        raise APIError.of(response)
    try:
        return call._parse_response(client=None, response=response)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise UnexpectedAnswer(
            f"{response.status_code} with an unexpected body: {type(exc).__name__}"
        ) from exc
