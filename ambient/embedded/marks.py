"""Find processes by a mark in their environment, and end them. Run as a script it guards one supervisor.

Groups and parents change when a process turns itself into a daemon; the environment it was started with does
not. Run by path with `python -I -S`, so it imports the standard library only.
"""

import contextlib
import os
import signal
import sys
import time

MARK = "AMBIENT_SUPERVISED"


def has_mark(pid: int, mark: str) -> bool:
    """Whether a live process was started with the mark, or with one below it."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:  # gone, or not ours to read
        return False
    exact = f"{MARK}={mark}".encode()
    return any(entry == exact or entry.startswith(exact + b"/") for entry in entries)


def marked_pids(mark: str) -> list[int]:
    """All live processes with the mark."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and has_mark(int(name), mark)]


def kill_marked(mark: str, *, seconds: float = 5.0) -> list[int]:
    """SIGKILL until no process has the mark; those that were still there at the end are returned."""
    deadline = time.monotonic() + seconds
    while True:
        left = [pid for pid in marked_pids(mark) if pid != os.getpid()]
        if not left or time.monotonic() > deadline:
            return left
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                _kill_checked(pid, mark)
        time.sleep(0.02)


def _kill_checked(pid: int, mark: str) -> None:
    """Kill through a pidfd after a second look, so a pid given to a stranger meanwhile is safe."""
    if not hasattr(os, "pidfd_open"):
        return os.kill(pid, signal.SIGKILL)
    fd = os.pidfd_open(pid)
    try:
        if has_mark(pid, mark):
            signal.pidfd_send_signal(fd, signal.SIGKILL)
    finally:
        os.close(fd)
    return None


def guard(mark: str) -> None:
    """Wait until the supervisor's end of stdin closes, then leave nothing of its children behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        continue
    kill_marked(mark)


if __name__ == "__main__":
    guard(sys.argv[1])
