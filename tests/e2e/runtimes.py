"""How each runtime is looked at and broken: one driver a runtime, so that the same tests run on all."""

import os
import shlex
import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ambient.common.marks import VARIABLE, marked_pids
from ambient.embedded.home import CHECKOUT
from reconciler.runnerhost.paths import HostPaths
from tests.e2e.system import environ_of, eventually, group_of

RUNNER_PYTHON = CHECKOUT / ".venv-runner" / "bin" / "python"
GATE = """\
#!/bin/sh
if [ -p {gate}/hold ]; then read line < {gate}/hold; fi
if [ -e {gate}/refuse ]; then echo "the gate refuses to start" >&2; exit 2; fi
exec {python} "$@"
"""


class RuntimeDriver(ABC):
    """Faults of the ground that runners stand on."""

    settings: dict[str, str]

    @abstractmethod
    def runners(self, session: str | None = None) -> list[int]:
        """Everything that lives of one session's runners, or of all."""

    @abstractmethod
    def runner(self, session: str) -> int:
        """The one runner of a session, once there is one."""

    @abstractmethod
    def signal_runner(self, session: str, number: int) -> None:
        """A signal to a session's runner: SIGKILL, SIGSTOP, SIGCONT."""

    @abstractmethod
    def slow_starts(self) -> AbstractContextManager[None]:
        """A time in which runners are made but do not come up."""

    @abstractmethod
    def refused_starts(self) -> AbstractContextManager[None]:
        """A time in which runners end at once with a wrong configuration."""


class ProcessRuntimeDriver(RuntimeDriver):
    """Runners are child processes of the home's runner host; a gate stands before their Python."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._mark = HostPaths(home).mark
        self._gate = folder / "gate"
        self._gate.mkdir(exist_ok=True)
        script = self._gate / "python"
        script.write_text(
            GATE.format(gate=shlex.quote(str(self._gate)), python=shlex.quote(str(RUNNER_PYTHON)))
        )
        script.chmod(0o755)
        self.settings = {"AMBIENT_RUNNER_PYTHON": str(script)}

    def runners(self, session: str | None = None) -> list[int]:
        part = "" if session is None else f"/{session}/"
        return [pid for pid in marked_pids(self._mark) if part in environ_of(pid).get(VARIABLE, "")]

    def runner(self, session: str) -> int:
        [pid] = eventually(
            lambda: [pid for pid in self.runners(session) if group_of(pid) == pid], "the runner's process"
        )
        return pid

    def signal_runner(self, session: str, number: int) -> None:
        os.kill(self.runner(session), signal.Signals(number))

    @contextmanager
    def slow_starts(self) -> Iterator[None]:
        pipe = self._gate / "hold"
        os.mkfifo(pipe)
        try:
            yield
        finally:
            writer = os.open(pipe, os.O_RDWR)  # whoever waits to open it can go on
            pipe.unlink()
            os.close(writer)

    @contextmanager
    def refused_starts(self) -> Iterator[None]:
        switch = self._gate / "refuse"
        switch.touch()
        try:
            yield
        finally:
            switch.unlink()
