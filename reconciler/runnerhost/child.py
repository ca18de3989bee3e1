"""One runner process: its start, its end, its last words."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ambient import env
from ambient.common import marks, processes
from ambient.common.logging import HIDDEN, SECRET_KEYS, SECRET_VALUES
from reconciler.runnerhost.last_words import last_words
from reconciler.runnerhost.paths import HostPaths
from sessions_app.runner_identity import agui_token

RUNNER_SOURCES = [env.BASE_DIR / "runner" / "src", env.BASE_DIR / "sdk" / "python" / "src"]  # of a checkout
TAIL_BYTES = 256 * 1024
LOGS_KEPT = 5
SHORTEST_SECRET = 6
LONG_VALUE = 16


class CannotStart(Exception):
    """The runner cannot be started here at all; the message says what to do."""


@dataclass
class Child:
    """One attempt of one session's runner, from its start until it is deleted."""

    session: str
    project: str
    generation: int
    attempt: int
    secret: str = field(repr=False)
    mark: str
    port: int
    log_path: Path
    hidden: frozenset[str] = field(repr=False)
    process: subprocess.Popen[bytes]
    instance: str | None = None
    ready: bool = False
    answered_at: float | None = None
    message: str = ""
    code: int | None = None
    signal_name: str | None = None
    ended: bool = False
    deleted: bool = False
    purge: bool = False
    end: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def describe(self) -> dict[str, Any]:
        """What the host tells of it."""
        return {
            "exists": True,
            "generation": self.generation,
            "attempt": self.attempt,
            "instance": self.instance,
            "ready": self.ready and not self.ended,
            "endpoint": self.endpoint,
            "exit": {"code": self.code, "signal": self.signal_name} if self.ended else None,
            "message": self.message,
            "node": None,
        }

    def send(self, number: signal.Signals) -> None:
        """Signal the runner itself; it was not reaped, so the number is its own."""
        if not self.ended and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def kill_group(self) -> None:
        """SIGKILL to its process group, unless it was reaped."""
        if self.process.returncode is None:
            processes.kill_group(self.process.pid)

    def reap(self) -> None:
        """Take the exit status of the ended process."""
        status = self.process.wait()
        if status >= 0:
            self.code = status
        else:
            self.signal_name = processes.signal_name(-status)

    def last_words(self) -> str:
        """What it said last, without secrets."""
        return last_words(tail(self.log_path), self.redact)

    def redact(self, text: str) -> str:
        """The text without this runner's secrets, and without what looks like one."""
        for secret in sorted(self.hidden, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return redact(text)


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    return SECRET_VALUES.sub(HIDDEN, text).replace("\0", "")


def tail(path: Path) -> bytes:
    """The last whole lines of a file that may be large or missing; half a line could hold half a secret."""
    try:
        with path.open("rb") as file:
            start = max(os.fstat(file.fileno()).st_size - TAIL_BYTES, 0)
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return b""
    return data.partition(b"\n")[2] if start else data


def start_child(
    paths: HostPaths, mark: str, project: str, attempt: int, document: Mapping[str, Any]
) -> Child:
    """Start one runner; it dies with this process."""
    session = str(document["session_id"])
    secret = str(document["runner_secret"])
    framework = str(document.get("framework", ""))
    python = runner_python(framework)
    folder = paths.session(session)
    workspace, home = folder / "workspace", folder / "home"
    for path in (workspace, home):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    own_mark = f"{mark}/{session}/{attempt}"
    log_path = folder / f"runner-{attempt}.log"
    _forget_old_logs(folder, attempt)
    config = _write_config(folder / f"launch-{attempt}.json", {**document, "workspace": str(workspace)})
    variables = env.runner_environment() | env.framework_environment(framework)
    variables |= {"HOME": str(home), "PYTHONUNBUFFERED": "1", marks.VARIABLE: own_mark}
    if isinstance(document.get("traceparent"), str):
        variables["TRACEPARENT"] = str(document["traceparent"])
    if not _is_installed(python):
        variables["PYTHONPATH"] = os.pathsep.join(map(str, RUNNER_SOURCES))
    with socket.create_server(("127.0.0.1", 0)) as listener, log_path.open("ab") as log:
        number = listener.fileno()
        runner = [str(python), "-m", "ambient_runner", "--config", str(config), "--fd", str(number)]
        process = processes.spawn(runner, cwd=workspace, env=variables, output=log, pass_fds=[number])
        port = listener.getsockname()[1]
    return Child(
        session=session,
        project=project,
        generation=int(document["generation"]),
        attempt=attempt,
        secret=secret,
        mark=own_mark,
        port=port,
        log_path=log_path,
        hidden=_secrets(document, secret),
        process=process,
    )


def runner_python(framework: str = "") -> Path:
    """The interpreter of the runner's own environment, or ours where that has what the runner needs."""
    if framework == "claude" and env.CLAUDE_PYTHON.exists():
        return env.CLAUDE_PYTHON
    if env.RUNNER_PYTHON.exists():
        return env.RUNNER_PYTHON
    from importlib.util import find_spec

    if find_spec("fastapi") and find_spec("ag_ui"):
        return Path(sys.executable)
    raise CannotStart(
        f"The runner's Python is not installed ({env.RUNNER_PYTHON}); "
        "run `make setup` or set AMBIENT_RUNNER_PYTHON."
    )


def _is_installed(python: Path) -> bool:
    """Whether that environment has the runner as a package."""
    return any(python.parent.parent.glob("lib/python3*/site-packages/*ambient_runner*"))


def _write_config(path: Path, document: Mapping[str, Any]) -> Path:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(document, file)
    return path


def _forget_old_logs(folder: Path, attempt: int) -> None:
    for path in folder.glob("runner-*.log"):
        number = path.stem.removeprefix("runner-")
        if number.isdigit() and int(number) <= attempt - LOGS_KEPT:
            path.unlink(missing_ok=True)


def _secrets(document: Mapping[str, Any], secret: str) -> frozenset[str]:
    """What must not be seen in this runner's last words: long values, and short ones with a telling name."""
    found = {secret, str(document.get("launch_token", "")), agui_token(secret), env.ANTHROPIC_API_KEY}
    for name, value in document.get("spec", {}).get("environment_variables", {}).items():
        if len(str(value)) >= LONG_VALUE or SECRET_KEYS.search(name):
            found.add(str(value))
    return frozenset(text for text in found if len(text) >= SHORTEST_SECRET)


def remove_tree(path: Path) -> None:
    """Remove a folder out of the way first, so that it is gone at once, then for good."""
    gone = path.with_name(f".gone-{path.name}-{os.urandom(4).hex()}")
    try:
        path.rename(gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone, ignore_errors=True)
