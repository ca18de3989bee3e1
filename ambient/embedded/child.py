"""One supervised process: started, read, watched for its end, started again after a crash."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ambient.common import marks, processes
from ambient.embedded.backoff import MAX_CRASHES, WINDOW_SECONDS, Backoff
from ambient.embedded.lines import LineSplitter

READ_BYTES = 64 * 1024
DRAIN_READS = 64


@dataclass(frozen=True)
class ProcessSpec:
    """What to run and how to end it. `env` is the whole environment; None: ours."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 4.0


class Child:
    """Keeps one process running until told to stop. Lives in the supervisor's event loop."""

    def __init__(self, spec: ProcessSpec, mark: str, output: Callable[[str], None]) -> None:
        self.spec = spec
        self.gave_up = False
        self.process: subprocess.Popen[bytes] | None = None
        self._mark = mark
        self._output = output
        self._wanted = False
        self._backoff = Backoff()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Run it, with a clean record."""
        self._wanted, self.gave_up, self._backoff = True, False, Backoff()
        self._stopping = asyncio.Event()
        process, reader = self._launch()
        self._task = asyncio.get_running_loop().create_task(self._keep(process, reader))

    def stop(self) -> None:
        """Send its stop signal, and do not start it again."""
        self._unwant()
        self.send(self.spec.stop_signal)

    def _unwant(self) -> None:
        self._wanted = False
        self._stopping.set()

    def send(self, number: int) -> None:
        """Send a signal to the process itself."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)  # not reaped yet, so the number is still its own

    def kill(self) -> None:
        """SIGKILL to its group and to all that it started."""
        self._unwant()
        if self.process is not None:
            processes.kill_group(self.process.pid)

    async def wait(self) -> None:
        """Until it is stopped or has given up."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _launch(self) -> tuple[subprocess.Popen[bytes], int]:
        env = dict(os.environ if self.spec.env is None else self.spec.env) | {marks.VARIABLE: self._mark}
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        try:
            self.process = processes.spawn(self.spec.argv, env=env, output=writer)
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        return self.process, reader

    async def _keep(self, process: subprocess.Popen[bytes], reader: int) -> None:
        """Follow one process to its end, and the next, until it is not wanted or crashes too often."""
        await self._follow(process, reader)
        ended = f"ended with {processes.describe_exit(process.returncode)}"
        while self._wanted:
            delay = self._backoff.crashed(time.monotonic())
            if delay is None:
                self.gave_up = True
                limit = f"{MAX_CRASHES} crashes within {WINDOW_SECONDS:.0f} s"
                self._output(f"{ended}; {limit}: given up, not started again")
                return
            self._output(f"{ended}; starts again in {delay:g} s")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()
            if not self._wanted:
                return
            try:
                process, reader = self._launch()
            except OSError as exc:  # no process or descriptor left: as good as a crash
                ended = f"cannot start: {exc.strerror}"
                continue
            await self._follow(process, reader)
            ended = f"ended with {processes.describe_exit(process.returncode)}"

    async def _follow(self, process: subprocess.Popen[bytes], reader: int) -> None:
        """Hand on the lines of one process until it ends; what it started ends with it."""
        loop = asyncio.get_running_loop()
        splitter = LineSplitter()

        def read() -> bool:
            """One read; False when there is nothing more for now."""
            try:
                data = os.read(reader, READ_BYTES)
            except BlockingIOError:
                return False
            if not data:
                loop.remove_reader(reader)
                return False
            for line in splitter.feed(data):
                self._output(line)
            return True

        loop.add_reader(reader, read)
        try:
            await has_ended(process.pid)
            # The group first, while the process is not reaped and its number cannot be another's.
            processes.kill_group(process.pid)
            process.wait()
            self.process = None
            left = await loop.run_in_executor(None, marks.kill_marked, self._mark)
            if left:
                self._output(f"left behind and cannot be ended: pid {', '.join(map(str, left))}")
            for _ in range(DRAIN_READS):
                if not read():
                    break
            for line in splitter.end():
                self._output(line)
        finally:
            loop.remove_reader(reader)
            os.close(reader)


async def has_ended(pid: int) -> None:
    """Wait for a child's end without reaping it."""
    loop = asyncio.get_running_loop()
    try:
        fd = os.pidfd_open(pid)
    except OSError:  # an old kernel: look now and then
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            await asyncio.sleep(0.05)
        return
    ended = asyncio.Event()
    loop.add_reader(fd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
