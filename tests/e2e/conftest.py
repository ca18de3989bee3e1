"""The shared platform, and projects, sessions and watchers on it."""

import secrets
import subprocess
import threading

import pytest

from tests.e2e.harness import Stage
from tests.e2e.runtimes import PROCESS, chosen
from tests.e2e.watchers import Watchers
from tests.fakes.anthropic_api import FakeApi

LIMIT_SECONDS = 300
MODEL_KEY = "sk-e2e-0123456789"
AUTHOR = ("-c", "user.name=Tests", "-c", "user.email=tests@localhost")


def pytest_itemcollected(item):
    """More time than others have: the first to run also waits for the platform's start."""
    if item.path.parent.name == "e2e" and item.get_closest_marker("timeout") is None:
        item.add_marker(pytest.mark.timeout(LIMIT_SECONDS))


def pytest_collection_modifyitems(config, items):
    """Leave out what the chosen runtime does not have."""
    if chosen() == PROCESS:
        return
    left_out = [item for item in items if item.get_closest_marker("process_runtime")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def model_api():
    """The fake of the model's API, for sessions with the framework claude."""
    server = FakeApi()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def stage(tmp_path_factory, model_api):
    """One whole platform for all tests; who breaks it, heals it."""
    model = {"ANTHROPIC_BASE_URL": model_api.url, "ANTHROPIC_API_KEY": MODEL_KEY}
    stage = Stage(tmp_path_factory.mktemp("platform"), **model)
    stage.start()
    yield stage
    stage.stop()


@pytest.fixture(scope="session")
def make_stage(tmp_path_factory):
    """A platform of one's own, with settings of its own."""
    stages = []

    def make(**settings):
        stages.append(Stage(tmp_path_factory.mktemp("platform"), **settings))
        stages[-1].start()
        return stages[-1]

    yield make
    for stage in stages:
        stage.stop()


@pytest.fixture
def healed(stage):
    """Leaves the platform as it was found."""
    yield
    stage.heal()


@pytest.fixture
def make_watchers():
    """Clients of any platform."""
    made = []

    def make(stage):
        made.append(Watchers(stage.token))
        return made[-1]

    yield make
    for watchers in made:
        watchers.close()


@pytest.fixture
def watchers(stage, make_watchers):
    return make_watchers(stage)


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


RECORD = """
    CREATE TABLE IF NOT EXISTS e2e_reason (id serial PRIMARY KEY, session text, reason text);
    CREATE OR REPLACE FUNCTION e2e_record() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO e2e_reason (session, reason) VALUES (NEW.id, NEW.reason);
        RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER e2e_record AFTER UPDATE OF reason ON sessions_app_session
        FOR EACH ROW WHEN (OLD.reason IS DISTINCT FROM NEW.reason) EXECUTE FUNCTION e2e_record();
"""


@pytest.fixture
def reasons(stage):
    """Every reason that a session has had, also those that stood for an instant only."""
    stage.execute(RECORD)
    rows = "SELECT reason FROM e2e_reason WHERE session = %s ORDER BY id"
    yield lambda session: [reason for (reason,) in stage.query(rows, session)]
    stage.execute("DROP TRIGGER e2e_record ON sessions_app_session")
