"""The demo agent: what it does with each prompt."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ag_ui.core import (
    AgentCapabilities,
    ExecutionCapabilities,
    HumanInTheLoopCapabilities,
    IdentityCapabilities,
    ReasoningCapabilities,
    RunAgentInput,
    RunFinishedEvent,
    StateCapabilities,
    ToolsCapabilities,
    TransportCapabilities,
)

from ambient_runner import __version__
from ambient_runner.config import setting
from ambient_runner.framework import McpServer, RunFailed, SessionContext, configured_servers
from ambient_runner.frameworks.demo import probes
from ambient_runner.frameworks.demo.memory import Memory
from ambient_runner.frameworks.demo.questions import Questions
from ambient_runner.frameworks.demo.tools import Toolbox
from ambient_runner.frameworks.demo.turn import Events, Turn
from ambient_runner.frameworks.demo.work import ReportWork
from ambient_runner.inputs import newest_prompt
from ambient_runner.reports import Report
from ambient_runner.repos import Identity, prepare_repos, repo_name

IDENTITY = Identity("Ambient Demo Agent", "demo-agent@ambient.invalid")
DEFAULT_QUESTION = "What should I call this piece of work?"
DEFAULT_COMMAND = "git status --short --branch && git log --oneline -1"


@dataclass(frozen=True)
class Command:
    """A documented first word of a prompt."""

    usage: str
    what: str
    events: Callable[["Conversation", str], Events]


class Conversation:
    """One run: its turn, its session and its questions."""

    def __init__(self, ctx: SessionContext, turn: Turn, questions: Questions) -> None:
        self.ctx = ctx
        self.turn = turn
        self.questions = questions

    def report(self, asked: str) -> Events:
        """The default work."""
        return ReportWork(self.turn, asked, self.ctx.session_id).events()

    def help(self, text: str) -> Events:
        """The table of commands."""
        lines = [f"- `{command.usage}` - {command.what}" for command in COMMANDS.values()]
        return self.turn.say("Any text makes a report about the repository. Commands:\n\n" + "\n".join(lines))

    def ask(self, text: str) -> Events:
        """One free-text question."""
        return self.questions.ask([text or DEFAULT_QUESTION])

    def approve(self, text: str) -> Events:
        """One command that needs an approval."""
        return self.questions.ask([], text or DEFAULT_COMMAND)

    def several(self, text: str) -> Events:
        """Two questions and an approval."""
        return self.questions.ask([DEFAULT_QUESTION, "Who should read it?"], text or DEFAULT_COMMAND)


def _probe(function: Callable[[Turn, str], Events]) -> Callable[[Conversation, str], Events]:
    return lambda conversation, text: function(conversation.turn, text)


COMMANDS: dict[str, Command] = {
    "/help": Command("/help", "shows this table", Conversation.help),
    "/report": Command(
        "/report [text]", "the default work: a report, committed on a branch", Conversation.report
    ),
    "/echo": Command("/echo text", "says the text", _probe(probes.echo)),
    "/ask": Command("/ask [question]", "asks one free-text question", Conversation.ask),
    "/approve": Command("/approve [command]", "asks before it runs a shell command", Conversation.approve),
    "/several": Command(
        "/several [command]", "asks two questions and for an approval at once", Conversation.several
    ),
    "/long": Command("/long [seconds=10]", "an event every 200 ms", _probe(probes.long)),
    "/silent": Command("/silent [seconds=20]", "nothing but heartbeats, then a text", _probe(probes.silent)),
    "/flood": Command("/flood [n=10000]", "n text deltas as fast as they are taken", _probe(probes.flood)),
    "/hostile": Command("/hostile", "texts that break careless readers", _probe(probes.hostile)),
    "/fail": Command("/fail [text]", "ends as an error", _probe(probes.fail)),
    "/crash": Command("/crash [code=1]", "ends the runner process with that exit code", _probe(probes.crash)),
    "/exit-signal": Command(
        "/exit-signal [KILL]", "ends the runner process by a signal", _probe(probes.exit_signal)
    ),
}


class DemoFramework:
    """The framework `demo`."""

    name = "demo"

    async def prepare(self, ctx: SessionContext) -> None:
        """Make the folders, clone what the session works on, and say what is there."""
        for folder in ("repos", "artifacts"):
            (ctx.workspace / folder).mkdir(parents=True, exist_ok=True)
        repos = await prepare_repos(ctx.workspace / "repos", ctx.spec.repos, IDENTITY, ctx.redactor)
        ctx.report(Report(reconciled_repos=repos))

    async def run(self, ctx: SessionContext, run_input: RunAgentInput) -> Events:
        """Answer the newest message, or go on after the answers in `resume`."""
        memory = Memory.load(ctx.workspace)
        tools = Toolbox(_main_repo(ctx), ctx.spec.environment_variables)
        turn = Turn(run_input, memory, tools, _number(ctx, "AMBIENT_DEMO_PACE", 1.0))
        questions = Questions(turn, _number(ctx, "AMBIENT_DEMO_EXPIRES_HOURS", 24.0))
        async for event in self._events(Conversation(ctx, turn, questions), run_input):
            yield event
            if isinstance(event, RunFinishedEvent):
                return
        turn.remember()
        memory.save()

    @staticmethod
    def _events(conversation: Conversation, run_input: RunAgentInput) -> Events:
        if run_input.resume:
            return conversation.questions.resume(run_input.resume)
        conversation.turn.memory.drop_open()
        prompt = newest_prompt(run_input)
        word, *rest = prompt.split(maxsplit=1)
        command = COMMANDS.get(word)
        return command.events(conversation, "".join(rest)) if command else conversation.report(prompt)

    def capabilities(self) -> AgentCapabilities:
        """What this agent can do."""
        return AgentCapabilities(
            identity=IdentityCapabilities(name="Ambient Demo Agent", type="demo", version=__version__),
            transport=TransportCapabilities(streaming=True, resumable=True),
            tools=ToolsCapabilities(supported=True, client_provided=False),
            state=StateCapabilities(snapshots=True, deltas=True, persistent_state=True),
            reasoning=ReasoningCapabilities(supported=True, streaming=True),
            execution=ExecutionCapabilities(code_execution=True, sandboxed=False),
            human_in_the_loop=HumanInTheLoopCapabilities(supported=True, approvals=True, interrupts=True),
        )

    async def mcp_servers(self, ctx: SessionContext) -> list[McpServer]:
        """This agent uses none."""
        return configured_servers(ctx, "disabled")


def _main_repo(ctx: SessionContext) -> Path:
    name = repo_name(ctx.spec.repos[0]) if ctx.spec.repos else "workspace"
    return ctx.workspace / "repos" / name


def _number(ctx: SessionContext, name: str, default: float) -> float:
    try:
        number = float(setting(ctx.spec, name, str(default)))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1e6:
        raise RunFailed("ConfigInvalid", f"{name} must be a number from 0.")
    return number
