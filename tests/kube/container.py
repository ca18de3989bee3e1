"""One container as a real process in namespaces of its own: user, mounts, processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ambient.common import processes

ENTER = Path(__file__).with_name("enter.py")
EVERYTHING = ("--user", "--preserve-credentials", "--mount", "--pid", "--root", "--wd")
KILLED = 128 + signal.SIGKILL


@dataclass(frozen=True)
class Image:
    """What stands for an image: the host's own files, more files at their places, a command."""

    entrypoint: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    workdir: str = "/"

    def mounts(self) -> list[dict[str, Any]]:
        """Its files as read-only mounts."""
        return [
            {"source": str(source), "target": target, "read_only": True}
            for target, source in self.files.items()
        ]


class ContainerProcess:
    """A started container. It dies with this process, and all that it started dies with it."""

    def __init__(self, folder: Path, log: Path, document: Mapping[str, Any]) -> None:
        self._environment: dict[str, str] = document["environment"]
        self._depth = 2 if document["shared_processes"] else 1
        folder.mkdir(parents=True, exist_ok=True)
        root = folder / "root"
        root.mkdir(exist_ok=True)
        spec = folder / "spec.json"
        with os.fdopen(os.open(spec, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({**document, "root": str(root)}, file)
        enter = [sys.executable, "-I", "-S", str(ENTER), str(spec)]
        with log.open("wb") as output:
            self._outer = processes.spawn(enter, env={}, output=output)

    @property
    def pid(self) -> int | None:
        """Its program as the host numbers it, once it is there; None after its end."""
        while self.ended() is None:
            pids = [self._outer.pid]
            for _ in range(self._depth):
                pids = [child for pid in pids for child in processes.children_of(pid)]
            if pids:
                return pids[0]
            time.sleep(0.02)
        return None

    def ended(self) -> int | None:
        """The exit code, once it has ended."""
        code = self._outer.poll()
        return KILLED if code is not None and code < 0 else code

    def send(self, number: int) -> None:
        """A signal to its program, which must have asked for it where it is the first process."""
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> int:
        """End it and all that it started, at once; the exit code."""
        processes.kill_group(self._outer.pid)
        code = self._outer.wait()
        return KILLED if code < 0 else code

    def inside(self, argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Command and environment that run a program in it."""
        pid = self.pid
        assert pid is not None, "it has ended"
        return entering(pid, argv), self._environment

    def run_inside(self, argv: Sequence[str], seconds: float) -> bool:
        """Whether a command succeeds in it, as a probe's."""
        if (pid := self.pid) is None:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                entering(pid, argv),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
            return done.returncode == 0
        return False


def entering(pid: int, argv: Sequence[str]) -> list[str]:
    """The command that runs another one in the namespaces of a program."""
    return ["nsenter", "--target", str(pid), *EVERYTHING, *argv]
