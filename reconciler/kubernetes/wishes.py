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
RESOURCES = f"{DOMAIN}/resources"


@dataclass(frozen=True)
class Wishes:
    """Amounts, whether its project may reach the internet, and whether it has a Service."""

    resources: dict[str, dict[str, str]] = field(default_factory=dict)
    internet: bool = True
    service: bool = False


def wishes_of(session: Session) -> Wishes:
    """Raises PermanentError for amounts that no pod can have."""
    own = _amounts("resource_overrides", session.resource_overrides)
    of_project = _annotation(session.project.annotations, RESOURCES)
    return Wishes(
        resources=_over(own, _amounts(f"The project's annotation {RESOURCES}", of_project)),
        internet=_internet(session.project.annotations),
        service=_service(session.annotations),
    )


def _internet(annotations: str | None) -> bool:
    """A word that is not known might have meant the narrower one, and so might one that cannot be read."""
    said = _annotation(annotations, EGRESS)
    if said not in (None, "platform", "internet") or (said is None and EGRESS in (annotations or "")):
        text = f"The project's annotation {EGRESS} must be platform or internet."
        raise PermanentError(Reason.CONFIG_INVALID, text)
    return said != "platform"


def _service(annotations: str | None) -> bool:
    said = _annotation(annotations, SERVICE)
    if said not in (None, "true", "false"):
        raise PermanentError(Reason.CONFIG_INVALID, f"The annotation {SERVICE} must be true or false.")
    return said == "true"


def _amounts(name: str, given: Any) -> dict[str, dict[str, str]]:
    """What is given there, as JSON text or already read."""
    if given is None or (isinstance(given, str) and (not given or given.isspace())):
        return {}
    try:
        return checked_resources(json.loads(given) if isinstance(given, str) else given)
    except (ValueError, RecursionError) as exc:
        why = "not JSON" if isinstance(exc, json.JSONDecodeError | RecursionError) else str(exc)
        raise PermanentError(Reason.CONFIG_INVALID, f"{name} cannot be used: {why}.") from None


def _over(own: dict[str, dict[str, str]], usual: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Both, where `own` decides alone on each resource that it names."""
    named = {name for amounts in own.values() for name in amounts}
    kept = {
        group: {name: text for name, text in amounts.items() if name not in named}
        for group, amounts in usual.items()
    }
    groups = {group: kept.get(group, {}) | own.get(group, {}) for group in {**kept, **own}}
    return {group: amounts for group, amounts in groups.items() if amounts}


def _annotation(text: str | None, name: str) -> Any:
    found = parsed(text)
    return found.get(name) if isinstance(found, dict) else None
