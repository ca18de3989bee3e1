"""A database of the first migrations, with rows in it, becomes one of the newest and keeps them."""

import json
import subprocess
import sys
import uuid
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings

from ambient.embedded.home import CHECKOUT
from tests.e2e.machine import inherited

FIRST = ("projects_app", "sessions_app", "reconciler")
SCRIPT = """
import json
import django
django.setup()
import pghistory
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

def migrate(targets):
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps

leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
apps = migrate([(app, "0001_initial") for app in FIRST] + [leaf for leaf in leaves if leaf[0] not in FIRST])
project = apps.get_model("projects_app", "Project").objects.create(id="old", description="kept")
with pghistory.context(user="ann", request_id="r-1"):
    session = apps.get_model("sessions_app", "Session").objects.create(
        id="s1", name="old", project=project, environment_variables='{"TOKEN": "hush"}')
    apps.get_model("sessions_app", "Session").objects.update(
        name="renamed", environment_variables='{"TOKEN": "hush-hush"}', generation=2)
    apps.get_model("sessions_app", "Session").objects.update(name="old")
apps.get_model("sessions_app", "SessionStream").objects.create(session_id=session.pk, event_seq=1)
apps.get_model("sessions_app", "Run").objects.create(
    id="r1", session=session, number=1, first_seq=1, last_seq=1, state="finished")
apps.get_model("sessions_app", "SessionEvent").objects.create(
    session_id=session.pk, seq=1, run="r1", type="CUSTOM", event='{"type":"CUSTOM"}')
apps.get_model("sessions_app", "SessionMessage").objects.create(
    id="m1", session=session, seq=1, event_type="user", payload="hello")
apps.get_model("reconciler", "WorkItem").objects.create(kind="session", key="s1")
migrate(leaves)

from projects_app.models import AuditEntry, Project, RowCount
from reconciler.models import WorkItem
from sessions_app.models import Run, Session, SessionEvent, SessionMessage
Session.objects.update(name="old!")
Session.objects.update(name="old")
print(json.dumps({
    "audit": [
        [e.action, e.actor, e.request_id, e.via, e.project, e.before,
         e.after if e.before else sorted(e.after)]
        for e in AuditEntry.objects.filter(kind="Session", object_id="s1").order_by("created_at", "id")
    ],
    "project": Project.objects.get().description,
    "session": Session.objects.live().get().name,
    "run": Run.objects.get().state,
    "event": SessionEvent.objects.get().event,
    "message": SessionMessage.objects.get().payload,
    "work": list(WorkItem.objects.filter(kind="session").values_list("key", flat=True)),
    "counted": sorted(RowCount.objects.filter(rows=1).values_list("kind", flat=True).distinct()),
}))
"""


@pytest.fixture
def database():
    """An empty database on the test run's server; its URL."""
    name = f"upgrade_{uuid.uuid4().hex[:8]}"
    url = settings.DATABASE_URL
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name}")


def test_rows_of_the_first_migrations_are_kept(database, tmp_path):
    env = inherited() | {
        "DATABASE_URL": database,
        "REDIS_URL": settings.REDIS_URL,
        "AMBIENT_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "ambient.settings",
    }
    script = f"FIRST = {FIRST}\n{SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    hidden, changed = "[hidden]", "[changed]"
    known = ["ann", "r-1", "unknown", "old"]
    found = json.loads(done.stdout)
    made, *changes = found.pop("audit")
    assert made[:5] == ["create", *known]
    assert {"name", "environment_variables", "desired_state"} <= set(made[6])
    assert changes == [
        [
            "update",
            *known,
            {"name": "old", "environment_variables": hidden, "generation": 1},
            {"name": "renamed", "environment_variables": changed, "generation": 2},
        ],
        ["update", *known, {"name": "renamed"}, {"name": "old"}],
        ["update", None, None, "command", "old", {"name": "old"}, {"name": "old!"}],
        ["update", None, None, "command", "old", {"name": "old!"}, {"name": "old"}],
    ]
    assert found == {
        "project": "kept",
        "session": "old",
        "run": "finished",
        "event": '{"type":"CUSTOM"}',
        "message": "hello",
        "work": ["s1"],
        "counted": ["project", "session"],
    }
    assert "hush" not in done.stdout
