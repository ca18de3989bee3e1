"""What a stored secret is. One that can be renewed says so itself, by its member `ambient_type`.

Every other text is a token that is handed out as it is: so a service account's key file stays the file
that existing programs expect, until somebody adds the member.
"""

import json
from typing import Any

from ambient.common.exceptions import InvalidField
from projects_app.credentials.base import Renewable
from projects_app.credentials.github_app import GitHubApp
from projects_app.credentials.google import GoogleServiceAccount
from projects_app.credentials.oauth import OAuthRefresh

MARK = "ambient_type"
KINDS: dict[str, type[Renewable]] = {
    "github_app": GitHubApp,
    "google_service_account": GoogleServiceAccount,
    "oauth_refresh": OAuthRefresh,
}


def json_object(text: str) -> dict[str, Any] | None:
    """The text as a JSON object; None when it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def renewable(text: str, provider: str) -> Renewable | None:
    """What makes fresh tokens of it; None for a token that is used as it is.

    Raises InvalidField, which names what is wrong and quotes nothing.
    """
    document = json_object(text)
    if document is None or MARK not in document:
        return None
    kind = document[MARK]
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidField(f"token: {MARK} must be one of {', '.join(KINDS)}")
    if provider not in KINDS[kind].providers:
        raise InvalidField(f"token: {kind} is for {', '.join(sorted(KINDS[kind].providers))}")
    return KINDS[kind].parse(document)
