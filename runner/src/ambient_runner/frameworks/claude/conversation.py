"""The agent's program while it runs: its messages, its questions, and the ways to start and to stop it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from claude_agent_sdk import (
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ClaudeSDKError,
    McpServerStatus,
    PermissionResult,
    PermissionResultAllow,
    PermissionResultDeny,
    ToolPermissionContext,
)

from ambient_runner.framework import RunFailed
from ambient_runner.frameworks.claude.frames import Frame, frame
from ambient_runner.frameworks.claude.journal import Asked, Decision
from ambient_runner.frameworks.claude.outcome import Meter

QUEUED_FRAMES = 100
STDERR_LINES = 20
ABORT_SECONDS = 15.0
CLOSE_SECONDS = 10.0
ALIVE_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass
class Pending:
    """A call whose permission the program waits for."""

    call: str
    tool: str
    input: dict[str, Any]
    agent: str | None
    answer: asyncio.Future[Decision]


@dataclass(frozen=True)
class Grant:
    """A decision that was made before this program was started. Used once."""

    item: Asked
    decision: Decision


def permission(tool_input: dict[str, Any], decided: Decision) -> PermissionResult:
    """A decision as the SDK takes it."""
    if not decided.allow:
        return PermissionResultDeny(message=decided.reason)
    if decided.answers is None:
        return PermissionResultAllow()
    return PermissionResultAllow(updated_input={**tool_input, "answers": decided.answers})


@dataclass
class Conversation:
    """One program. It outlives runs; when it has ended, the next run starts another from the store."""

    options: Callable[["Conversation"], ClaudeAgentOptions]
    grants: list[Grant] = field(default_factory=list)
    pending: dict[str, Pending] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)
    ended: bool = False
    busy: bool = False
    """A turn was asked for and its result was not read yet."""

    def __post_init__(self) -> None:
        self._frames: asyncio.Queue[Frame] = asyncio.Queue(QUEUED_FRAMES)
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._client: ClaudeSDKClient | None = None
        self._reader: asyncio.Task[None] | None = None
        self._gone = False

    async def start(self) -> None:
        """Start the program. Raises RunFailed."""
        self._client = ClaudeSDKClient(self.options(self))
        try:
            await self._client.connect()
        except (ClaudeSDKError, RuntimeError, OSError) as exc:
            self.ended = True
            raise self._failed("AgentNotStarted", exc) from exc
        self._reader = asyncio.create_task(self._read(self._client), name="agent messages")

    def hear_stderr(self, line: str) -> None:
        """Keep the program's last words."""
        self._stderr.append(line.rstrip())

    async def say(self, text: str) -> None:
        """Send a person's message. Raises RunFailed."""
        if self._client is None:
            raise RunFailed("AgentEnded", "The agent's process is not running.")
        while not self.busy and not self._frames.empty():
            self._frames.get_nowait()  # of a turn that is over
        self.busy = True
        try:
            await self._client.query(text)
        except (ClaudeSDKError, OSError) as exc:
            raise self._failed("AgentEnded", exc) from exc

    async def next(self) -> Frame:
        """The next frame. Raises RunFailed when the program has ended."""
        found = await self._frames.get()
        if found["kind"] == "result":
            self.busy = False
        if found["kind"] == "ended":
            self.ended = True
            raise self._failed("AgentEnded", found["error"])
        return found

    async def ask(self, tool: str, tool_input: dict[str, Any], context: ToolPermissionContext) -> Any:
        """`can_use_tool`: an earlier decision, else wait for one."""
        call = context.tool_use_id or ""
        decided = self._granted(call, tool, tool_input)
        if decided is not None:
            return permission(tool_input, decided)
        answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self.pending[call] = Pending(call, tool, tool_input, context.agent_id, answer)
        try:
            await self._frames.put({"kind": "asked"})
            return permission(tool_input, await answer)
        finally:
            self.pending.pop(call, None)

    def _granted(self, call: str, tool: str, tool_input: dict[str, Any]) -> Decision | None:
        """The decision on exactly this call, else on exactly this tool and input; it is used up."""
        fitting = [grant for grant in self.grants if grant.item.call == call] or [
            grant for grant in self.grants if (grant.item.tool, grant.item.input) == (tool, tool_input)
        ]
        if not fitting:
            return None
        self.grants.remove(fitting[0])
        return fitting[0].decision

    async def alive(self) -> bool:
        """Whether the program answers: one that was just killed is known as dead only a moment later."""
        return await self.mcp_status() is not None

    async def mcp_status(self) -> list[McpServerStatus] | None:
        """Its MCP servers; None when the program does not answer."""
        if self._client is None or self.ended or self._gone:
            return None
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                return (await self._client.get_mcp_status())["mcpServers"]
        except Exception:  # noqa: BLE001 - the SDK passes on whatever it met
            return None

    async def waits_for(self, calls: set[str]) -> bool:
        """Whether the program is alive and waits for all of these."""
        return calls <= self.pending.keys() and await self.alive() and calls <= self.pending.keys()

    def answer(self, decisions: dict[str, Decision]) -> None:
        """Let the program go on with decisions by call."""
        for call, decided in decisions.items():
            self.pending[call].answer.set_result(decided)

    async def abort(self) -> None:
        """End the present turn; a program that does not end it is ended itself."""
        if self._client is None or self.ended or not self.busy:
            return
        try:
            async with asyncio.timeout(ABORT_SECONDS):
                asking = asyncio.create_task(self._client.interrupt())
                try:
                    while self.busy:
                        await self.next()
                    await asking
                finally:
                    asking.cancel()
        except (TimeoutError, RunFailed, ClaudeSDKError):
            log.warning("the agent's process did not end its turn and is ended")
            await self.close()

    async def close(self) -> None:
        """End the program."""
        self.ended = True
        if self._reader is not None:
            self._reader.cancel()
        if self._client is not None:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._client.disconnect()
            except (ClaudeSDKError, OSError, TimeoutError) as exc:
                log.warning("the agent's process did not end well: %s", type(exc).__name__)

    async def _read(self, client: ClaudeSDKClient) -> None:
        error: BaseException | None = None
        try:
            async for message in client.receive_messages():
                found = frame(message)
                if found is not None:
                    await self._frames.put(found)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the run that waits for frames must hear of it
            error = exc
        self._gone = True
        await self._frames.put({"kind": "ended", "error": error})

    def _failed(self, code: str, error: BaseException | None) -> RunFailed:
        words = [str(error).split("\n")[0] if error else "it ended by itself", *self._stderr]
        return RunFailed(code, f"The agent's process failed: {' '.join(words)}"[:2000])
