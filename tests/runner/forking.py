"""Starts runner processes by forking one that has its imports done: `main` as it is, a second sooner.

The tests talk to a server of one thread (this file, run as a script). Each start is a message with the
arguments and three descriptors: the runner's socket, its log, and a socket for its pid and its end.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

LONGEST_MESSAGE = 64 * 1024


class ForkServer:
    """The tests' side; ends with `close`, or when the tests' process is gone."""

    def __init__(self, python_path: str, *, python: str = sys.executable, early: str = "demo") -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [python, __file__, str(theirs.fileno()), early],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": python_path},
        )
        theirs.close()

    def start(
        self, config: Path, listener: socket.socket, log: int, environment: dict[str, str], cwd: Path
    ) -> "Forked":
        """One more runner on that socket, as `python -m ambient_runner --config FILE --fd N`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = {"config": str(config), "environment": environment, "cwd": str(cwd)}
        with theirs:
            fds = [listener.fileno(), log, theirs.fileno()]
            socket.send_fds(self._control, [json.dumps(message).encode()], fds)
        return Forked(ours)

    def close(self) -> None:
        """End the server; runners that still live are not its business."""
        self._control.close()
        self._process.wait()


class Forked:
    """One forked runner, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.pid = self._told()
        self.returncode: int | None = None

    def _told(self) -> int:
        message = self._connection.recv(16)
        if not message:
            raise AssertionError("the fork server has ended, its error is above")
        return int(message)

    def poll(self) -> int | None:
        """The exit code, None while it lives; a negative one is a signal."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Its exit code, when it has ended in time."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = self._told()
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("runner", timeout) from None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """To a process that is there: its keeper reaps it only when we close the connection."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without a goodbye."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Let its keeper reap it."""
        self._connection.close()


def serve(control: socket.socket) -> None:
    """Fork a keeper for every message, until the tests hang up."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    while True:
        message, fds, *_ = socket.recv_fds(control, LONGEST_MESSAGE, 3)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            keep(json.loads(message), *fds)
        for fd in fds:
            os.close(fd)


def keep(message: dict[str, Any], listener: int, log: int, report: int) -> NoReturn:
    """Fork the runner, and tell its pid and its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(report)
        become_runner(message, listener, log)
    for fd in (listener, log):
        os.close(fd)
    connection = socket.socket(fileno=report)
    connection.sendall(b"%d" % pid)
    # Not reaped yet, so that nobody else gets the pid while the tests may send it signals.
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    connection.sendall(b"%d" % (end.si_status if end.si_code == os.CLD_EXITED else -end.si_status))
    connection.recv(1)
    os._exit(0)


def become_runner(message: dict[str, Any], listener: int, log: int) -> NoReturn:
    """What the system does for a program that is started, then the program."""
    for fd in (1, 2):
        os.dup2(log, fd)
    os.close(log)
    os.chdir(message["cwd"])
    os.environ.update(message["environment"])
    sys.exit(main(["--config", message["config"], "--fd", str(listener)]))


# What the runner's first seconds would import: its framework, the SDK, and parts that libraries load late.
EARLY = [
    "ambient_platform",
    "uvicorn.protocols.http.auto",
    "anyio._backends._asyncio",
    "pydantic.v1",
]

if __name__ == "__main__":
    from ambient_runner.__main__ import main

    for name in [*EARLY, f"ambient_runner.frameworks.{sys.argv[2]}"]:
        importlib.import_module(name)
    serve(socket.socket(fileno=int(sys.argv[1])))
