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
    """Defaults of a new session; what is missing here is the platform's.

    `repos` are the project's, for sessions that name no repository.
    """
    settings = ProjectSettings.objects.filter(project=project, deleted_at=None).first()
    values = _set_values(settings, CASCADED) if settings else {}
    repos = _project_repos(settings.repositories) if settings else None
    return values | (_set_values(agent, CASCADED) if agent else {}) | ({"repos": repos} if repos else {})


def _project_repos(text: str | None) -> str | None:
    """`repositories` of project settings as `repos` of a session; entries without a URL are left out."""
    wanted = []
    for entry in repos_of(text):
        url, branch = entry.get("url"), entry.get("branch")
        if isinstance(url, str) and repo_name(url):
            branch = branch if isinstance(branch, str) and branch else DEFAULT_BRANCH
            wanted.append({"url": url, "branch": branch, "name": repo_name(url)})
    return json.dumps(wanted) if wanted else None


def spec_from_agent(agent: Agent) -> dict[str, Any]:
    """The agent's own settings, copied into the session that it is started as."""
    return _set_values(agent, FROM_AGENT)
