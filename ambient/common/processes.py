"""Start, look at and end processes."""

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from ambient.common import launch

PR_SET_CHILD_SUBREAPER = 36


@functools.cache
def _forking_thread(pid: int) -> ThreadPoolExecutor:
    """The one thread that forks. PDEATHSIG follows the forking thread, so it must live as long as we do."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"fork-{pid}")


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int = subprocess.DEVNULL,
    output: int | IO[bytes] = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
    die_signal: int = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a child in its own process group; it gets `die_signal` when we end (0: it lives on)."""
    launcher = launch.command(die_signal)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*launcher, *argv],
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=pass_fds,
            process_group=0,
        )

    return _forking_thread(os.getpid()).submit(start).result()


def stop(child: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn and wait its seconds; at the end SIGKILL to the whole group."""
    for number, seconds in steps:
        if child.poll() is not None:
            break
        child.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
    if child.poll() is None:
        kill_group(child.pid)
    child.wait()


def kill_group(pid: int) -> None:
    """SIGKILL to a child's process group. Only before it is reaped: later the number may be another's."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def become_subreaper() -> None:
    """Orphans below us become our children, so that they are reaped and never lost sight of."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"cannot become a child subreaper: {os.strerror(error)}")


def signal_name(number: int) -> str:
    """`SIGKILL`, or `signal 42` for one without a name."""
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def describe_exit(returncode: int) -> str:
    """`exit code 3` or `SIGKILL`."""
    return f"exit code {returncode}" if returncode >= 0 else signal_name(-returncode)


def stat_of(pid: int) -> tuple[str, int] | None:
    """State letter and parent of a process, or None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    state, parent = text[text.rindex(")") + 1 :].split()[:2]
    return state, int(parent)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has died but was not reaped does not."""
    found = stat_of(pid)
    return found is not None and found[0] not in "ZX"


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children_of(parent: int) -> dict[int, str]:
    """Pid and state of every direct child."""
    found = ((pid, stat_of(pid)) for pid in all_pids())
    return {pid: entry[0] for pid, entry in found if entry is not None and entry[1] == parent}


def programs_in(folder: Path, program: str) -> list[int]:
    """Live processes of a program whose working folder is this one: a pid file may lie."""
    found = []
    for pid in all_pids():
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd") != str(folder.resolve()):
                continue
            if Path(os.readlink(f"/proc/{pid}/exe")).name == program and is_alive(pid):
                found.append(pid)
    return found
