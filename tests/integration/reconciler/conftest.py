"""Rows and real processes for the reconciler's tests."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from ambient import env
from ambient.common import hints
from projects_app.models import Project
from reconciler.models import Limit, WorkItem
from reconciler.workqueue import Claim, claim_next
from sessions_app.models import Session
from sessions_app.services.sessions import session_create

PATIENCE_SECONDS = 60.0


def eventually(condition: Callable[[], object], what: str = "the condition") -> object:
    """Wait until the condition is true; returns what it returned."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.05)


@pytest.fixture
def limits(db):
    Limit.objects.update_or_create(project=None, defaults={"max_running": 50})


@pytest.fixture
def project(db, limits) -> Project:
    return Project.objects.create(id="team-a")


@pytest.fixture
def make_session(project):
    numbers = itertools.count(1)

    def make(where: Project = project, **spec) -> Session:
        return session_create(actor="ann", project=where, spec={"name": f"s{next(numbers)}", **spec})

    return make


@pytest.fixture
def claim_of():
    """Claims one key, wherever it is in the queue; the others stay as they are."""

    def claim(kind: str, key: str) -> Claim:
        others = WorkItem.objects.exclude(kind=kind, key=key)
        kept = list(others.values_list("pk", "due_at"))
        others.update(due_at="2999-01-01T00:00:00Z")
        WorkItem.objects.filter(kind=kind, key=key).update(due_at="2000-01-01T00:00:00Z")
        found = claim_next()
        for pk, due_at in kept:
            WorkItem.objects.filter(pk=pk).update(due_at=due_at)
        assert found is not None
        assert (found.kind, found.key) == (kind, key)
        return found

    return claim


def database_url() -> str:
    """The test database, for other processes."""
    before, _, query = env.DATABASE_URL.partition("?")
    base = before.rsplit("/", 1)[0]
    return f"{base}/{connection.settings_dict['NAME']}" + (f"?{query}" if query else "")


class Processes:
    """Real processes of the platform on the test database, in a home of their own."""

    def __init__(self, home: Path, logs: Path) -> None:
        self.home = home
        self.logs = logs
        self.running: list[subprocess.Popen[bytes]] = []
        self.environment = os.environ | {
            "AMBIENT_HOME": str(home),
            "AMBIENT_PROCESS": "",
            "DATABASE_URL": database_url(),
            "DATABASE_DIRECT_URL": database_url(),
            "REDIS_URL": env.REDIS_URL,
            "AMBIENT_SECRET_KEY": env.SECRET_KEY,
            "AMBIENT_ENCRYPTION_KEYS": ",".join(env.ENCRYPTION_KEYS),
            "AMBIENT_WORKER_CONCURRENCY": "2",
            "AMBIENT_STOP_GRACE_SECONDS": "3",
        }

    def start(self, *command: str, **variables: str) -> subprocess.Popen[bytes]:
        number = len(self.running)
        with (self.logs / f"{number}-{command[0]}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(env.BASE_DIR / "manage.py"), *command],
                env=self.environment | variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self.running.append(process)
        return process

    def log_of(self, process: subprocess.Popen[bytes]) -> str:
        return next(self.logs.glob(f"{self.running.index(process)}-*.log")).read_text(errors="replace")

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def processes(transactional_db, tmp_path) -> Iterator[Processes]:
    hints.client().delete("ambient:ambient")  # hints of earlier tests
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    found = Processes(home, tmp_path)
    yield found
    found.stop()
