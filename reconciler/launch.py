"""What a runner is started with: one JSON document, made from the session's row."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ambient import env
from ambient.common import tracing
from ambient.common.encryption import DecryptionError, unseal
from ambient.common.json_text import parsed
from reconciler.errors import PermanentError
from sessions_app.choices import Reason
from sessions_app.models import Session
from sessions_app.runner_identity import launch_token


def runner_secret(session: Session) -> str:
    """The session's secret; raises PermanentError when it cannot be read with the keys that are set."""
    try:
        return unseal(session.runner_secret or "", context=session.runner_secret_context)
    except DecryptionError as exc:
        raise PermanentError(
            Reason.CONFIG_INVALID,
            "The session's secret cannot be decrypted with the keys of CREDENTIAL_ENCRYPTION_KEYRING and "
            "AMBIENT_ENCRYPTION_KEYS.",
        ) from exc


def launch_document(
    session: Session,
    *,
    generation: int,
    attempt: int,
    credentials: Mapping[str, str] | None = None,
    credential_urls: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The launch file of one attempt. `workspace` is added by whoever knows where it is."""
    secret = runner_secret(session)
    return {
        "session_id": session.pk,
        "project_id": session.project_id,
        "generation": generation,
        "attempt": attempt,
        "runner_secret": secret,
        "launch_token": launch_token(secret, session.pk, generation, attempt),
        "token_url": f"{env.CONTROL_PLANE_URL.rstrip('/')}/token",
        "api_url": env.API_URL,
        "credentials": dict(credentials or {}),  # provider -> id; their tokens are asked for when needed
        "credential_urls": dict(credential_urls or {}),  # of those with one: which hosts they are for
        "framework": session.runner_type,
        "resume": session.start_time is not None,
        "spec": {
            "name": session.name,
            "repos": repositories(session.repos, session.repo_url),
            "llm_model": session.llm_model,
            "llm_temperature": session.llm_temperature,
            "llm_max_tokens": session.llm_max_tokens,
            "system_prompt": session.system_prompt,
            "allowed_tools": _strings(session.allowed_tools),
            "mcp_servers": _parsed(session.mcp_servers, dict),
            "workflow": {"id": session.workflow_id} if session.workflow_id else None,
            "environment_variables": usable_variables(session.environment_variables)[0],
        },
        "sdk_session_id": session.sdk_session_id,
        "traceparent": tracing.traceparent(),
        "snapshots": _snapshots(),
    }


def _snapshots() -> dict[str, Any] | None:
    """How the runner saves its files; None where it does not."""
    if env.RUNTIME != "kubernetes" or env.WORKSPACE != "snapshot":
        return None
    return {
        "every_seconds": env.SNAPSHOT_EVERY_SECONDS,
        "stop_seconds": env.SNAPSHOT_SECONDS,
        "max_bytes": env.SNAPSHOT_MAX_BYTES,
    }


def repositories(text: str | None, extra_url: str | None) -> list[dict[str, str | None]]:
    """The session's repositories: the JSON list, then the single URL where it is not among them."""
    found: list[dict[str, str | None]] = []
    for entry in _parsed(text, list):
        if isinstance(entry, str):
            entry = {"url": entry}
        if isinstance(entry, dict) and isinstance(entry.get("url"), str) and entry["url"]:
            branch, name = entry.get("branch"), entry.get("name")
            found.append(
                {
                    "url": entry["url"],
                    "branch": branch if isinstance(branch, str) and branch else None,
                    "name": name if isinstance(name, str) and name else repository_name(entry["url"]),
                }
            )
    if extra_url and extra_url not in {repo["url"] for repo in found}:
        found.append({"url": extra_url, "branch": None, "name": repository_name(extra_url)})
    return found


def repository_name(url: str) -> str:
    """Last part of the path, without .git; also of the `host:path` form of ssh."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = url
    last = (path or url).rstrip("/").replace(":", "/").rsplit("/", 1)[-1]
    return last.removesuffix(".git") or "repository"


def usable_variables(text: str | None) -> tuple[dict[str, str], list[str]]:
    """The variables that a process can be given, values that are no text as JSON; and the other names."""
    usable, refused = {}, []
    for name, value in _parsed(text, dict).items():
        value = value if isinstance(value, str) else json.dumps(value)
        if name and "=" not in name and _is_plain(name) and _is_plain(value):
            usable[name] = value
        else:
            refused.append(name)
    return usable, refused


def _is_plain(text: str) -> bool:
    """Without what the environment of a process cannot hold: NUL and half characters."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def unused_parts(session: Session) -> list[str]:
    """What of the session's JSON texts a runner is not given, in words. Clients may store any text there."""
    kinds = {"environment_variables": dict, "mcp_servers": dict, "repos": list, "allowed_tools": list}
    said = []
    for name, kind in kinds.items():
        text = getattr(session, name)
        if text and not text.isspace() and not _is_json_of(text, kind):
            said.append(f"{name} is no JSON {'object' if kind is dict else 'array'}")
    refused = usable_variables(session.environment_variables)[1]
    if refused:
        names = ", ".join(ascii(name[:40]) for name in refused[:5])
        said.append(f"environment_variables has {len(refused)} that no process can be given: {names}")
    return said


def _is_json_of(text: str, kind: type) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return value is None or isinstance(value, kind)


def _parsed(text: str | None, kind: type) -> Any:
    """JSON of the kind, or an empty one: clients may store any text."""
    value = parsed(text)
    return value if isinstance(value, kind) else kind()


def _strings(text: str | None) -> list[str] | None:
    """A JSON list of names; None when none was given, which means every tool."""
    if not text:
        return None
    return [entry for entry in _parsed(text, list) if isinstance(entry, str)]
