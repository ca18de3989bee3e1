"""Proof towards the control plane that the API has authorised exactly this call to this session's runner."""

import hashlib
import hmac

from django.core import signing

SALT = "ambient.runner-call"
LIFE_SECONDS = 30


def _digest(call: bytes) -> str:
    return hashlib.sha256(call).hexdigest()


def issue_ticket(session_id: str, call: bytes) -> str:
    """Good for half a minute, for this session and these bytes."""
    return signing.dumps([session_id, _digest(call)], salt=SALT)


def is_good(ticket: str, session_id: str, call: bytes) -> bool:
    """Whether the ticket was issued for this session and these bytes, just now."""
    try:
        wanted_session, wanted_call = signing.loads(ticket, salt=SALT, max_age=LIFE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return False
    return wanted_session == session_id and hmac.compare_digest(str(wanted_call), _digest(call))
