"""`repos` texts: JSON arrays of `{url, branch, name}`. Pure."""

from typing import Any

from ambient.common.json_text import parsed

DEFAULT_BRANCH = "main"


def repos_of(text: str | None) -> list[dict[str, Any]]:
    """The entries of a `repos` text; clients may have stored anything there, and what is no list is none."""
    entries = parsed(text)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def repo_name(url: str) -> str:
    """The folder of a repository: the last part of its URL without `.git`."""
    return url.rstrip("/").replace(":", "/").rsplit("/", 1)[-1].removesuffix(".git")
