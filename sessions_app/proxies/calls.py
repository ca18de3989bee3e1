"""What is asked of a runner: one of its routes, and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from ambient.common.exceptions import BadRequest

PATH_LIMIT = 4096
UPLOADS = "file-uploads"
"""Folder of the workspace that `/files` is about."""
KNOWN = re.compile(
    r"/capabilities|/mcp/status|/repos/status|/feedback|/tasks|/tasks/[^/]+/(stop|output)"
    r"|/content/(list|file|write|delete|git-status|git-list-branches|git-configure-remote)"
)
METHODS = frozenset({"GET", "POST", "DELETE"})


@dataclass(frozen=True)
class RunnerCall:
    """One request of the runner's contract (runner/README.md)."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    def encoded(self) -> bytes:
        """As the control plane reads it."""
        call = {"method": self.method, "path": self.path, "query": self.query, "body": self.body}
        return orjson.dumps(call)

    @classmethod
    def decoded(cls, raw: bytes) -> "RunnerCall":
        """The other way round. Raises BadRequest for anything that is no call of a runner's known routes."""
        try:
            call = cls(**orjson.loads(raw))
        except (ValueError, TypeError) as exc:
            raise BadRequest("this is no call of a runner") from exc
        if call.method not in METHODS or not KNOWN.fullmatch(call.path):
            raise BadRequest("a runner has no such route")
        return call


def workspace_path(path: str) -> str:
    """A path of the workspace as it may be sent on. Raises BadRequest for one that could leave it."""
    if len(path) > PATH_LIMIT:
        raise BadRequest(f"a path may have at most {PATH_LIMIT} characters")
    if "\0" in path or path.startswith("/") or ".." in re.split(r"[/\\]", path):
        raise BadRequest("the path must stay inside the workspace")
    return path


def task_call(method: str, task_id: str, what: str) -> RunnerCall:
    """A call about one background task."""
    if task_id in (".", ".."):
        raise BadRequest("this is no task's id")
    return RunnerCall(method, f"/tasks/{quote(task_id, safe='')}/{what}")
