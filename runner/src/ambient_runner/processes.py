"""Runs a program for an agent: bounded in time and output, and never left behind."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TERM_SECONDS = 1.0
OUTPUT_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Finished:
    """How a program ended; both outputs are one text."""

    code: int
    output: str
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """True when it ended by itself with 0."""
        return self.code == 0 and not self.timed_out


async def run_program(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 120.0,
    limit: int = OUTPUT_LIMIT,
) -> Finished:
    """Run it in a process group of its own. Cancelling the caller ends the whole group."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env=dict(os.environ if env is None else env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    output = bytearray()
    timed_out = False
    try:
        async with asyncio.timeout(timeout):
            await _read(process, output, limit)
    except TimeoutError:
        timed_out = True
    finally:
        await _end_group(process)
    code = process.returncode if process.returncode is not None else -signal.SIGKILL
    return Finished(code=code, output=bytes(output).decode(errors="replace"), timed_out=timed_out)


async def _read(process: asyncio.subprocess.Process, output: bytearray, limit: int) -> None:
    """Read to the end of the output and the process; what is over the limit is thrown away."""
    if process.stdout is None:
        raise ValueError("the program's output is not a pipe")
    cut = False
    while block := await process.stdout.read(65536):
        room = limit - len(output)
        output += block[: max(room, 0)]
        if len(block) > room and not cut:
            cut = True
            output += b"\n[output cut]\n"
            limit = len(output)
    await process.wait()


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """Ask the group to end, then make it end."""
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(TERM_SECONDS):
                await process.wait()
        except TimeoutError:
            pass
        finally:
            _signal_group(process.pid, signal.SIGKILL)
        await process.wait()
    else:
        # Children that the program put into the background belong to it.
        _signal_group(process.pid, signal.SIGKILL)


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return
