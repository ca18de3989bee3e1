"""The demo agent's default work: look at the repository, write a report, commit it."""

import re
import shlex

from ambient_runner.framework import RunFailed
from ambient_runner.frameworks.demo.tools import REPORT, Survey
from ambient_runner.frameworks.demo.turn import Events, Turn

STEPS = ("Look at the repository", "Read its history", "Write the report", "Commit it")


def report_text(asked: str, repository: str, found: Survey, history: str) -> str:
    """The report as Markdown."""
    languages = "\n".join(
        f"| {language} | {files} | {lines} |" for language, (files, lines) in found.languages.items()
    )
    largest = "\n".join(
        f"| {name.replace('|', chr(92) + '|')} | {size} |" for name, size in found.largest(10)
    )
    quoted = "\n".join(f"> {line}" for line in asked.splitlines() or [""])
    more = " (counting stopped there)" if found.cut else ""
    return (
        f"# Report on {repository}\n\n## What was asked\n\n{quoted}\n\n"
        f"## What was found\n\n{found.files} files{more}, {found.lines} lines of text.\n\n"
        f"| Language | Files | Lines |\n|---|---:|---:|\n{languages}\n\n"
        f"## Largest files\n\n| File | Bytes |\n|---|---:|\n{largest}\n\n"
        f"## Last commit\n\n```\n{history.replace('```', '')}\n```\n"
    )


class ReportWork:
    """One report: plan, steps, tools and text."""

    def __init__(self, turn: Turn, asked: str, session_id: str) -> None:
        self._turn = turn
        self._asked = asked
        self._branch = "ambient/" + re.sub(r"[^A-Za-z0-9_-]+", "-", session_id)
        self._repository = turn.tools.root.name
        self._found = Survey(0, 0, [], {})
        self._history = ""
        self._commit = ""

    async def events(self) -> Events:
        """Everything, in order."""
        turn = self._turn
        yield turn.begin_plan(STEPS)
        thought = f"The repository is {self._repository}. I count first, then write down what I found."
        async for event in turn.think(thought):
            yield event
        async for event in turn.say(f"I will look through {self._repository} and write a report about it."):
            yield event
        for number, part in enumerate((self._look, self._read_history, self._write, self._save)):
            async for event in turn.step(number, part()):
                yield event
        closing = (
            f"The report is in {REPORT}: {self._found.files} files, {self._found.lines} lines. "
            f"It is commit {self._commit} on branch {self._branch}."
        )
        async for event in turn.say(closing):
            yield event

    async def _look(self) -> Events:
        turn = self._turn
        async for event in turn.use("Glob", {"pattern": "**/*"}):
            yield event
        self._found = turn.tools.last
        names = {name for name, _ in self._found.sizes}
        readme = next(
            (name for name in ("README.md", "README.rst", "README.txt", "README") if name in names), None
        )
        if readme:
            async for event in turn.use("Read", {"file_path": readme}):
                yield event

    async def _read_history(self) -> Events:
        turn = self._turn
        async for event in turn.use("Bash", {"command": "git log -1 --format='%h %an %ad%n%s' --date=short"}):
            yield event
        done = turn.tools.last
        self._history = done.output.strip() if done.ok else "No commit yet."
        async for event in turn.use("Bash", {"command": "ls | wc -l"}):
            yield event

    async def _write(self) -> Events:
        branch = shlex.quote(self._branch)
        switch = f"git switch --quiet {branch} 2>/dev/null || git switch --quiet -c {branch}"
        async for event in self._shell(switch):
            yield event
        text = report_text(self._asked, self._repository, self._found, self._history)
        async for event in self._turn.use("Write", {"file_path": REPORT, "content": text}):
            yield event

    async def _save(self) -> Events:
        add = f"git add -f -- {REPORT}"
        commit = f"git commit --quiet -m {shlex.quote(f'Report on {self._repository}')}"
        async for event in self._shell(f"{add} && {{ git diff --cached --quiet || {commit}; }}"):
            yield event
        async for event in self._shell("git rev-parse HEAD"):
            yield event
        self._commit = self._turn.tools.last.output.strip()

    async def _shell(self, command: str) -> Events:
        """A command that the work cannot do without."""
        async for event in self._turn.use("Bash", {"command": command}):
            yield event
        done = self._turn.tools.last
        if not done.ok:
            raise RunFailed(
                "ToolFailed", f"A command failed with exit code {done.code}: {done.output.strip()[:300]}"
            )
