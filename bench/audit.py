"""`make bench ARGS=audit`: what the audit log costs a write, with its triggers and without, in turn."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from ambient.embedded.home import Home
from ambient.embedded.platform import manage
from ambient.embedded.services import start_services

Rows = list[tuple[str, str, str]]

SCRIPT = """
import json, statistics, time
from django.db import connection
from projects_app.models import Project, User
from projects_app.services.projects import project_create
from sessions_app.models import Session
from sessions_app.services.sessions import session_create, session_start, session_stop, session_update

project = project_create(actor="admin", values={"name": "bench"})
TRIGGERS = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'sessions_app_session'::regclass AND tgname LIKE %s"

def switch(on):
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS, ["%audit%"])
        names = [name for (name,) in cursor.fetchall()]
        assert names
        for name in names:
            cursor.execute(f"ALTER TABLE sessions_app_session {'ENABLE' if on else 'DISABLE'} TRIGGER {name}")

def create():
    return session_create(actor="admin", project=project, spec={"name": "s", "prompt": "Look. " * 200})

def rename(session):
    session_update(session=session, changes={"name": "t"})

def status(session):
    Session.objects.filter(pk=session.pk).update(phase="Running", status_version=session.status_version + 1)

found = {(what, on): [] for what in ("create", "change", "status") for on in (True, False)}
for turn in range(24):
    on = turn % 2 == 0
    switch(on)
    for _ in range(25):
        begin = time.perf_counter(); made = create(); ended = time.perf_counter()
        found["create", on].append(ended - begin)
        begin = time.perf_counter(); rename(made); ended = time.perf_counter()
        found["change", on].append(ended - begin)
        begin = time.perf_counter(); status(made); ended = time.perf_counter()
        found["status", on].append(ended - begin)
print(json.dumps({f"{what} {on}": statistics.median(times) * 1000 for (what, on), times in found.items()}))
"""
WHAT = {
    "create": "create a session",
    "change": "change a session's name",
    "status": "a status write, which is not in the log",
}


def audit_costs() -> Rows:
    """Rows of (write, measured, budget): p50 without the log's triggers, then with them."""
    with tempfile.TemporaryDirectory(prefix="ambient-bench-") as folder:
        home = Home(Path(folder))
        services = start_services(home, throwaway=True)
        try:
            environment = os.environ | services.environment() | {"AMBIENT_HOME": folder}
            subprocess.run(manage("bootstrap", "--migrate"), env=environment, check=True, capture_output=True)
            done = subprocess.run(
                manage("shell", "--no-imports", "-c", SCRIPT),
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            )
            found = json.loads(done.stdout.strip().splitlines()[-1])
        finally:
            services.stop()
    return [
        (text, f"{found[f'{name} False']:.2f} ms, {found[f'{name} True']:.2f} ms", "none")
        for name, text in WHAT.items()
    ]
