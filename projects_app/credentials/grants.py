"""The answer of an OAuth token endpoint (RFC 6749, section 5.1)."""

import datetime

from projects_app.credentials.base import Access, ProviderError, Reason
from projects_app.credentials.outbound import Answer

DEFAULT_SECONDS = 300
"""Where the answer does not say how long: it is recommended only."""
LONGEST_SECONDS = 365 * 24 * 3600


def granted(answer: Answer) -> Access:
    """The token and its end. Raises ProviderError when it is not what the RFC says."""
    body = answer.body
    if not isinstance(body, dict):
        raise ProviderError(Reason.UNREADABLE)
    if "error" in body:  # GitHub says so with status 200
        raise ProviderError(Reason.REJECTED)
    token, seconds = body.get("access_token"), body.get("expires_in", DEFAULT_SECONDS)
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = int(seconds[:12])
    good = isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0
    if not isinstance(token, str) or not token or not good:
        raise ProviderError(Reason.UNREADABLE)
    life = datetime.timedelta(seconds=min(seconds, LONGEST_SECONDS))
    return Access(token, datetime.datetime.now(datetime.UTC) + life)
