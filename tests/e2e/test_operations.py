"""The commands of docs/operations.md, run as they are written there."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from ambient.embedded.home import CHECKOUT, Home
from ambient.embedded.postgres import PostgresServer
from tests.e2e.harness import Stage
from tests.e2e.machine import inherited
from tests.e2e.system import eventually
from tests.e2e.watchers import Watchers

PAGE = (CHECKOUT / "docs" / "operations.md").read_text()
BLOCKS = dict(re.findall(r"^```sh (\w+)\n(.*?)^```$", PAGE, re.M | re.S))
SECONDS = 240
MAKE_ROWS = """
from projects_app.models import Credential, Project
from ambient.common.encryption import seal
from sessions_app.services.sessions import session_create
project = Project.objects.create(id="kept")
session = session_create(actor="ann", project=project, spec={"name": "kept", "prompt": "Remember me."})
Credential.objects.create(name="key", provider="github", token_sealed=seal("hush", context="credential"))
print(session.pk)
"""
READ_ROWS = """
import json
from projects_app.models import Credential
from ambient.common.encryption import unseal
from reconciler.launch import runner_secret
from sessions_app.models import Session
session = Session.objects.get()
token = unseal(Credential.objects.get().token_sealed, context="credential")
texts = [message.payload for message in session.messages.all()]
print(json.dumps([session.pk, session.phase, texts, token, len(runner_secret(session)) > 30]))
"""


@pytest.fixture
def desk(tmp_path):
    """A folder like a checkout's, with a home in it; `run` runs a block of the page there."""
    return Desk(tmp_path / "desk")


class Desk:
    """Where an operator types."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
        (folder / "manage.py").symlink_to(CHECKOUT / "manage.py")

    def run(self, block: str, home: Path, **variables: str) -> str:
        """One block of the page, with this home in the place of `.ambient`."""
        text = re.sub(r"(?<= )\.ambient\b", str(home), BLOCKS[block])
        env = inherited() | {"AMBIENT_HOME": str(home), "PYTHONPATH": str(CHECKOUT)} | variables
        return run(["bash", "-e", "-c", text], env, cwd=self.folder)


def run(argv, env, cwd=CHECKOUT):
    done = subprocess.run(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def everything(stage, session, watchers):
    """What people see of a session that rests: its events, messages and open questions."""
    watcher = watchers.events(stage.api, session)
    watcher.wait_runs(2)
    messages = [(row.seq, row.event_type, row.payload) for row in stage.client.sessions.messages(session)]
    return watcher.seen, messages, [row.id for row in stage.client.sessions.questions(session)]


@pytest.fixture
def make_watchers():
    made = []

    def make(token):
        made.append(Watchers(token))
        return made[-1]

    yield make
    for watchers in made:
        watchers.close()


def test_the_page_has_its_commands():
    assert set(BLOCKS) == {"backup", "restore", "takeover"}


@pytest.mark.process_runtime
@pytest.mark.timeout(2 * SECONDS)
def test_a_backup_restored_elsewhere_is_the_same_platform(desk, tmp_path, make_watchers):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    first = Stage(here)
    try:
        first.start()
        first.client.projects.create(name="kept")
        session = first.client.sessions.create(name="kept", project_id="kept", prompt="Look around.").id
        first.wait_phase(session, "Running")
        first.client.sessions.send(session, "/ask Which colour?")
        question = first.question(session).id
        before = everything(first, session, make_watchers(first.token))
        desk.run("backup", first.home)
    finally:
        first.stop()
    shutil.rmtree(first.home)

    second = Stage(there)
    desk.run("restore", second.home)
    try:
        second.start()
        assert second.token == first.token
        assert everything(second, session, make_watchers(second.token)) == before
        [(attempt,)] = second.query("SELECT attempt FROM sessions_app_session WHERE id = %s", session)
        assert desk.run("takeover", second.home).split() == [session]
        again = "SELECT 1 FROM sessions_app_session WHERE id = %s AND attempt > %s AND phase = 'Running'"
        eventually(lambda: second.query(again, session, attempt), "a new attempt runs")
        second.client.sessions.answer(session, question, {"answer": "Blue"})
        assert second.ask_and_wait(session, "/echo again").delivery == "done"
        another = second.client.sessions.create(name="new", project_id="kept", prompt="Look around.").id
        second.wait_phase(another, "Running")
        checks = {row["name"]: row for row in json.loads(second.manage("doctor", "--json"))}
        assert checks["encryption keys"]["state"] == "ok"
        assert second.manage("verify_access") == "grants and bindings agree"
    finally:
        second.stop()


@pytest.fixture
def own_server(tmp_path):
    """A PostgreSQL server that the platform is only given, with a role that is no superuser."""
    server = PostgresServer(Home(tmp_path / "server"), throwaway=True)
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'")
        yield connection, re.sub("//[^@]*@", "//plain:plain@", server.url)
    server.stop()


def make_database(connection, url, name):
    """An empty database of the plain role; its URL."""
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER plain").format(sql.Identifier(name)))
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.mark.timeout(2 * SECONDS)
def test_a_backup_of_a_given_server_is_restored_into_an_empty_database(desk, tmp_path, own_server):
    connection, url = own_server
    home, restored = tmp_path / "home", tmp_path / "restored"
    home.mkdir()
    env = {"DATABASE_URL": make_database(connection, url, "before"), "REDIS_URL": "redis://127.0.0.1:1/0"}
    manage = [sys.executable, str(CHECKOUT / "manage.py")]
    shell = [*manage, "shell", "--no-imports", "-c"]
    run([*manage, "bootstrap", "--migrate"], inherited() | env | {"AMBIENT_HOME": str(home)})
    made = run([*shell, MAKE_ROWS], inherited() | env | {"AMBIENT_HOME": str(home)})
    desk.run("backup", home, **env)
    connection.execute("DROP DATABASE before")
    shutil.rmtree(home)

    env["DATABASE_URL"] = make_database(connection, url, "after")
    desk.run("restore", restored, **env)
    env["AMBIENT_HOME"] = str(restored)
    assert run([*manage, "migrate", "--check"], inherited() | env) == ""
    read = json.loads(run([*shell, READ_ROWS], inherited() | env))
    assert read == [made, None, ["Remember me."], "hush", True]
