"""How our objects are called and labelled in a cluster: pure.

A name carries the attempt, so that whatever comes late is about its own attempt only. Ids are told apart by
case and names are not, so the exact id is in a label; two ids that differ by case only meet as strangers.
"""

from collections.abc import Mapping
from typing import Any

FIELD_MANAGER = "ambient-control-plane"
DOMAIN = "ambient-code.io"
MANAGED = f"{DOMAIN}/managed"
MANAGED_BY = f"{DOMAIN}/managed-by"
INSTALLATION = f"{DOMAIN}/installation"
PROJECT = f"{DOMAIN}/project-id"
SESSION = f"{DOMAIN}/session-id"
ATTEMPT = f"{DOMAIN}/attempt"
GENERATION = f"{DOMAIN}/generation"
MADE = f"{DOMAIN}/made"
"""On a namespace that we made ourselves, and may therefore delete."""

TOKEN_AUDIENCE = "ambient-control-plane"  # noqa: S105 - whom a pod's token is meant for
RUNNER = "runner"

Manifest = dict[str, Any]


def object_name(session_id: str, attempt: int) -> str:
    """What everything of one attempt is called."""
    return f"session-{session_id.lower()}-{attempt}"


def claim_name(session_id: str) -> str:
    """What the volume claim of a session is called, through all its attempts."""
    return f"session-{session_id.lower()}"


def project_labels(installation: str, project_id: str) -> dict[str, str]:
    """What a namespace carries, and everything in it that is ours."""
    return {
        MANAGED: "true",
        MANAGED_BY: FIELD_MANAGER,
        INSTALLATION: installation,
        PROJECT: project_id,
    }


def session_labels(
    installation: str, project_id: str, session_id: str, generation: int, attempt: int
) -> dict[str, str]:
    """What every object of one attempt carries."""
    own = {SESSION: session_id, GENERATION: str(generation), ATTEMPT: str(attempt)}
    return project_labels(installation, project_id) | own


def selector(installation: str, session: str | None = None) -> str:
    """A label selector for what this installation made for sessions, or for one."""
    wanted = {MANAGED: "true", INSTALLATION: installation}
    if session is None:
        return ",".join([*(f"{name}={value}" for name, value in wanted.items()), SESSION])
    wanted[SESSION] = session
    return ",".join(f"{name}={value}" for name, value in wanted.items())


def labels_of(found: Mapping[str, Any]) -> dict[str, str]:
    """An object's labels."""
    return dict(found["metadata"].get("labels") or {})


def number(found: Mapping[str, Any], label: str) -> int:
    """A number kept in a label; 0 when somebody made another text of it."""
    text = labels_of(found).get(label, "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else 0


def session_of(found: Mapping[str, Any]) -> str:
    """Whose session's object it is."""
    return labels_of(found).get(SESSION, "")


def is_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether what is there is what we would make: of this installation, session and attempt."""
    names = (MANAGED, INSTALLATION, PROJECT, SESSION, ATTEMPT)
    there, ours = labels_of(found), labels_of(wanted)
    return all(there.get(name) == ours.get(name) for name in names)


def owns_namespace(found: Mapping[str, Any], installation: str, project_id: str) -> bool:
    """Whether a namespace that exists is for this project. One without an installation is anybody's who
    labelled it for the project."""
    there = labels_of(found)
    ours = there.get(MANAGED) == "true" and there.get(PROJECT) == project_id
    return ours and there.get(INSTALLATION, installation) == installation


def made_namespace(found: Mapping[str, Any], installation: str, project_id: str) -> bool:
    """Whether we made it, and may delete it."""
    annotations = found["metadata"].get("annotations") or {}
    return owns_namespace(found, installation, project_id) and annotations.get(MADE) == installation
