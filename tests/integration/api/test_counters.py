"""The kept counters are right whatever happens to rows, and whoever does it at the same time."""

import os
import random
import threading

import pytest
from django.db import connection

from projects_app.models import Agent, Project, RowCount
from sessions_app.models import Session

WORKERS = 4
STEPS = 2_500 if "FUZZ_EXAMPLES" in os.environ else 200
"""A worker; all of them in `make fuzz`."""
PROJECTS = [f"team-{n}" for n in range(4)]
TABLES = {"agent": "projects_app_agent", "session": "sessions_app_session"}

RESTORE = {
    "agent": "UPDATE projects_app_agent SET deleted_at = NULL WHERE id = %s",
    "session": "UPDATE sessions_app_session SET deleted_at = NULL, desired_state = 'stopped' WHERE id = %s",
}


def counted():
    """What the tables really hold."""
    found = {("project", row.pk): 1 for row in Project.objects.filter(deleted_at=None)}
    for kind, model in (("agent", Agent), ("session", Session)):
        for project in model.objects.filter(deleted_at=None).values_list("project_id", flat=True):
            found[(kind, project)] = found.get((kind, project), 0) + 1
    return found


def kept():
    rows = RowCount.objects.exclude(rows=0).values_list("kind", "project", "rows")
    return {(kind, project): count for kind, project, count in rows}


class Worker:
    """Creates and deletes through the API, moves and restores by SQL."""

    def __init__(self, client, seed, failures):
        self.client, self.random, self.failures = client, random.Random(seed), failures
        self.rows = []

    def run(self):
        try:
            for _ in range(STEPS):
                self.step()
        except Exception as exc:  # noqa: BLE001 - a thread's failure is told to the test
            self.failures.append(repr(exc))
        finally:
            connection.close()

    def step(self):
        kind, project = self.random.choice(["agent", "session"]), self.random.choice(PROJECTS)
        what = self.random.choices(["create", "delete", "move", "restore"], [4, 3, 2, 2])[0]
        if what == "create" or not self.rows:
            return self.create(kind, project)
        kind, pk, home = entry = self.random.choice(self.rows)
        if what == "delete":
            return self.delete(kind, pk, home)
        with connection.cursor() as cursor:
            if what == "move":
                cursor.execute(f"UPDATE {TABLES[kind]} SET project_id = %s WHERE id = %s", [project, pk])
                self.rows[self.rows.index(entry)] = (kind, pk, project)
            else:
                cursor.execute(RESTORE[kind], [pk])

    def create(self, kind, project):
        name = f"{kind}-{self.random.getrandbits(64):x}"
        if kind == "agent":
            response = self.client.call("post", f"/projects/{project}/agents", {"name": name})
        else:
            response = self.client.call("post", "/sessions", {"name": name, "project_id": project})
        assert response.status_code == 201, response.content
        self.rows.append((kind, response.json()["id"], project))

    def delete(self, kind, pk, project):
        path = f"/projects/{project}/agents/{pk}" if kind == "agent" else f"/sessions/{pk}"
        response = self.client.call("delete", path)
        assert response.status_code in (204, 404), response.content


@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_counters_are_right_after_many_changes_by_four_at_once(client_for, admin):
    first = client_for(admin)
    for name in PROJECTS:
        first.call("post", "/projects", {"name": name})
    failures = []
    workers = [Worker(client_for(admin), seed, failures) for seed in range(WORKERS)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert kept() == counted()
    listed = {
        name: first.call("get", f"/sessions?size=1&project_id={name}").json()["total"] for name in PROJECTS
    }
    assert listed == {name: counted().get(("session", name), 0) for name in PROJECTS}


@pytest.mark.django_db(transaction=True)
def test_opposite_moves_do_not_deadlock(client_for, admin):
    client = client_for(admin)
    for name in PROJECTS[:2]:
        client.call("post", "/projects", {"name": name})
    rows = [
        client.call("post", "/sessions", {"name": "s", "project_id": name}).json()["id"]
        for name in PROJECTS[:2]
    ]
    failures = []

    def move(pk, first):
        try:
            with connection.cursor() as cursor:
                for n in range(first, first + 300):
                    target = PROJECTS[n % 2]
                    cursor.execute(
                        "UPDATE sessions_app_session SET project_id = %s WHERE id = %s", [target, pk]
                    )
        except Exception as exc:  # noqa: BLE001 - a thread's failure is told to the test
            failures.append(repr(exc))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=move, args=(pk, first)) for pk, first in zip(rows, (1, 0), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert kept() == counted()
