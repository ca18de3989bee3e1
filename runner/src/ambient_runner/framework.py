"""What an agent framework has to offer, and the list of those that exist."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NotRequired, Protocol, TypedDict

from ag_ui.core import AgentCapabilities, BaseEvent, RunAgentInput

from ambient_runner.config import ConfigError, Spec
from ambient_runner.entries import EntryStore
from ambient_runner.redaction import Redactor
from ambient_runner.reports import Report


class RunFailed(Exception):
    """Ends a run as RUN_ERROR with this code; the message is shown to people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class PrepareFailed(RunFailed):
    """The workspace cannot be prepared; the code is also the reason of the condition WorkspaceReady."""


def ignore_report(report: Report) -> None:
    """For a runner without a platform."""


@dataclass(frozen=True)
class SessionContext:
    """What a framework may know of its session: no secrets of the runner."""

    session_id: str
    workspace: Path
    spec: Spec
    redactor: Redactor
    entries: EntryStore
    resume: bool = False
    sdk_session_id: str | None = None
    report: Callable[[Report], None] = ignore_report
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("ambient_runner.framework"))


class McpServer(TypedDict):
    """One MCP server. `status`: connected, failed, needs-auth, pending (not asked yet) or disabled."""

    name: str
    displayName: str
    status: str
    version: NotRequired[str]
    tools: list[dict[str, Any]]


def configured_servers(ctx: SessionContext, status: str) -> list[McpServer]:
    """The servers of the session's spec, all in the same state."""
    names = sorted(name for name, server in (ctx.spec.mcp_servers or {}).items() if isinstance(server, dict))
    return [McpServer(name=name, displayName=name, status=status, tools=[]) for name in names]


class Framework(Protocol):
    """One kind of agent. A run is cancelled by cancelling the task that reads `run`."""

    name: str

    async def prepare(self, ctx: SessionContext) -> None:
        """Make the workspace ready. Must be safe to repeat; raises PrepareFailed."""

    def run(self, ctx: SessionContext, run_input: RunAgentInput) -> AsyncIterator[BaseEvent]:
        """The events of one run; without a terminal event it ends as a success. May raise RunFailed."""

    def capabilities(self) -> AgentCapabilities:
        """What clients may expect of this agent."""

    async def mcp_servers(self, ctx: SessionContext) -> list[McpServer]:
        """The session's MCP servers as this agent sees them now, by name."""


def _demo() -> Framework:
    from ambient_runner.frameworks.demo import DemoFramework

    return DemoFramework()


def _claude() -> Framework:
    try:
        from ambient_runner.frameworks.claude.agent import ClaudeFramework
    except ModuleNotFoundError as exc:
        if exc.name != "claude_agent_sdk":
            raise
        raise ConfigError(
            "framework: 'claude' needs an extra that is not installed: pip install 'ambient-runner[claude]'"
        ) from exc
    return ClaudeFramework()


# A factory imports its package only when it is asked for: extras may be absent.
FRAMEWORKS: dict[str, Callable[[], Framework]] = {"claude": _claude, "demo": _demo}


def load_framework(name: str) -> Framework:
    """The framework of that name; an unknown one is a start error."""
    factory = FRAMEWORKS.get(name)
    if factory is None:
        raise ConfigError(f"framework: {name!r} is unknown, this runner has {', '.join(sorted(FRAMEWORKS))}")
    return factory()
