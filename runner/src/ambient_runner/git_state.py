"""What git knows of a folder of the workspace: changes, branches, and the remote that it pushes to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ambient_runner.config import Repo
from ambient_runner.processes import Finished, run_program
from ambient_runner.redaction import strip_credentials
from ambient_runner.repos import RepositoryRefused, check_repo, git_environment

SHOWN_FILES = 1000
OUTPUT_BYTES = 4 * 1024 * 1024
FETCH_SECONDS = 15.0


@dataclass
class Changes:
    """Paths by how they differ from the last commit; a path may be staged and modified again."""

    branch: str = ""
    modified: list[str] = field(default_factory=list)
    staged: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    paths: set[str] = field(default_factory=set)

    def note(self, index: str, tree: str, path: str) -> None:
        """One changed path with its two letters of `git status`."""
        self.paths.add(path)
        self.added += "A" in (index, tree)
        self.removed += "D" in (index, tree)
        if index != ".":
            self.staged.append(path)
        if tree != ".":
            self.modified.append(path)


def parse_status(output: str) -> Changes:
    """`git status --porcelain=v2 --branch -z` (git-status(1), "Porcelain Format Version 2")."""
    found = Changes()
    records = iter(output.split("\0"))
    for record in records:
        match record[:2]:
            case "# ":
                name, _, value = record[2:].partition(" ")
                if name == "branch.head" and value != "(detached)":
                    found.branch = value
            case "1 " | "u ":
                parts = record.split(" ", 8 if record[0] == "1" else 10)
                found.note(record[2], record[3], parts[-1])
            case "2 ":
                found.note(record[2], record[3], record.split(" ", 9)[-1])
                next(records, None)  # where it was renamed from
            case "? ":
                found.untracked.append(record[2:])
                found.paths.add(record[2:])
                found.added += 1
    return found


def parse_numstat(output: str) -> tuple[int, int]:
    """(lines added, lines removed) of `git diff --numstat`; binary files have `-` and count as none."""
    added = removed = 0
    for line in output.splitlines():
        plus, _, rest = line.partition("\t")
        minus, tab, _ = rest.partition("\t")
        if tab and plus.isdecimal() and minus.isdecimal():
            added, removed = added + int(plus), removed + int(minus)
    return added, removed


@dataclass(frozen=True)
class GitFolder:
    """One folder. git looks for its repository here and in no folder above the workspace."""

    folder: Path
    workspace: Path

    async def _git(self, *arguments: str, timeout: float = 10.0) -> Finished:
        env = git_environment({"GIT_CEILING_DIRECTORIES": str(self.workspace.resolve())})
        return await run_program(
            ["git", *arguments],
            cwd=self.folder,
            env=env | {"GIT_OPTIONAL_LOCKS": "0"},
            timeout=timeout,
            limit=OUTPUT_BYTES,
        )

    async def _line(self, *arguments: str) -> str:
        done = await self._git(*arguments)
        return done.output.strip() if done.ok else ""

    async def status(self) -> dict[str, Any]:
        """Changes since the last commit. A folder without a repository has none and says so."""
        done = await self._git("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all")
        changes = parse_status(done.output) if done.ok else Changes()
        added, removed = parse_numstat(await self._line("diff", "--numstat", "HEAD"))
        url = strip_credentials(await self._line("remote", "get-url", "origin")) if done.ok else ""
        return {
            "initialized": done.ok,
            "hasChanges": bool(changes.paths),
            "branch": changes.branch,
            "remoteUrl": url,
            "hasRemote": bool(url),
            "modified": changes.modified[:SHOWN_FILES],
            "staged": changes.staged[:SHOWN_FILES],
            "untracked": changes.untracked[:SHOWN_FILES],
            "filesAdded": changes.added,
            "filesRemoved": changes.removed,
            "uncommittedFiles": len(changes.paths),
            "totalAdded": added,
            "totalRemoved": removed,
        }

    async def branches(self) -> list[str]:
        """Local branches, then those of remotes that have no local one."""
        local = await self._refs("refs/heads", 2)
        remote = await self._refs("refs/remotes", 3)
        return _unique([*local, *(name for name in remote if name != "HEAD")])

    async def _refs(self, below: str, skip: int) -> list[str]:
        return (await self._line("for-each-ref", f"--format=%(refname:lstrip={skip})", below)).split()

    async def describe(self) -> dict[str, Any]:
        """As `/repos/status` tells of one repository."""
        head = await self._line("symbolic-ref", "--short", "refs/remotes/origin/HEAD")
        return {
            "name": self.folder.name,
            "url": strip_credentials(await self._line("remote", "get-url", "origin")),
            "branches": await self.branches(),
            "currentActiveBranch": await self._line("branch", "--show-current"),
            "defaultBranch": head.removeprefix("origin/"),
        }

    async def configure_remote(self, url: str, branch: str) -> dict[str, Any]:
        """Make the URL the remote `origin`, in a new repository if there is none. Raises RepositoryRefused.

        What it holds is fetched when it answers within `FETCH_SECONDS`; `fetched` says whether.
        """
        check_repo(Repo(url=url, branch=branch))
        if not await self._line("rev-parse", "--git-dir"):
            await self._must("init", "--quiet", "--initial-branch", branch)
        known = await self._line("remote", "get-url", "origin")
        await self._must("remote", "set-url" if known else "add", "--", "origin", url)
        fetched = await self._git("fetch", "--quiet", "origin", timeout=FETCH_SECONDS)
        return {
            "message": "Remote configured",
            "remote": strip_credentials(url),
            "branch": branch,
            "fetched": fetched.ok,
        }

    async def _must(self, *arguments: str) -> None:
        done = await self._git(*arguments)
        if not done.ok:
            raise RepositoryRefused(f"git {arguments[0]} failed: {strip_credentials(done.output)[:300]}")


async def repositories(workspace: Path) -> list[dict[str, Any]]:
    """Every repository directly below `repos/`, by name."""
    root = workspace / "repos"
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return [await GitFolder(folder, workspace).describe() for folder in folders if (folder / ".git").exists()]


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
