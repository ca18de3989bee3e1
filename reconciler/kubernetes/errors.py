"""What a cluster's refusals mean for a session: pure, a status and its words to one of our two errors."""

import re

from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from reconciler.errors import PermanentError, TemporaryError
from sessions_app.choices import Reason

AWAY_SECONDS = 5.0
REFUSED_SECONDS = 15.0
LATER_SECONDS = 5.0
QUOTA_SECONDS = 15.0
LONGEST = 400
NO_SUCH_TYPE = "failed to create typed patch object"
"""How an API server says, with a 500, that an applied object is not as its schema has it."""
LACKS_PERMISSION = re.compile(r'User ".*" cannot \S+ (resource|path) "')
"""How RBAC says no, and nobody else at admission."""
NOT_READY = re.compile(
    "not yet ready to handle request|status unknown for quota|error looking up service account"
)
"""How admission says no as long as it does not know enough, as after a start of the API server."""
NOT_LOADED = re.compile(r'RBAC: .*role\S* "\S+" not found')
"""What RBAC adds whose bindings name roles that are not there, or not read yet after its start."""
SILENCES = (
    (NameResolutionError, "nobody knows its name"),
    (NewConnectionError, "it takes no connection"),
    (ConnectTimeoutError, "it takes no connection in time"),
    (ReadTimeoutError, "it is too slow"),
    (ProtocolError, "the connection broke off"),
    (SSLError, "no secure connection"),
)
"""What its silences are called, the more special ones first."""


class Conflict(Exception):
    """The object is not as it was thought to be: another version, or somebody else's fields."""


class Gone(Exception):
    """The version to watch from is too old: list again."""


def away(why: str) -> TemporaryError:
    """The cluster does not answer; what runs there goes on."""
    text = f"The cluster does not answer ({why}); trying again."
    return TemporaryError(Reason.CLUSTER_UNREACHABLE, text, delay=AWAY_SECONDS)


def silence(exc: Exception) -> TemporaryError:
    """The error for no answer at all."""
    return away(next((words for kinds, words in SILENCES if isinstance(exc, kinds)), "the connection failed"))


def refusal(status: int, said: str) -> Exception:
    """The error for an answer that is none of 2xx and 404."""
    text = " ".join(said.split())[:LONGEST]
    if status == 409:
        if "object is being deleted" in text or "being terminated" in text:
            return _later(text)
        return Conflict(text)
    if status == 410:
        return Gone(text)
    if status == 401:
        return _credentials("The cluster does not know the platform's credentials.")
    if status == 403:
        return _forbidden(text)
    if status == 404:  # of a write: its namespace has gone meanwhile
        text = f"The cluster does not have what is needed: {text}"
        return TemporaryError(Reason.WAITING, text, delay=LATER_SECONDS)
    if status in (400, 422) or (status == 500 and NO_SUCH_TYPE in text):
        return PermanentError(Reason.CONFIG_INVALID, f"The cluster refuses the session: {text}")
    text = f"The cluster cannot do it now ({status}: {text or 'it does not say why'}); trying again."
    return TemporaryError(Reason.CLUSTER_UNREACHABLE, text, delay=AWAY_SECONDS)


def _forbidden(text: str) -> Exception:
    """403 is also how admission says no."""
    if "exceeded quota" in text:
        message = f"The quota of the namespace is used up: {text}"
        return TemporaryError(Reason.QUOTA_EXCEEDED, message, delay=QUOTA_SECONDS)
    if "being terminated" in text:
        return _later(text)
    if NOT_READY.search(text):
        return TemporaryError(
            Reason.CLUSTER_UNREACHABLE, f"The cluster is not ready yet: {text}", delay=AWAY_SECONDS
        )
    if LACKS_PERMISSION.search(text):
        delay = AWAY_SECONDS if NOT_LOADED.search(text) else REFUSED_SECONDS
        return _credentials(f"The platform lacks a permission in the cluster: {text}", delay)
    return PermanentError(Reason.CONFIG_INVALID, f"The cluster refuses the session: {text}")


def _later(text: str) -> TemporaryError:
    return TemporaryError(
        Reason.WAITING, f"What was there is still being deleted: {text}", delay=LATER_SECONDS
    )


def _credentials(text: str, delay: float = REFUSED_SECONDS) -> TemporaryError:
    return TemporaryError(Reason.CREDENTIAL_REJECTED, text, delay=delay)
