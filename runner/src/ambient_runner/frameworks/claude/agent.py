"""The framework `claude`: runs of a conversation that survives its program, this process and this machine."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from ag_ui.core import (
    AgentCapabilities,
    BaseEvent,
    ExecutionCapabilities,
    HumanInTheLoopCapabilities,
    IdentityCapabilities,
    ReasoningCapabilities,
    RunAgentInput,
    StateCapabilities,
    ToolsCapabilities,
    TransportCapabilities,
)
from claude_agent_sdk import McpServerStatus
from claude_agent_sdk import __version__ as sdk_version

from ambient_runner.framework import McpServer, SessionContext, configured_servers
from ambient_runner.frameworks.claude.desk import Desk, agent_home
from ambient_runner.frameworks.claude.run import ClaudeRun
from ambient_runner.reports import Report
from ambient_runner.repos import Identity, prepare_repos

IDENTITY = Identity("Ambient Claude Agent", "claude-agent@ambient.invalid")


class ClaudeFramework:
    """The framework `claude`."""

    name = "claude"

    def __init__(self) -> None:
        self._desk: Desk | None = None

    async def prepare(self, ctx: SessionContext) -> None:
        """Make the folders, clone what the session works on, and say what is there."""
        home = agent_home(ctx.workspace)
        if self._desk is None:
            shutil.rmtree(home / "tmp", ignore_errors=True)
        for folder in (home / "config", home / "tmp"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The SDK lays transcripts down here when it resumes; a killed process leaves them.
        tempfile.tempdir = str(home / "tmp")
        for name in ("repos", "artifacts"):
            (ctx.workspace / name).mkdir(parents=True, exist_ok=True)
        repos = await prepare_repos(ctx.workspace / "repos", ctx.spec.repos, IDENTITY, ctx.redactor)
        ctx.report(Report(reconciled_repos=repos))

    async def run(self, ctx: SessionContext, run_input: RunAgentInput) -> AsyncIterator[BaseEvent]:
        """Answer the newest message, or go on after the answers in `resume`."""
        if self._desk is None:
            self._desk = await Desk.open(ctx)
        async with aclosing(cast(Any, ClaudeRun(self._desk, run_input).events())) as events:
            async for event in events:
                yield event

    def capabilities(self) -> AgentCapabilities:
        """What this agent can do."""
        return AgentCapabilities(
            identity=IdentityCapabilities(name="Claude", type="claude-agent-sdk", version=sdk_version),
            transport=TransportCapabilities(streaming=True, resumable=True),
            tools=ToolsCapabilities(supported=True, client_provided=False),
            state=StateCapabilities(snapshots=True, deltas=True, persistent_state=True),
            reasoning=ReasoningCapabilities(supported=True, streaming=True, encrypted=False),
            execution=ExecutionCapabilities(code_execution=True, sandboxed=False),
            human_in_the_loop=HumanInTheLoopCapabilities(
                supported=True, approvals=True, interventions=False, interrupts=True
            ),
        )

    async def mcp_servers(self, ctx: SessionContext) -> list[McpServer]:
        """As the agent's program says, while it runs; before and after it nobody has asked them."""
        told = await self._desk.talk.mcp_status() if self._desk and self._desk.talk else None
        if told is None:
            return configured_servers(ctx, "pending")
        return sorted(map(_mcp_server, told), key=lambda server: server["name"])


def _mcp_server(told: McpServerStatus) -> McpServer:
    server = McpServer(
        name=told["name"],
        displayName=told["name"],
        status=told["status"],
        tools=[
            {"name": tool["name"], "annotations": tool.get("annotations", {})}
            for tool in told.get("tools", [])
        ],
    )
    version = told.get("serverInfo", {}).get("version")
    return server if version is None else {**server, "version": version}
