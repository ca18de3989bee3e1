"""Waiting, and what /proc knows of processes."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ambient.common.marks import VARIABLE
from reconciler.runnerhost.paths import HostPaths

T = TypeVar("T")
V1 = "/api/ambient/v1"
GENEROUS = 3  # a wait is this many times the bound that the platform promises
START_SECONDS = 12 * GENEROUS
TAKEOVER_SECONDS = 14 * GENEROUS
READY_SECONDS = 60 * GENEROUS


def eventually(condition: Callable[[], T], what: str, seconds: float = START_SECONDS) -> T:
    """The first true value of a condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return value


def environ_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with; empty when it is gone."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def command_of(pid: int) -> str:
    """The command line of a process; empty when it is gone or was not reaped."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
    except OSError:
        return ""


def processes_of(home: Path) -> list[str]:
    """Live processes that carry the home in their environment, command line or runner's mark."""
    mark, found = HostPaths(home).mark, []
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()):
        command, variables = command_of(pid), environ_of(pid)
        marked = variables.get(VARIABLE, "").startswith(mark)
        if marked or str(home) in command or variables.get("AMBIENT_HOME") == str(home):
            found.append(f"{pid} {command}")
    return found


def group_of(pid: int) -> int | None:
    """Process group of a process, None when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return None


def stat_of(pid: int) -> tuple[str, int]:
    """State letter and parent of a process; empty when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return "", 0
    state, parent = text[text.rindex(")") + 2 :].split()[:2]
    return state, int(parent)


def state_of(pid: int) -> str:
    """State letter of a process; empty when it is gone."""
    return stat_of(pid)[0]


def children_and_self(pid: int) -> list[int]:
    """A process and everything under it, the parents first."""
    parents = {int(name): stat_of(int(name))[1] for name in os.listdir("/proc") if name.isdigit()}
    found = [pid]
    for member in found:
        found.extend(child for child, parent in parents.items() if parent == member)
    return found


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """A signal to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def memory_of(pid: int) -> int:
    """Bytes of memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
