"""What the platform writes for the operator, as plain objects: pure, compared whole in the tests.

Only fields that say what is wanted. Status, and every field that is not named here, is the operator's or
somebody else's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.kubernetes.manifests import PORT, platform_pods
from reconciler.kubernetes.names import ATTEMPT, GENERATION, MADE, SESSION, Manifest, project_labels
from reconciler.operator.names import (
    BEFORE,
    CREATED_BY,
    DESIRED,
    FINAL,
    PARENT,
    POLICY_NAME,
    RUNNER_APP,
    SETTINGS_NAME,
    START_REQUESTED,
    STOP_REASON,
    STOP_REQUESTED,
    VERSION,
    annotation,
    phase_of,
    resource_name,
)

RUNNER_TYPES = {"claude": "claude-agent-sdk"}
"""Frameworks that the operator's runner has, by ours."""
PROVIDERS = ("github", "gitlab")


@dataclass(frozen=True)
class Wanted:
    """One session. `spec` is that of the launch document, and may hold people's secrets."""

    installation: str
    project_id: str
    session_id: str
    namespace: str
    framework: str
    spec: Mapping[str, Any] = field(repr=False)
    created_by: str | None = None
    parent_id: str | None = None
    timeout: int | None = None
    stop_on_run_finished: bool = False
    workflow: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Defaults:
    """What a project's settings say; None where they say nothing."""

    groups: Sequence[tuple[str, str]] | None = None
    repositories: Sequence[Any] | None = None
    inactivity_timeout: int | None = None


def namespace(installation: str, name: str, project_id: str) -> Manifest:
    """A project's namespace, which the operator looks after. Without Pod Security: its pods need root to set
    up their workspace."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": project_labels(installation, project_id),
            "annotations": {MADE: installation},
        },
    }


def network_policy(installation: str, project_id: str, name: str, own_namespace: str) -> Manifest:
    """The operator lets its own backend alone reach runners; this lets our control plane, too."""
    rule = {
        "from": platform_pods(own_namespace, "control-plane"),
        "ports": [{"protocol": "TCP", "port": PORT}],
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": POLICY_NAME,
            "namespace": name,
            "labels": project_labels(installation, project_id),
        },
        "spec": {
            "podSelector": {"matchLabels": {"app": RUNNER_APP}},
            "policyTypes": ["Ingress"],
            "ingress": [rule],
        },
    }


def agentic_session(wanted: Wanted) -> Manifest:
    """The session as the operator reads it.

    No initial prompt: the prompt is the session's first message, and comes as every other one. No inactivity:
    the operator counts from a time that only its own backend writes, so we count.
    """
    annotations = {CREATED_BY: wanted.created_by}
    if wanted.parent_id:
        annotations[PARENT] = resource_name(wanted.parent_id)
    return {
        "apiVersion": VERSION,
        "kind": "AgenticSession",
        "metadata": {
            "name": resource_name(wanted.session_id),
            "namespace": wanted.namespace,
            "labels": project_labels(wanted.installation, wanted.project_id) | {SESSION: wanted.session_id},
            "annotations": _given(annotations),
        },
        "spec": _given(
            {
                "displayName": wanted.spec["name"],
                "repos": [_given({"url": repo["url"], "branch": repo["branch"]}) for repo in _repos(wanted)],
                "userContext": _given({"userId": wanted.created_by}) or None,
                "llmSettings": {
                    "model": wanted.spec["llm_model"],
                    "temperature": wanted.spec["llm_temperature"],
                    "maxTokens": wanted.spec["llm_max_tokens"],
                },
                "timeout": wanted.timeout,
                "inactivityTimeout": 0,
                "stopOnRunFinished": wanted.stop_on_run_finished,
                "environmentVariables": {
                    **_sdk_options(wanted.spec),
                    **wanted.spec["environment_variables"],
                    "RUNNER_TYPE": RUNNER_TYPES[wanted.framework],
                },
                "mcpServers": _mcp_servers(wanted.spec["mcp_servers"]),
                "activeWorkflow": _workflow(wanted.workflow),
            }
        ),
    }


def as_found(manifest: Manifest, found: Manifest | None) -> Manifest:
    """The same for the very object that was looked at, if there was one: refused when it has moved on."""
    if found is None:
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], **_identity(found)}}


def start_wish(found: Manifest, *, generation: int, attempt: int, before: str, now: str) -> Manifest:
    """Ask for a runner of this attempt, of the very object that was looked at."""
    annotations = {DESIRED: "Running", START_REQUESTED: now, BEFORE: before}
    return _wish(found, annotations, {GENERATION: str(generation), ATTEMPT: str(attempt)})


def stop_wish(found: Manifest, *, now: str, reason: str | None) -> Manifest:
    """Ask for the end of what runs, if it may run. No attempt is named any more: what is left is of none."""
    annotations = {START_REQUESTED: annotation(found, START_REQUESTED) or None}
    if phase_of(found) not in FINAL or annotation(found, DESIRED) == "Running":
        annotations |= {DESIRED: "Stopped", STOP_REQUESTED: now, STOP_REASON: reason}
    return _wish(found, _given(annotations), {})


def project_settings(
    installation: str, project_id: str, name: str, defaults: Defaults, found: Manifest | None
) -> Manifest:
    """A project's settings. Groups that the settings do not name stay as they are; the schema wants some."""
    spec = ((found or {}).get("spec")) or {}
    groups = spec.get("groupAccess") or []
    if defaults.groups is not None:
        groups = [{"groupName": group, "role": role} for group, role in defaults.groups]
    return {
        "apiVersion": VERSION,
        "kind": "ProjectSettings",
        "metadata": {
            "name": SETTINGS_NAME,
            "namespace": name,
            "labels": project_labels(installation, project_id),
        },
        "spec": _given(
            {
                "groupAccess": groups,
                "repositories": _repositories(defaults.repositories),
                "inactivityTimeoutSeconds": defaults.inactivity_timeout,
            }
        ),
    }


