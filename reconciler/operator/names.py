"""How the operator's resources and objects are called, and the words that it understands: pure.

One resource a session, for all its attempts: the operator keeps a session's state under this name.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.kubernetes.names import DOMAIN

GROUP = "vteam.ambient-code"
VERSION = f"{GROUP}/v1alpha1"
ROOT = f"/apis/{VERSION}"
SESSIONS = "agenticsessions"
SETTINGS = "projectsettings"
SETTINGS_NAME = "projectsettings"

WISH_MANAGER = "ambient-control-plane-wish"
"""Sets the annotations and labels of a start or a stop, and nothing else: what it wished last is all that it
owns, so that a stop need not know the spec."""

DESIRED = f"{DOMAIN}/desired-phase"
START_REQUESTED = f"{DOMAIN}/start-requested-at"
STOP_REQUESTED = f"{DOMAIN}/stop-requested-at"
STOP_REASON = f"{DOMAIN}/stop-reason"
CREATED_BY = f"{DOMAIN}/created-by"
PARENT = "vteam.ambient-code/parent-session-id"
BEFORE = f"{DOMAIN}/start-time-before"
"""`status.startTime` when a start was asked for: while it is the same, the status is of an earlier one."""

FINAL = frozenset({"Stopped", "Completed", "Failed"})
"""Phases in which the operator does nothing by itself."""

RUNNER = "ambient-code-runner"
RUNNER_APP = "ambient-code-runner"
OF_SESSION = "agentic-session"
"""On pods, the resource's name."""

TOKEN_KEY = "agui-token"  # noqa: S105 - a name
POLICY_NAME = "ambient-platform-to-runners"


def resource_name(session_id: str) -> str:
    """Of a session's resource. The runner's Service is `session-` and this, as the REST contract has it."""
    return session_id.lower()


def pod_name(resource: str) -> str:
    """Of the runner's pod."""
    return f"{resource}-runner"


def token_secret(resource: str) -> str:
    """Of the Secret with what opens the runner's port."""
    return f"ambient-runner-token-{resource}"


def pods_of(resource: str | None = None) -> str:
    """A label selector for the operator's runners, or for those of one session."""
    every = f"app={RUNNER_APP}"
    return f"{every},{OF_SESSION}={resource}" if resource else f"{every},{OF_SESSION}"


def annotation(found: Mapping[str, Any], name: str) -> str:
    """An annotation's text; empty without one."""
    return str((found["metadata"].get("annotations") or {}).get(name) or "")


def phase_of(resource: Mapping[str, Any]) -> str:
    """The phase that the operator gave it; empty before it has seen it."""
    return str((resource.get("status") or {}).get("phase") or "")


def start_time_of(resource: Mapping[str, Any]) -> str:
    """When the operator last began with it; empty before it has seen it."""
    return str((resource.get("status") or {}).get("startTime") or "")
