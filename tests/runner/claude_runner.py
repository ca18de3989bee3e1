"""Runners with the framework claude: the real program of the SDK, against the fake of the model's API."""

import contextlib
import os
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ag_ui_validate.pytest_plugin import assert_valid_agui
from entries_platform import EntriesPlatform
from runner_process import RunnerUnderTest, wait_for

from tests.fakes.anthropic_api import FakeApi

KEY = "sk-test-0123456789"
MODEL = "claude-sonnet-4-6"


def answer(
    events: list[dict[str, Any]], payload: Any = None, status: str = "resolved"
) -> list[dict[str, Any]]:
    """The same answer to every interrupt of a run."""
    given = {"status": status} | ({} if payload is None else {"payload": payload})
    return [{"interruptId": item["id"], **given} for item in interrupts(events)]


def interrupts(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return events[-1]["outcome"]["interrupts"]


def said(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")


def of_type(events: list[dict[str, Any]], *types: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] in types]


def below(pid: int) -> list[int]:
    """All processes below this one."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *below(child)]
    return found


def kill_program(runner: RunnerUnderTest) -> None:
    """Kill the agent's program, and wait until the runner has reaped it."""
    [pid] = [
        pid for pid in below(runner.process.pid) if "_bundled" in Path(f"/proc/{pid}/cmdline").read_text()
    ]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not _alive(pid), "the end of the agent's program")


def end_all(runner: RunnerUnderTest) -> None:
    """Kill the runner and what it started, as the platform does."""
    pids = below(runner.process.pid)
    runner.kill()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(_alive(pid) for pid in pids), "the end of the runner's processes")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclass
class ClaudeSession:
    """One session: its runners come and go, the platform's store stays."""

    launch: Any
    forks: Any
    api: FakeApi
    platform: EntriesPlatform | None
    folder: Path
    spec: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=lambda: {"AMBIENT_CLAUDE_PERMISSION_MODE": "default"})
    key: str = KEY
    runner: RunnerUnderTest | None = None
    runs: int = 0
    machine: int = 1
    events: list[dict[str, Any]] = field(default_factory=list)
    streams: list[list[dict[str, Any]]] = field(default_factory=list)

    def start(self) -> RunnerUnderTest:
        """A runner; what the last one knew is what the store tells it."""
        urls = {}
        if self.platform is not None:
            urls = {"token_url": f"{self.platform.url}/token", "api_url": self.platform.url}
        self.runner = self.launch(
            server=self.forks,
            framework="claude",
            environment={
                "ANTHROPIC_API_KEY": self.key,
                "ANTHROPIC_BASE_URL": self.api.url,
                "HOME": str(self.folder),
                "CLAUDE_CODE_MAX_RETRIES": "1",
            },
            spec={"llm_model": MODEL, **self.spec},
            variables=self.variables,
            workspace=str(self.workspace),
            **urls,
        )
        return self.runner

    @property
    def workspace(self) -> Path:
        return self.folder / f"machine-{self.machine}"

    def file(self, name: str) -> Path:
        """A file of the working folder."""
        return self.workspace / "repos" / "workspace" / name

    def lines(self, name: str) -> list[str]:
        path = self.file(name)
        return path.read_text().splitlines() if path.exists() else []

    def run(self, text: str | None, *, resume: Any = None) -> list[dict[str, Any]]:
        """A whole run, valid by the protocol's rules."""
        if self.runner is None:
            self.start()
        self.runs += 1
        self.events = self.runner.events_of(text, f"run-{self.runs}", resume=resume)
        assert_valid_agui(self.events, max_warnings=0)
        self.streams.append(self.events)
        return self.events

    def restart(self, *, other_machine: bool = False) -> None:
        """Kill the runner and all that it started; another machine has only the repositories."""
        assert self.runner is not None
        end_all(self.runner)
        if other_machine:
            before = self.workspace
            self.machine += 1
            shutil.copytree(before / "repos", self.workspace / "repos")
            shutil.rmtree(before)
        self.start()
