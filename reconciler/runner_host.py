"""`runner-host`: one per home. Ends what an earlier host left, then serves until told to stop."""

import asyncio
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import time

import structlog
from django.db import DatabaseError, connections

from ambient import env
from ambient.common import marks, processes
from reconciler.runnerhost.host import RunnerHost
from reconciler.runnerhost.paths import HostPaths
from reconciler.runnerhost.server import Door
from reconciler.runnerhost.sightings import Sightings
from sessions_app.choices import Phase
from sessions_app.models import Session

DATABASE_RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class HomeTaken(Exception):
    """Another runner host has this home."""


def take_home(paths: HostPaths) -> int:
    """Lock the home for the life of this process; the kernel frees it whatever happens."""
    paths.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(file)
        raise HomeTaken(f"another runner host has {paths.home}") from exc
    return file


def clear_home(paths: HostPaths) -> None:
    """End what still carries the home's mark, and remove half-done files of an earlier host."""
    left = marks.kill_marked(paths.mark)
    if left:
        log.warning("processes of an earlier runner host do not end", pids=left)
    paths.sessions.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in paths.sessions.glob("*/launch-*.json"):
        path.unlink(missing_ok=True)
    for path in paths.sessions.glob(".gone-*"):
        shutil.rmtree(path, ignore_errors=True)


def start_guard(mark: str) -> subprocess.Popen[bytes]:
    """A process of its own that ends our runners' tools when this process is killed."""
    return subprocess.Popen(  # noqa: S603 - our own script
        marks.guard_command(mark),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=env.runner_environment(),
        start_new_session=True,
    )


def read_floors(host_id: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Attempts that were given out before this start, and the sessions that lost their runner with it.

    Waits for the database: without the floors an old apply could come true.
    """
    while True:
        try:
            rows = list(
                Session.objects.unfinished()
                .filter(attempt__gt=0)
                .values_list("id", "project_id", "attempt", "phase", "runner_host")
            )
        except DatabaseError as exc:
            log.warning("waiting for the database", error=type(exc).__name__)
            connections.close_all()
            time.sleep(DATABASE_RETRY_SECONDS)
            continue
        connections.close_all()
        live = (Phase.CREATING, Phase.RUNNING, Phase.STOPPING)
        lost = [(pk, project) for pk, project, _, phase, host in rows if phase in live and host == host_id]
        return {pk: attempt for pk, _, attempt, _, _ in rows}, lost


async def serve(paths: HostPaths, mark: str, floors: dict[str, int], sightings: Sightings) -> None:
    """Answer workers until SIGTERM or SIGINT, then end every runner."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host = RunnerHost(
        paths, mark, sightings, floors=floors, liveness=env.LIVENESS_SECONDS, grace=env.STOP_GRACE_SECONDS
    )
    door = Door(paths, host)
    await host.start()
    await door.open()
    log.info("runner host is ready", home=str(paths.home))
    await stop.wait()
    door.close()
    await host.stop()


def run() -> None:
    """The whole life of the process. Raises HomeTaken."""
    paths = HostPaths(env.HOME)
    lock = take_home(paths)
    try:
        processes.become_subreaper()
        clear_home(paths)
        floors, lost = read_floors(paths.host_id)
        mark = f"{paths.mark}/{secrets.token_hex(4)}"
        guard = start_guard(mark)
        sightings = Sightings()
        sightings.start()
        for session, project in lost:
            sightings.add(session, project)
        try:
            asyncio.run(serve(paths, mark, floors, sightings))
        finally:
            sightings.close()
            if guard.stdin is not None:
                guard.stdin.close()
    finally:
        os.close(lock)
