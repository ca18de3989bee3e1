"""A small supervisor: keeps processes running, prefixes their lines, and leaves nothing behind.

It works in a thread of its own, so that it can also be used as a library. Each child is in its own process
group, dies with this process (PDEATHSIG) and carries a mark in its environment, by which what it started is
found; a guard process ends those if the supervisor itself is killed.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from ambient.common import marks, processes
from ambient.embedded.child import Child, ProcessSpec
from ambient.embedded.errors import EmbeddedError
from ambient.embedded.lines import TerminalOutput

__all__ = ["ProcessSpec", "Supervisor"]

T = TypeVar("T")
Output = Callable[[str, str], None]
STOP_SECONDS = 4.0  # for all together; then SIGKILL
STEP_SECONDS = 0.5  # how long one is waited for before the next gets its signal


class Supervisor:
    """Runs a list of processes. With `reaper`, orphans come to us, and we must start nothing else."""

    def __init__(
        self, specs: Sequence[ProcessSpec], output: Output | None = None, *, reaper: bool = False
    ) -> None:
        if len({spec.name for spec in specs}) != len(specs):
            raise ValueError("process names must differ")
        self.specs = list(specs)
        self._output = TerminalOutput(spec.name for spec in specs) if output is None else output
        self._reaper = reaper
        self._mark = secrets.token_hex(8)
        self._children = {spec.name: self._child(spec) for spec in specs}
        self._strangers: set[int] = set()  # children that this process had before
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._guard_pipe = -1
        self._hurry = threading.Event()

    def start(self) -> None:
        """Start all in order."""
        if self._thread is not None:
            raise EmbeddedError("this supervisor has been started before")
        self._start_guard()
        if self._reaper:
            self._strangers = set(processes.children_of(os.getpid()))
            try:
                processes.become_subreaper()
            except OSError as exc:
                raise EmbeddedError(str(exc.strerror)) from exc
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="supervisor", daemon=True)
        self._thread.start()
        self._call(self._start())

    def stop(self) -> None:
        """Stop all in reverse order within a few seconds, and end everything that they left."""
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()
        self._stop_guard()

    def hurry(self) -> None:
        """Make a stop under way kill at once; safe in a signal handler."""
        self._hurry.set()

    def restart(self, name: str) -> None:
        """Stop one and start it with a clean record, also one that was given up."""
        self._call(self._restart(self._children[name]))

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to one process, as a fault would."""
        self._call(self._send(self._children[name], number))

    def pids(self) -> dict[str, int]:
        """Pid of each process that runs now."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    def given_up(self) -> list[str]:
        """Names of those that crashed too often."""
        return [name for name, child in self._children.items() if child.gave_up]

    def _child(self, spec: ProcessSpec) -> Child:
        return Child(spec, f"{self._mark}/{spec.name}", lambda line: self._output(spec.name, line))

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise EmbeddedError("this supervisor does not run")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        for child in self._children.values():
            child.start()
        if self._reaper:
            self._reaping = asyncio.get_running_loop().create_task(self._reap())

    async def _send(self, child: Child, number: int) -> None:
        child.send(number)

    async def _restart(self, child: Child) -> None:
        child.stop()
        await self._settle([child], child.spec.stop_seconds)
        child.kill()
        await child.wait()
        child.start()

    async def _stop(self) -> None:
        """Signals go out in reverse order; a slow one delays the next by half a second, all by four."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        children = list(reversed(self._children.values()))
        for child in children:
            child.stop()
            await self._settle([child], STEP_SECONDS)
        for child in sorted(children, key=lambda child: child.spec.stop_seconds):
            until = begin + min(child.spec.stop_seconds, STOP_SECONDS)
            await self._settle([child], until - loop.time())
            child.kill()
        await asyncio.wait([loop.create_task(child.wait()) for child in children] or [_nothing(loop)])
        if self._reaper:
            self._reaping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reaping
            await self._end_adopted()

    async def _settle(self, children: Sequence[Child], seconds: float) -> None:
        """Wait until these have ended, or the seconds are over, or somebody is in a hurry."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        waiting = {loop.create_task(child.wait()) for child in children}
        while waiting and not self._hurry.is_set() and loop.time() < deadline:
            _, waiting = await asyncio.wait(waiting, timeout=min(0.05, max(deadline - loop.time(), 0)))
        for task in waiting:
            task.cancel()

    def _adopted(self) -> dict[int, str]:
        """Orphans that came to us, with their state."""
        known = {*self._strangers, *self.pids().values()}
        return {pid: state for pid, state in processes.children_of(os.getpid()).items() if pid not in known}

    async def _reap(self) -> None:
        while True:
            for pid, state in self._adopted().items():
                if state == "Z":
                    _reap_one(pid)
            await asyncio.sleep(1)

    async def _end_adopted(self) -> None:
        """Kill orphans until there are none; the death of one may bring us its children."""
        while adopted := self._adopted():
            for pid in adopted:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # our own child and not reaped: the number is its own
                _reap_one(pid)
            await asyncio.sleep(0.01)

    def _start_guard(self) -> None:
        reader, self._guard_pipe = os.pipe()
        try:
            self._guard = processes.spawn(marks.guard_command(self._mark), stdin=reader, die_signal=0)
        finally:
            os.close(reader)

    def _stop_guard(self) -> None:
        if self._guard is not None:
            os.close(self._guard_pipe)
            self._guard.wait()
            self._guard = None


def _reap_one(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _nothing(loop: asyncio.AbstractEventLoop) -> "asyncio.Future[None]":
    done = loop.create_future()
    done.set_result(None)
    return done
