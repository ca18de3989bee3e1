"""The session's repositories: checked, cloned once, found again after a restart."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ambient_runner.config import Repo
from ambient_runner.framework import PrepareFailed
from ambient_runner.processes import Finished, run_program
from ambient_runner.redaction import Redactor, strip_credentials
from ambient_runner.reports import rfc3339

CLONE_SECONDS = 600.0
PROTOCOLS = "file:git:http:https:ssh"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\Z")
_BRANCH = re.compile(r"[^\s\x00-\x20\x7f~^:?*\[\\-][^\s\x00-\x20\x7f~^:?*\[\\]{0,199}\Z")


@dataclass(frozen=True)
class Identity:
    """Who commits."""

    name: str
    email: str


class RepositoryRefused(PrepareFailed):
    """A repository of the spec cannot be used."""

    def __init__(self, message: str) -> None:
        super().__init__("RepositoryRefused", message)


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which git asks nobody and runs no transport helper that is a command."""
    asks_nobody = {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        "LC_ALL": "C",
    }
    kept = {name: value for name, value in os.environ.items() if name not in ("GIT_ASKPASS", "SSH_ASKPASS")}
    return {**kept, **(extra or {}), **asks_nobody}


async def git(cwd: Path, *arguments: str, timeout: float = 60.0, limit: int = 64 * 1024) -> Finished:
    """One git command in a folder."""
    return await run_program(
        ["git", *arguments], cwd=cwd, env=git_environment(), timeout=timeout, limit=limit
    )


def repo_name(repo: Repo) -> str:
    """The folder's name: the one asked for, else the last part of the URL."""
    name = repo.name or re.split(r"[/:]", repo.url.rstrip("/"))[-1].removesuffix(".git")
    if not _NAME.match(name):
        raise RepositoryRefused(f"The repository name {name[:100]!r} cannot be a folder's name.")
    return name


def check_repo(repo: Repo) -> None:
    """Refuse what git could take for an option or a command."""
    if (
        not repo.url
        or repo.url.startswith("-")
        or "::" in repo.url
        or re.search(r"[\x00-\x20\x7f]", repo.url)
    ):
        raise RepositoryRefused(
            "A repository URL is empty, is an option, has blanks, or names a transport command."
        )
    if repo.branch and (not _BRANCH.match(repo.branch) or ".." in repo.branch):
        raise RepositoryRefused(f"The branch name {repo.branch[:100]!r} is not allowed.")


async def prepare_repos(
    root: Path, repos: list[Repo], identity: Identity, redactor: Redactor
) -> list[dict[str, Any]]:
    """Clone what is not there yet; returns the repositories as they are, main repository first."""
    root.mkdir(parents=True, exist_ok=True)
    for left in root.glob(".clone-*"):
        shutil.rmtree(left, ignore_errors=True)
    names = [repo_name(repo) for repo in repos]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise RepositoryRefused(f"Two repositories have the name {sorted(twice)[0]}.")
    for repo in repos:
        check_repo(repo)
    found = []
    for repo, name in zip(repos, names, strict=True):
        folder = root / name
        if not (folder / ".git").exists():
            await _clone(repo, folder, redactor)
        await _identify(folder, identity)
        found.append(await _describe(folder, name, strip_credentials(repo.url), repo.branch))
    if not repos:
        folder = root / "workspace"
        if not (folder / ".git").exists():
            await _create(folder, identity)
        found.append(await _describe(folder, "workspace", "", None))
    return found


async def _clone(repo: Repo, folder: Path, redactor: Redactor) -> None:
    if folder.exists():
        raise RepositoryRefused(f"The folder repos/{folder.name} is there already and is no repository.")
    # A clone that is cut off must not look like one that is done: it gets its name at the end.
    parts = Path(tempfile.mkdtemp(prefix=".clone-", dir=folder.parent))
    branch = ["--branch", repo.branch] if repo.branch else []
    try:
        done = await git(
            folder.parent, "clone", "--quiet", "--no-hardlinks", *branch, "--", repo.url, str(parts / "repo"),
            timeout=CLONE_SECONDS,
        )  # fmt: skip
        if not done.ok:
            raise RepositoryRefused(_clone_fault(repo, done, redactor))
        os.rename(parts / "repo", folder)
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _clone_fault(repo: Repo, done: Finished, redactor: Redactor) -> str:
    lines = [line.strip() for line in done.output.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or lines[-1:]
    why = said[0] if said else f"exit code {done.code}"
    if done.timed_out:
        why = f"no end after {CLONE_SECONDS:.0f} s"
    text = f"The repository {repo.url} could not be cloned: {why.rstrip('.')}."
    return redactor.text(strip_credentials(text))[:500]


async def _create(folder: Path, identity: Identity) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text("# Workspace\n\nA fresh repository for this session.\n")
    await must(folder, "init", "--quiet", "--initial-branch", "main")
    await _identify(folder, identity)
    await must(folder, "add", "README.md")
    await must(folder, "commit", "--quiet", "-m", "Start the workspace")


async def _identify(folder: Path, identity: Identity) -> None:
    await must(folder, "config", "user.name", identity.name)
    await must(folder, "config", "user.email", identity.email)


async def must(folder: Path, *arguments: str) -> str:
    """A git command that has to work; returns its output."""
    done = await git(folder, *arguments)
    if not done.ok:
        raise RepositoryRefused(f"git {arguments[0]} failed in {folder.name}: {done.output.strip()[:300]}")
    return done.output.strip()


async def _describe(folder: Path, name: str, url: str, branch: str | None) -> dict[str, Any]:
    current = await git(folder, "branch", "--show-current")
    head = await git(folder, "symbolic-ref", "--short", "refs/remotes/origin/HEAD")
    return {
        "name": name,
        "url": url,
        "branch": branch or "",
        "currentActiveBranch": current.output.strip() if current.ok else "",
        "defaultBranch": head.output.strip().removeprefix("origin/") if head.ok else "",
        "status": "Ready",
        "clonedAt": rfc3339(datetime.fromtimestamp((folder / ".git").stat().st_ctime, UTC)),
    }
