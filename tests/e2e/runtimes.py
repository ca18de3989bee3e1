"""How each runtime is looked at and broken: one driver a runtime, so that the same tests run on all.

`TEST_RUNTIME=kubernetes` (`make test-faults RUNTIME=kubernetes`) chooses the second one. Tests of what only
the process runtime has are marked `process_runtime`.
"""

import os
import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ambient.common.marks import VARIABLE, marked_pids
from ambient.embedded.home import CHECKOUT
from reconciler.runnerhost.paths import HostPaths
from tests.e2e.system import environ_of, eventually, group_of

RUNNER_PYTHON = CHECKOUT / ".venv-runner" / "bin" / "python"
KUBERNETES, PROCESS = "kubernetes", "process"
GATE = """\
#!/bin/sh
if [ -p {gate}/hold ]; then read line < {gate}/hold; fi
if [ -e {gate}/refuse ]; then echo "the gate refuses to start" >&2; exit 2; fi
exec {python} "$@"
"""


def chosen() -> str:
    """The runtime that the tests run on."""
    return os.environ.get("TEST_RUNTIME") or PROCESS


def make_driver(folder: Path, home: Path) -> "RuntimeDriver":
    """A driver of the chosen runtime."""
    if chosen() == PROCESS:
        return ProcessRuntimeDriver(folder, home)
    if chosen() == KUBERNETES:
        from tests.kube.driver import KubernetesRuntimeDriver  # it needs the built programs

        return KubernetesRuntimeDriver(folder)
    raise ValueError(f"TEST_RUNTIME={chosen()}: {PROCESS} or {KUBERNETES}")


class Gate:
    """A script that stands before the runner's Python, and can be closed."""

    def __init__(self, folder: Path, python: Path, *, seen_at: Path | None = None) -> None:
        """`seen_at`: where the runner finds the folder, if elsewhere."""
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.script = folder / "python"
        gate = shlex.quote(str(seen_at or folder))
        self.script.write_text(GATE.format(gate=gate, python=shlex.quote(str(python))))
        self.script.chmod(0o755)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A time in which whoever comes waits."""
        pipe = self.folder / "hold"
        os.mkfifo(pipe)
        try:
            yield
        finally:
            writer = os.open(pipe, os.O_RDWR)  # whoever waits to open it can go on
            pipe.unlink()
            os.close(writer)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """A time in which whoever comes ends with a wrong configuration."""
        switch = self.folder / "refuse"
        switch.touch()
        try:
            yield
        finally:
            switch.unlink()


class RuntimeDriver(ABC):
    """Faults of the ground that runners stand on."""

    settings: dict[str, str]
    gate: Gate
    outlives_platform: bool
    """Whether runners live on while every process of the platform is restarted."""

    @abstractmethod
    def runners(self, session: str | None = None) -> list[int]:
        """Everything that lives of one session's runners, or of all."""

    @abstractmethod
    def runner(self, session: str) -> int:
        """The one runner of a session, once there is one."""

    @abstractmethod
    def workspace(self, session: str) -> Path:
        """The folder that a session's agent works in, inside of one that is gone with the session."""

    @abstractmethod
    def use(self, python: Path) -> None:
        """Another interpreter for the runners that start from now on."""

    @abstractmethod
    def stop(self) -> None:
        """End what stands beside the platform, after it."""


class ProcessRuntimeDriver(RuntimeDriver):
    """Runners are child processes of the home's runner host."""

    outlives_platform = False

    def __init__(self, folder: Path, home: Path) -> None:
        self._home = home
        self._mark = HostPaths(home).mark
        self._folder = folder
        self.use(RUNNER_PYTHON)
        self.settings = {"AMBIENT_RUNNER_PYTHON": str(self.gate.script)}

    def runners(self, session: str | None = None) -> list[int]:
        part = "" if session is None else f"/{session}/"
        return [pid for pid in marked_pids(self._mark) if part in environ_of(pid).get(VARIABLE, "")]

    def runner(self, session: str) -> int:
        [pid] = eventually(
            lambda: [pid for pid in self.runners(session) if group_of(pid) == pid], "the runner's process"
        )
        return pid

    def workspace(self, session: str) -> Path:
        return self._home / "sessions" / session / "workspace"

    def use(self, python: Path) -> None:
        self.gate = Gate(self._folder / "gate", python)

    def stop(self) -> None:
        """All of it is the platform's."""
