"""`make bench ARGS=access`: reads of a caller with 10,000 role bindings beside one with a single binding.

Fills a database of its own, serves the API and asks both callers' requests in turn, over HTTP.
"""

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
import psycopg

from ambient.embedded.home import Home, free_port
from ambient.embedded.platform import manage
from ambient.embedded.services import start_services
from bench.admin import served

Rows = list[tuple[str, str, str]]
BUDGET = 1.5
TIMES = 60
PROJECTS = 10_000
SESSIONS = 200_000
CALLERS = {"one": 1, "many": PROJECTS}
"""Caller -> projects that they are bound to. The first project, which both see, holds a full page."""

FILL = """
SET session_replication_role = replica;
INSERT INTO projects_app_project (id, created_at, updated_at)
SELECT 'bench-' || n, now() - make_interval(secs => n), now() FROM generate_series(1, {projects}) n;
INSERT INTO projects_app_agent (id, project_id, name, owner_user_id, llm_model, llm_temperature,
  llm_max_tokens, created_at, updated_at)
SELECT lpad(n::text, 27, '0'), 'bench-' || CASE WHEN n <= 200 THEN 1 ELSE n % {projects} + 1 END,
  'agent-' || n, 'somebody', 'm', 0.5, 100, now(), now() FROM generate_series(1, {projects}) n;
INSERT INTO sessions_app_session (id, project_id, created_by_user_id, name, prompt, llm_model,
  llm_temperature, llm_max_tokens, runner_type, stop_on_run_finished, phase, phase_since, reason, reason_text,
  conditions, desired_state, generation, observed_generation, status_version, attempt, restarts, start_called,
  created_at, updated_at)
SELECT lpad(n::text, 27, '0'), 'bench-' || CASE WHEN n % 100 = 0 THEN 1 ELSE n % {projects} + 1 END,
  'somebody', 's-' || n, repeat('Look at the repository. ', 40), 'm', 0.5, 100, 'demo', false, 'Completed',
  now(), 'Succeeded', 'Filled by the bench.', '[]', 'running', 1, 1, 1, 1, 0, true,
  now() - make_interval(secs => {sessions} - n), now() FROM generate_series(1, {sessions}) n;
INSERT INTO projects_app_rowcount (kind, project, rows)
SELECT 'session', project_id, count(*) FROM sessions_app_session GROUP BY project_id;
INSERT INTO projects_app_rowcount (kind, project, rows)
SELECT 'agent', project_id, count(*) FROM projects_app_agent GROUP BY project_id;
INSERT INTO projects_app_rowcount (kind, project, rows)
SELECT 'project', id, 1 FROM projects_app_project
"""
BIND = """
INSERT INTO projects_app_rolebinding (id, role_id, scope, user_id, project_id, created_at, updated_at)
SELECT left(md5(%(user)s || n), 27), role.id, 'project', %(user)s, 'bench-' || n, now(), now()
FROM generate_series(1, %(projects)s) n, projects_app_role role WHERE role.name = 'project:viewer';
INSERT INTO projects_app_projectuserobjectpermission (user_id, permission_id, content_object_id)
SELECT u.id, permission.id, 'bench-' || n
FROM generate_series(1, %(projects)s) n, projects_app_user u, auth_permission permission
JOIN django_content_type kind ON kind.id = permission.content_type_id, projects_app_role role,
  LATERAL json_array_elements_text(role.permissions::json) entry
WHERE u.username = %(user)s AND kind.app_label = 'projects_app' AND kind.model = 'project'
  AND role.name = 'project:viewer' AND permission.codename = entry
"""
MAKE_USER = """
from projects_app.services.users import user_create
user_create(values={{"username": {0!r}, "name": {0!r}}})
"""


def reads() -> list[tuple[str, str]]:
    """(what, path) of every read that is measured."""
    session, agent = "100".rjust(27, "0"), "1".rjust(27, "0")
    return [
        ("get a session", f"/sessions/{session}"),
        ("list 100 sessions", "/sessions"),
        ("list 100 sessions of a project", "/sessions?project_id=bench-1"),
        ("list sessions by search", "/sessions?project_id=bench-1&search=name+%3D+'s-100'"),
        ("get a project", "/projects/bench-1"),
        ("list projects", "/projects?size=1"),
        ("list 100 agents of a project", "/projects/bench-1/agents"),
        ("get an agent", f"/projects/bench-1/agents/{agent}"),
        ("list role bindings", "/role_bindings?size=1"),
    ]


def filled(environment: dict[str, str]) -> dict[str, str]:
    """Fill the database; returns each caller's API key."""
    run = {"env": environment, "check": True, "capture_output": True, "text": True}
    subprocess.run(manage("bootstrap", "--migrate"), **run)  # type: ignore[call-overload]
    keys = {}
    for user in CALLERS:
        subprocess.run(manage("shell", "--no-imports", "-c", MAKE_USER.format(user)), **run)  # type: ignore[call-overload]
        made = subprocess.run(manage("create_api_key", "--user", user), **run)  # type: ignore[call-overload]
        keys[user] = made.stdout.strip().splitlines()[-1]
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        for statement in FILL.format(projects=PROJECTS, sessions=SESSIONS).split(";\n"):
            connection.execute(statement)
        for user, projects in CALLERS.items():
            for statement in BIND.split(";\n"):
                connection.execute(statement, {"user": user, "projects": projects})
        connection.execute("VACUUM ANALYZE")
    return keys


def seconds_of(client: httpx.Client, path: str) -> float:
    """How long one read takes."""
    begin = time.perf_counter()
    answer = client.get(f"/api/ambient/v1{path}")
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text[:500]}")
    return time.perf_counter() - begin


def access_costs() -> Rows:
    """Rows of (read, measured, budget)."""
    with tempfile.TemporaryDirectory(prefix="ambient-bench-") as folder:
        home = Home(Path(folder))
        services = start_services(home, throwaway=True)
        try:
            environment = os.environ | services.environment() | {"AMBIENT_HOME": folder}
            environment["AMBIENT_API_PORT"] = str(free_port())
            keys = filled(environment)
            rows: Rows = []
            with served(environment, home.path / "api.log") as url:
                clients = {
                    user: httpx.Client(
                        base_url=url, trust_env=False, timeout=60, headers={"Authorization": f"Bearer {key}"}
                    )
                    for user, key in keys.items()
                }
                for what, path in reads():
                    found: dict[str, list[float]] = {user: [] for user in clients}
                    for turn in range(TIMES + 3):
                        for user, client in clients.items():
                            seconds = seconds_of(client, path)
                            if turn >= 3:
                                found[user].append(seconds)
                    one, many = (statistics.median(found[user]) * 1000 for user in CALLERS)
                    ratio = many / one
                    budget = f"{BUDGET}x" + ("" if ratio <= BUDGET else " (missed)")
                    rows.append((what, f"{one:.1f} ms, {many:.1f} ms: {ratio:.2f}x", budget))
                for client in clients.values():
                    client.close()
            return rows
        finally:
            services.stop()
