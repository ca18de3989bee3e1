"""What a session runs with: its own value, else its agent's, its project's, the platform's."""

import json
from typing import Any

from projects_app.models import Agent, Project, ProjectSettings
from sessions_app.repos import DEFAULT_BRANCH, repo_name, repos_of

CASCADED = ("runner_type", "inactivity_timeout", "stop_on_run_finished")
FROM_AGENT = (
    "repo_url",
    "workflow_id",
    "llm_model",
    "llm_temperature",
    "llm_max_tokens",
    "bot_account_name",
    "resource_overrides",
    "environment_variables",
    "allowed_tools",
    "mcp_servers",
    "system_prompt",
)
"""What else a started agent gives its session."""


def _set_values(source: Any, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(source, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def defaults_of(project: Project, agent: Agent | None) -> dict[str, Any]:
    """Cascaded defaults of a new session; what is missing here is the platform's."""
    settings = ProjectSettings.objects.filter(project=project, deleted_at=None).first()
    values = _set_values(settings, CASCADED) if settings else {}
    return values | (_set_values(agent, CASCADED) if agent else {})


def default_repos(project: Project) -> str | None:
    """`repos` of a session that names no repository: the project's, where its settings have any."""
    settings = ProjectSettings.objects.filter(project=project, deleted_at=None).first()
    entries = repos_of(settings.repositories) if settings else []
    wanted = [
        {
            "url": entry["url"],
            "branch": entry.get("branch") or DEFAULT_BRANCH,
            "name": repo_name(entry["url"]),
        }
        for entry in entries
        if isinstance(entry.get("url"), str) and repo_name(entry["url"])
    ]
    return json.dumps(wanted) if wanted else None


def spec_from_agent(agent: Agent) -> dict[str, Any]:
    """The agent's own settings, copied into the session that it is started as."""
    return _set_values(agent, FROM_AGENT)
