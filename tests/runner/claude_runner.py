"""Runners with the framework claude: the real program of the SDK, against the fake of the model's API."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ag_ui_validate.pytest_plugin import assert_valid_agui
from entries_platform import EntriesPlatform
from runner_process import RunnerUnderTest

from tests.fakes.anthropic_api import FakeApi

PYTHON = Path(__file__).parents[2] / ".venv-claude" / "bin" / "python"
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


@dataclass
class ClaudeSession:
    """One session: its runners come and go, the platform's store stays."""

    launch: Any
    api: FakeApi
    platform: EntriesPlatform | None
    folder: Path
    spec: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=lambda: {"AMBIENT_CLAUDE_PERMISSION_MODE": "default"})
    runner: RunnerUnderTest | None = None
    runs: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    streams: list[list[dict[str, Any]]] = field(default_factory=list)

    def start(self) -> RunnerUnderTest:
        """A runner; what the last one knew is what the store tells it."""
        urls = {}
        if self.platform is not None:
            urls = {"token_url": f"{self.platform.url}/token", "api_url": self.platform.url}
        self.runner = self.launch(
            fresh=True,
            python=str(PYTHON),
            framework="claude",
            environment={
                "ANTHROPIC_API_KEY": KEY,
                "ANTHROPIC_BASE_URL": self.api.url,
                "HOME": str(self.folder),
                "CLAUDE_CODE_MAX_RETRIES": "1",
            },
            spec={"llm_model": MODEL, **self.spec},
            variables=self.variables,
            **urls,
        )
        return self.runner

    @property
    def workspace(self) -> Path:
        assert self.runner is not None
        return self.runner.workspace

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
        """Kill the runner and all that it started; on another machine its own files are gone too."""
        assert self.runner is not None
        self.runner.kill()
        if other_machine:
            shutil.rmtree(self.workspace / ".ambient")
        self.start()
