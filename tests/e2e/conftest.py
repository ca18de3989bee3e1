"""The shared platform, and projects, sessions and watchers on it."""

import secrets
import subprocess

import pytest

from tests.e2e.harness import Stage
from tests.e2e.watchers import Watchers

LIMIT_SECONDS = 300
AUTHOR = ("-c", "user.name=Tests", "-c", "user.email=tests@localhost")


def pytest_itemcollected(item):
    """More time than others have: the first to run also waits for the platform's start."""
    if item.path.parent.name == "e2e" and item.get_closest_marker("timeout") is None:
        item.add_marker(pytest.mark.timeout(LIMIT_SECONDS))


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    """One whole platform for all tests; who breaks it, heals it."""
    stage = Stage(tmp_path_factory.mktemp("platform"))
    stage.start()
    yield stage
    stage.stop()


@pytest.fixture
def watchers(stage):
    watchers = Watchers(stage.token)
    yield watchers
    watchers.close()


@pytest.fixture
def project(stage):
    """A project of this test; with it end its sessions."""
    name = f"p-{secrets.token_hex(4)}"
    stage.client.projects.create(name=name)
    yield name
    stage.request("DELETE", f"/projects/{name}")


@pytest.fixture
def make_session(stage, project):
    """Create a session; by default without a first message."""

    def make(**fields):
        return stage.client.sessions.create(**{"name": "s", "project_id": project, **fields}).id

    return make


@pytest.fixture
def running(stage, make_session):
    """A session that runs and has nothing to do."""
    session = make_session()
    stage.wait_phase(session, "Running")
    return session


@pytest.fixture
def repository(tmp_path):
    """A Git repository with one commit; its address."""
    folder = tmp_path / "sample"
    folder.mkdir()
    (folder / "hello.py").write_text('print("hello")\n')
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*AUTHOR, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder.as_uri()
