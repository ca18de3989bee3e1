"""The demo agent's tools. They really do what their results say."""

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ambient_runner.processes import Finished, run_program
from ambient_runner.repos import git_environment

REPORT = "REPORT.md"
READ_LIMIT = 4000
MOST_FILES = 50_000
LARGEST_READ = 5 * 1024 * 1024
_SUFFIXES = {
    "Python": ".py",
    "Go": ".go",
    "TypeScript": ".ts .tsx",
    "JavaScript": ".js .jsx",
    "Rust": ".rs",
    "Java": ".java",
    "C": ".c .h",
    "C++": ".cpp .hpp",
    "Ruby": ".rb",
    "Shell": ".sh",
    "SQL": ".sql",
    "Markdown": ".md",
    "reStructuredText": ".rst",
    "YAML": ".yaml .yml",
    "JSON": ".json",
    "TOML": ".toml",
    "HTML": ".html",
    "CSS": ".css",
    "Text": ".txt",
}
LANGUAGES = {suffix: language for language, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


@dataclass(frozen=True)
class Survey:
    """What lies in a repository."""

    files: int
    lines: int
    sizes: list[tuple[str, int]]
    languages: dict[str, tuple[int, int]]
    cut: bool = False

    def largest(self, count: int) -> list[tuple[str, int]]:
        """The largest files, size first, then name."""
        return sorted(self.sizes, key=lambda item: (-item[1], item[0]))[:count]


def survey(root: Path) -> Survey:
    """Count files, lines and languages; `.git`, links and an earlier report are left out."""
    sizes: list[tuple[str, int]] = []
    files: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_symlink() or not path.is_file() or path == root / REPORT:
                continue
            size = path.stat().st_size
            language = LANGUAGES.get(path.suffix.lower(), "Other")
            sizes.append((path.relative_to(root).as_posix(), size))
            files[language] += 1
            lines[language] += _lines(path) if size <= LARGEST_READ else 0
            if len(sizes) >= MOST_FILES:
                return Survey(len(sizes), lines.total(), sizes, _table(files, lines), cut=True)
    return Survey(len(sizes), lines.total(), sizes, _table(files, lines))


def _table(files: Counter[str], lines: Counter[str]) -> dict[str, tuple[int, int]]:
    order = sorted(files, key=lambda language: (-files[language], language))
    return {language: (files[language], lines[language]) for language in order}


def _lines(path: Path) -> int:
    data = path.read_bytes()
    return 0 if b"\0" in data[:8192] else data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


@dataclass
class Toolbox:
    """Runs tools by name in one repository."""

    root: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    last: Any = None

    async def use(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Run a tool; the text is what the agent reads."""
        if tool == "Bash":
            return await self.bash(arguments["command"])
        if tool == "Glob":
            self.last = await asyncio.to_thread(survey, self.root)
            shown = "\n".join(name for name, _ in self.last.sizes[:100])
            return f"Files: {self.last.files}\n{shown}"
        if tool == "Read":
            return await asyncio.to_thread(self._read, arguments["file_path"])
        if tool == "Write":
            return await asyncio.to_thread(self._write, arguments["file_path"], arguments["content"])
        raise ValueError(f"no tool {tool}")

    async def bash(self, command: str) -> str:
        """A shell command in the repository."""
        if "\0" in command:
            return "the command was not run: it holds a NUL character"
        try:
            done = await run_program(
                ["/bin/sh", "-c", command],
                cwd=self.root,
                env=git_environment({**self.variables}),
                timeout=120,
            )
        except (OSError, ValueError) as exc:
            done = Finished(code=126, output=f"the command could not be started: {exc}")
        self.last = done
        ending = "stopped after 120 s" if done.timed_out else f"exit code {done.code}"
        return f"{done.output.rstrip()}\n({ending})".lstrip()

    def _inside(self, name: str) -> Path:
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise PermissionError(f"{name} is outside the repository")
        return path

    def _read(self, name: str) -> str:
        try:
            with self._inside(name).open(encoding="utf-8", errors="replace") as file:
                return file.read(READ_LIMIT)
        except OSError as exc:
            return f"could not read {name}: {exc.strerror or exc}"

    def _write(self, name: str, content: str) -> str:
        try:
            self._inside(name).write_text(content, encoding="utf-8", errors="replace")
        except OSError as exc:
            return f"could not write {name}: {exc.strerror or exc}"
        return f"wrote {len(content)} characters to {name}"