def _wish(found: Manifest, annotations: Mapping[str, str], labels: Mapping[str, str]) -> Manifest:
    where = {part: found["metadata"][part] for part in ("name", "namespace")}
    own = {"annotations": dict(annotations), "labels": dict(labels)}
    return {
        "apiVersion": VERSION,
        "kind": "AgenticSession",
        "metadata": {**where, **_identity(found), **own},
    }


def _identity(found: Manifest) -> dict[str, str]:
    return {part: found["metadata"][part] for part in ("uid", "resourceVersion")}


def _repos(wanted: Wanted) -> Sequence[Mapping[str, Any]]:
    return list(wanted.spec["repos"])


def _sdk_options(spec: Mapping[str, Any]) -> dict[str, str]:
    """What the resource has no field for; the runner takes it from its environment."""
    prompt = spec["system_prompt"]
    options = {
        "allowed_tools": spec["allowed_tools"],
        "system_prompt": {"type": "preset", "preset": "claude_code", "append": prompt} if prompt else None,
    }
    given = _given(options)
    return {"SDK_OPTIONS": json.dumps(given, sort_keys=True)} if given else {}


def _mcp_servers(servers: Mapping[str, Any]) -> Manifest | None:
    found = {name: server for name, server in servers.items() if isinstance(server, dict)}
    return {"custom": found} if found else None


def _workflow(workflow: Mapping[str, Any]) -> Manifest | None:
    """As `POST .../workflow` keeps it; a workflow that is only a name is none that can be cloned."""
    texts = {name: value for name, value in workflow.items() if isinstance(value, str) and value}
    if "git_url" not in texts:
        return None
    names = {"git_url": "gitUrl", "branch": "branch", "path": "path"}
    return {names[name]: value for name, value in texts.items() if name in names}


def _repositories(entries: Sequence[Any] | None) -> list[Manifest] | None:
    if entries is None:
        return None
    found = []
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get("url"), str) and entry["url"]:
            branch, provider = entry.get("branch"), entry.get("provider")
            known = {
                "url": entry["url"],
                "branch": branch if isinstance(branch, str) and branch else None,
                "provider": provider if provider in PROVIDERS else None,
            }
            found.append(_given(known))
    return found


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not said: an absent field is not ours."""
    return {name: value for name, value in values.items() if value is not None}
