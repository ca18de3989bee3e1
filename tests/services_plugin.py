"""Pytest plugin: throw-away PostgreSQL and Valkey for one test run. Load it with `-p tests.services_plugin`.

It runs before Django's settings are read. Under xdist only the controller starts servers; each worker
inherits the environment and takes a Redis database of its own.
"""

import atexit
import os
import re
import shutil
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import Home
from ambient.embedded.services import LOCK, Services, start_services

PREFIX = "ambient-test-"
OURS = "AMBIENT_TEST_SERVICES"  # set for the workers of a run whose REDIS_URL is ours
STALE_SECONDS = 600.0

_running: list[tuple[Services, Path]] = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start the servers, or in an xdist worker choose its database, before settings are imported."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        if os.environ.get(OURS):
            os.environ["REDIS_URL"] = worker_url(os.environ["REDIS_URL"], worker)
    elif not (early_config.known_args_namespace.help or early_config.known_args_namespace.version):
        _start()
    return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End of the run, also after Ctrl-C."""
    _stop()


def worker_url(url: str, worker: str) -> str:
    """The same server, database 1 for gw0, 2 for gw1 and so on; 0 is the controller's."""
    return re.sub(r"/\d*$", f"/{int(worker.removeprefix('gw')) + 1}", url)


def remove_stale(folder: Path, *, now: float) -> None:
    """Remove the homes of earlier runs that were killed; their servers died with them."""
    for path in folder.glob(f"{PREFIX}*"):
        try:
            found = path.lstat()
        except FileNotFoundError:  # another run tidies up too
            continue
        if found.st_uid == os.geteuid() and now - found.st_mtime > STALE_SECONDS:
            if Home(path).holder(LOCK) is None:
                shutil.rmtree(path, ignore_errors=True)


def _start() -> None:
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    remove_stale(Path(tempfile.gettempdir()), now=time.time())
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        services = start_services(Home(folder), throwaway=True)
    except EmbeddedError as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise pytest.UsageError(f"cannot start the test servers: {exc}") from exc
    _running.append((services, folder))
    atexit.register(_stop)
    if services.valkey is not None:
        os.environ[OURS] = "1"
    os.environ.update(services.environment())


def _stop() -> None:
    while _running:
        services, folder = _running.pop()
        try:
            services.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
