"""How the agent's program is started: model, prompt, tools, folders and environment of the session."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from claude_agent_sdk import CanUseTool, ClaudeAgentOptions, PermissionMode

from ambient_runner.config import setting
from ambient_runner.framework import RunFailed, SessionContext
from ambient_runner.frameworks.claude.store import TranscriptStore
from ambient_runner.repos import repo_name

MODES = ("default", "acceptEdits", "plan", "dontAsk")
# Their work outlives the run that began it, and nobody would read what comes of it.
WITHOUT = [
    "CronCreate",
    "CronDelete",
    "CronList",
    "EnterWorktree",
    "ExitWorktree",
    "ListAgents",
    "Monitor",
    "ScheduleWakeup",
    "SendMessage",
    "Workflow",
]
FIXED = {
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",  # a run ends when all its work has ended
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_ENABLE_TASKS": "0",  # the to-do list that comes as a whole is the plan
    "DISABLE_AUTOUPDATER": "1",
}
ABOUT = (
    "You work in a session of the Ambient platform. If the working folder has a file CLAUDE.md or AGENTS.md, "
    "read it before your first change."
)
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def working_folder(ctx: SessionContext) -> Path:
    """The main repository's folder."""
    name = repo_name(ctx.spec.repos[0]) if ctx.spec.repos else "workspace"
    return ctx.workspace / "repos" / name


def permission_mode(ctx: SessionContext) -> PermissionMode:
    """What runs without a question besides the session's `allowed_tools`."""
    mode = setting(ctx.spec, "AMBIENT_CLAUDE_PERMISSION_MODE", "acceptEdits")
    if mode not in MODES:
        raise RunFailed("ConfigInvalid", f"AMBIENT_CLAUDE_PERMISSION_MODE must be one of {', '.join(MODES)}.")
    return cast(PermissionMode, mode)


def expanded(value: Any, variables: Mapping[str, str]) -> Any:
    """`${NAME}` and `${NAME:-default}` in the texts of a structure, from the session's own variables."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: variables.get(found[1], found[2] or ""), value)
    if isinstance(value, dict):
        return {key: expanded(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [expanded(item, variables) for item in value]
    return value


def mcp_servers(ctx: SessionContext) -> dict[str, Any]:
    """The session's MCP servers that are objects."""
    found = {name: item for name, item in (ctx.spec.mcp_servers or {}).items() if isinstance(item, dict)}
    return cast(dict[str, Any], expanded(found, ctx.spec.environment_variables))


def mcp_file(home: Path) -> Path:
    """Where the program finds its MCP servers while it starts."""
    return home / "tmp" / "mcp.json"


def _mcp_config(ctx: SessionContext, home: Path) -> Path | None:
    """The servers in a file: they may hold secrets, and the SDK would make an argument of them, which every
    process sees. Whoever starts the program removes it, so that it is not saved with the workspace."""
    servers = mcp_servers(ctx)
    if not servers:
        return None
    file = mcp_file(home)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps({"mcpServers": servers}))
    return file


def own_folders(home: Path) -> dict[str, str]:
    """Where the program keeps its files: beside the workspace's repositories, gone with the session."""
    return {"CLAUDE_CONFIG_DIR": str(home / "config"), "CLAUDE_CODE_TMPDIR": str(home / "tmp")}


def make_options(
    ctx: SessionContext,
    *,
    home: Path,
    can_use_tool: CanUseTool,
    store: TranscriptStore,
    resume: str | None,
    stderr: Callable[[str], None],
) -> ClaudeAgentOptions:
    """The SDK's options for this session."""
    folder = working_folder(ctx)
    others = [
        path for path in sorted((ctx.workspace / "repos").iterdir()) if path.is_dir() and path != folder
    ]
    append = "\n\n".join(part for part in (ABOUT, ctx.spec.system_prompt) if part)
    return ClaudeAgentOptions(
        cwd=folder,
        add_dirs=[*others, ctx.workspace / "artifacts"],
        model=ctx.spec.llm_model,
        system_prompt={"type": "preset", "preset": "claude_code", "append": append},
        allowed_tools=list(ctx.spec.allowed_tools or []),
        disallowed_tools=WITHOUT,
        mcp_servers=_mcp_config(ctx, home) or {},
        strict_mcp_config=True,
        permission_mode=permission_mode(ctx),
        setting_sources=[],  # a repository must not give itself permissions or hooks
        env=FIXED | ctx.spec.environment_variables | own_folders(home),
        include_partial_messages=True,
        forward_subagent_text=True,
        can_use_tool=can_use_tool,
        session_store=cast(Any, store),
        session_store_flush="eager",
        resume=resume,
        stderr=stderr,
        max_buffer_size=64 * 1024 * 1024,
    )
