"""What a session and its project ask of a cluster beside the launch document."""

import json
from dataclasses import dataclass, field
from typing import Any

from ambient.cluster_settings import checked_resources
from ambient.common.json_text import parsed
from reconciler.errors import PermanentError
from reconciler.kubernetes.names import DOMAIN
from sessions_app.choices import Reason
from sessions_app.models import Session

EGRESS = f"{DOMAIN}/egress"
SERVICE = f"{DOMAIN}/service"


@dataclass(frozen=True)
class Wishes:
    """Amounts, whether its project may reach the internet, and whether it has a Service."""

    resources: dict[str, dict[str, str]] = field(default_factory=dict)
    internet: bool = True
    service: bool = False


def wishes_of(session: Session) -> Wishes:
    """Raises PermanentError for amounts that no pod can have."""
    text = session.resource_overrides
    try:
        resources = checked_resources(json.loads(text)) if text and not text.isspace() else {}
    except (ValueError, RecursionError) as exc:
        why = "not JSON" if isinstance(exc, json.JSONDecodeError | RecursionError) else str(exc)
        raise PermanentError(Reason.CONFIG_INVALID, f"resource_overrides cannot be used: {why}.") from None
    return Wishes(
        resources=resources,
        internet=_annotation(session.project.annotations, EGRESS) != "platform",
        service=_annotation(session.annotations, SERVICE) == "true",
    )


def _annotation(text: str | None, name: str) -> Any:
    found = parsed(text)
    return found.get(name) if isinstance(found, dict) else None
