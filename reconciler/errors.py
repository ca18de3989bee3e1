"""The two words that decide what follows a failed pass, and what takes a pass its right to write."""

from sessions_app.choices import Reason


class TemporaryError(Exception):
    """Try again: after `delay` seconds, or without one after the queue's growing back-off."""

    def __init__(self, reason: Reason, message: str, *, delay: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.delay = delay


class PermanentError(Exception):
    """Trying again changes nothing: the session fails with this reason."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class ClaimLost(Exception):
    """Another worker holds the key now: nothing may be written any more."""


class OtherHost(Exception):
    """The session runs on a runner host that this worker cannot reach; its own workers look after it."""
