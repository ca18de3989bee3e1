"""The one interface of what can be renewed, and how asking a provider may fail."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from django.db import models

from ambient.common.exceptions import InvalidField


class Reason(models.TextChoices):
    """Whether a credential works, and why not. Closed: clients may branch on it."""

    WORKS = "Works", "The credential works."
    NO_TOKEN = "NoToken", "The credential has no token."
    INVALID_SECRET = "InvalidSecret", "The stored secret is not what this provider needs."
    INCOMPLETE = "Incomplete", "The credential lacks the url or email that this provider needs."
    NOT_TESTABLE = "NotTestable", "This kind of secret cannot be tried from here."
    REJECTED = "Rejected", "The provider does not accept the secret: wrong, expired or revoked."
    FORBIDDEN = "Forbidden", "The provider knows the secret but does not allow the call."
    NOT_FOUND = "NotFound", "The provider does not know what was asked for; check url and ids."
    RATE_LIMITED = "RateLimited", "The provider wants fewer calls; try later."
    PROVIDER_FAILED = "ProviderFailed", "The provider had a fault of its own."
    UNREACHABLE = "Unreachable", "The provider cannot be reached."
    TIMED_OUT = "TimedOut", "The provider did not answer in time."
    UNREADABLE = "UnreadableAnswer", "The provider's answer is not understood."
    REDIRECTED = "Redirected", "The provider sends elsewhere, which is not followed; check the url."
    ADDRESS_REFUSED = "AddressRefused", "The address is not allowed: not https, or a private network."


PASSING = frozenset({Reason.RATE_LIMITED, Reason.PROVIDER_FAILED, Reason.UNREACHABLE, Reason.TIMED_OUT})
"""Worth another try later, without any change of the credential."""


class ProviderError(Exception):
    """A provider could not be asked, or did not do it. Holds nothing that the provider said."""

    def __init__(self, reason: Reason, *, retry_after: int | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after  # seconds


@dataclass(frozen=True)
class Access:
    """A short-lived token. `secret`: what is to be stored from now on, where the provider changed it."""

    token: str
    expires_at: datetime.datetime
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Access(expires_at={self.expires_at.isoformat()})"


class Renewable(Protocol):
    """A stored secret that short-lived tokens are made from."""

    providers: ClassVar[frozenset[str]]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """From the stored JSON. Raises InvalidField, which names the member."""

    def access(self, url: str | None) -> Access:
        """A new token; `url` is the credential's. Raises ProviderError."""


def text_member(document: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A member that is a text. Raises InvalidField; never quotes the value."""
    value = document.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # ids are often numbers
    if not isinstance(value, str) or not value:
        raise InvalidField(f"token: {name} must be a text that is not empty")
    return value
