"""Find processes by the mark in their environment, and end them. Run as a script it guards their parent.

Groups and parents change when a program turns itself into a daemon; the environment it was started with does
not. Run by path with `python -I -S`, so it imports the standard library only.
"""

import contextlib
import os
import signal
import sys
import time

VARIABLE = "AMBIENT_MARK"


def has_mark(pid: int, mark: str) -> bool:
    """Whether a live process was started with the mark, or with one below it (`mark/...`)."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:  # gone, or not ours to read
        return False
    exact = f"{VARIABLE}={mark}".encode()
    return any(entry == exact or entry.startswith(exact + b"/") for entry in entries)


def marked_pids(mark: str) -> list[int]:
    """All live processes with the mark, never this one."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in pids if pid != os.getpid() and has_mark(pid, mark)]


def kill_checked(pid: int, mark: str) -> None:
    """SIGKILL through a pidfd after a second look: a number given to a stranger meanwhile is safe."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if has_mark(pid, mark):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(fd, signal.SIGKILL)
    finally:
        os.close(fd)


def kill_marked(mark: str, *, seconds: float = 5.0) -> list[int]:
    """SIGKILL until no process has the mark; those that were still there at the end are returned."""
    deadline = time.monotonic() + seconds
    while True:
        left = marked_pids(mark)
        if not left or time.monotonic() > deadline:
            return left
        for pid in left:
            with contextlib.suppress(PermissionError):
                kill_checked(pid, mark)
        time.sleep(0.02)


def guard_command(mark: str) -> list[str]:
    """A program that outlives its parent: when its stdin closes, it ends what has the mark."""
    return [sys.executable, "-I", "-S", __file__, mark]


def guard(mark: str) -> None:
    """Wait until the parent's end of stdin closes, then leave nothing behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        continue
    kill_marked(mark)


if __name__ == "__main__":
    guard(sys.argv[1])
