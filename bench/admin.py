"""`make bench ARGS=admin`: the admin's pages over a million sessions, one with a million events and messages.

Fills a database of its own (in bulk, past the triggers), serves the API and asks every page over HTTP. The
number of queries is counted by asking the same pages inside this process, once with little and once with all.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psycopg

from ambient.embedded.home import Home, free_port
from ambient.embedded.platform import manage
from ambient.embedded.services import start_services

Rows = list[tuple[str, str, str]]
BUDGET_SECONDS = 1.0
TIMES = 5
SMALL = 1_000
PROJECTS = 1_000
WORK = 100_000
NAMED = "0000000000000000000{:08d}"

FILL = """
SET session_replication_role = replica;
TRUNCATE sessions_app_session, sessions_app_sessionstream, sessions_app_sessionevent,
  sessions_app_sessionmessage, sessions_app_run, reconciler_workitem, sessions_app_streamowner CASCADE;
DELETE FROM projects_app_rowcount WHERE kind IN ('session', 'project', 'agent');
INSERT INTO projects_app_project (id, created_at, updated_at, description)
SELECT 'bench-' || n, now(), now(), 'Filled' FROM generate_series(1, {projects}) n ON CONFLICT DO NOTHING;
INSERT INTO projects_app_agent (id, project_id, name, owner_user_id, llm_model, llm_temperature,
  llm_max_tokens, created_at, updated_at)
SELECT lpad(n::text, 27, '0'), 'bench-' || n, 'agent-' || n, 'somebody', 'm', 0.5, 100, now(), now()
FROM generate_series(1, {projects}) n ON CONFLICT DO NOTHING;
INSERT INTO sessions_app_session (id, project_id, created_by_user_id, name, prompt, llm_model,
  llm_temperature, llm_max_tokens, runner_type, stop_on_run_finished, phase, phase_since, reason, reason_text,
  conditions, desired_state, generation, observed_generation, status_version, attempt, restarts, start_called,
  created_at, updated_at)
SELECT lpad(n::text, 27, '0'), 'bench-' || (n % {projects} + 1), 'somebody',
  (ARRAY['fix','review','watch','report'])[n % 4 + 1] || '-' || n, repeat('Look at the repository. ', 40),
  'm', 0.5, 100, 'demo', false,
  CASE WHEN n % 100 < 85 THEN 'Completed' WHEN n % 100 < 92 THEN 'Failed' WHEN n % 100 < 98 THEN 'Stopped'
       WHEN n % 1000 = 999 THEN 'Running' ELSE 'Stopped' END,
  now() - make_interval(secs => {sessions} - n),
  CASE WHEN n % 100 < 85 THEN 'Succeeded'
       WHEN n % 100 < 92 THEN (ARRAY['RunnerExited','StartDeadline','Timeout','OutOfMemory'])[n % 4 + 1]
       ELSE 'StoppedByUser' END,
  'Filled by the bench.', '[]', CASE WHEN n % 100 >= 92 THEN 'stopped' ELSE 'running' END,
  1, 1, 1, 1, 0, true,
  now() - make_interval(secs => {sessions} - n), now()
FROM generate_series(1, {sessions}) n;
INSERT INTO sessions_app_sessionstream (session_id, owner, epoch, event_seq, run_index)
SELECT lpad(n::text, 27, '0'), CASE WHEN n % 1000 = 999 THEN 'process-' || (n / 1000 % 2) END, 1, 0, 0
FROM generate_series(1, {sessions}) n;
INSERT INTO sessions_app_streamowner (process, hostname, started_at, expires_at)
SELECT 'process-' || n, 'bench', now(), now() + interval '1 day' FROM generate_series(0, 1) n;
INSERT INTO sessions_app_run (id, session_id, number, trigger, input, state, attachable, created_at)
SELECT 'run-' || n, lpad('{sessions}', 27, '0'), n, 'message', '{{}}', 'finished', false, now()
FROM generate_series(1, {sessions} / 10) n;
INSERT INTO sessions_app_sessionevent (session_id, seq, run, type, event, created_at)
SELECT lpad('{sessions}', 27, '0'), n, 'run-1', 'TEXT_MESSAGE_CONTENT',
  '{{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"' || repeat('word ', 20) || n || '"}}', now()
FROM generate_series(1, {sessions}) n;
INSERT INTO sessions_app_sessionmessage (id, session_id, seq, event_type, payload, created_at)
SELECT lpad(n::text, 27, '0'), lpad('{sessions}', 27, '0'), n, 'assistant', repeat('word ', 20) || n, now()
FROM generate_series(1, {sessions}) n;
INSERT INTO reconciler_workitem (kind, key, project, version, due_at, urgent, attempts, last_error,
  requested_at)
SELECT 'session', lpad(n::text, 27, '0'), 'bench-1', 1,
  now() + make_interval(secs => CASE WHEN n % 500 = 0 THEN -n ELSE 3600 END), false,
  CASE WHEN n % 200 = 0 THEN 5 ELSE 0 END, CASE WHEN n % 200 = 0 THEN 'ClusterUnreachable: away' END, now()
FROM generate_series(1, least({work}, {sessions})) n;
INSERT INTO projects_app_rowcount (kind, project, rows)
SELECT 'session', project_id, count(*) FROM sessions_app_session GROUP BY project_id;
"""


def pages(sessions: int) -> list[tuple[str, str]]:
    """(what, path) of every page that is measured."""
    pk, middle = NAMED.format(sessions), NAMED.format(sessions // 2)
    of = f"/admin/sessions_app/session/{pk}"
    lists = "/admin/sessions_app/session/"
    return [
        ("dashboard", "/admin/"),
        ("sessions, newest", lists),
        ("sessions, from the middle", f"{lists}?older_than={middle}"),
        ("sessions, back from the middle", f"{lists}?newer_than={middle}"),
        ("sessions, phase Completed", f"{lists}?phase__exact=Completed"),
        ("sessions, phase Failed", f"{lists}?phase__exact=Failed"),
        ("sessions, phase Creating (none)", f"{lists}?phase__exact=Creating"),
        ("sessions, failed for one reason", f"{lists}?phase__exact=Failed&reason__exact=Timeout"),
        ("sessions, failed for a rare reason", f"{lists}?phase__exact=Failed&reason__exact=Evicted"),
        ("sessions, of a project", f"{lists}?project=bench-7"),
        ("sessions, search by id", f"{lists}?q={middle}"),
        ("sessions, search by the id's beginning", f"{lists}?q={middle[:-2]}"),
        ("sessions, search by a name", f"{lists}?q=review-{sessions // 2 + 1}"),
        ("sessions, search by a common name", f"{lists}?q=fix"),
        ("sessions, search by a project", f"{lists}?q=bench-7"),
        ("sessions, search without result", f"{lists}?q=nothing-of-that-name"),
        ("one session with a million events", f"{of}/change/"),
        ("its events, newest", f"{of}/events/"),
        ("its events, from the middle", f"{of}/events/?older_than={sessions // 2}"),
        ("its messages, newest", f"{of}/messages/"),
        ("its messages, from the middle", f"{of}/messages/?older_than={sessions // 2}"),
        ("its runs", f"{of}/runs/"),
        ("work items", "/admin/reconciler/workitem/"),
        ("work items, due", "/admin/reconciler/workitem/?state=due"),
        ("work items, retrying", "/admin/reconciler/workitem/?state=retrying"),
        ("projects", "/admin/projects_app/project/"),
        ("agents", "/admin/projects_app/agent/"),
        ("users", "/admin/projects_app/user/"),
        ("role bindings", "/admin/projects_app/rolebinding/"),
        ("API keys", "/admin/projects_app/apikey/"),
    ]


def fill(url: str, sessions: int) -> float:
    """Fill the tables; returns the seconds it took."""
    begin = time.perf_counter()
    sql = FILL.format(sessions=sessions, projects=PROJECTS, work=WORK)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in filter(None, map(str.strip, sql.split(";\n"))):
            connection.execute(statement)
        connection.execute("VACUUM ANALYZE")
    return time.perf_counter() - begin


@contextmanager
def served(environment: dict[str, str], log: Path) -> Iterator[str]:
    """The API of this database; yields its URL once it answers."""
    url = f"http://127.0.0.1:{environment['AMBIENT_API_PORT']}"
    with log.open("w") as file:
        server = subprocess.Popen(manage("serve", "api"), env=environment, stdout=file, stderr=file)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the API does not answer: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait()


def signed_in(url: str, password: str) -> httpx.Client:
    """A browser's cookies after the sign-in."""
    client = httpx.Client(base_url=url, trust_env=False, timeout=120, headers={"Referer": f"{url}/"})
    client.get("/admin/login/")
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
    answer = client.post("/admin/login/", data=form)
    if answer.status_code != 302:
        raise RuntimeError(f"sign-in answered {answer.status_code}")
    return client


def seconds_of(client: httpx.Client, path: str) -> list[float]:
    """How long a page takes, after one unmeasured time."""
    found = []
    for _ in range(TIMES + 1):
        begin = time.perf_counter()
        answer = client.get(path)
        found.append(time.perf_counter() - begin)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
    return found[1:]


COUNT = """
import json, sys
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from projects_app.models import User
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.get(username="admin"))
counts = []
for path in json.load(sys.stdin):
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    counts.append(len(captured) if answer.status_code == 200 else -answer.status_code)
print(json.dumps(counts))
"""


def queries_of(environment: dict[str, str], paths: list[str]) -> list[int]:
    """How many queries each page asks."""
    script = f"import io, sys; sys.stdin = io.StringIO({json.dumps(paths)!r})\n{COUNT}"
    done = subprocess.run(
        manage("shell", "--no-imports", "-c", script),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return list(map(int, json.loads(done.stdout.strip().splitlines()[-1])))


def admin_pages(sessions: int) -> tuple[Rows, float]:
    """Rows of (page, measured, budget), and the seconds that the fill took."""
    with tempfile.TemporaryDirectory(prefix="ambient-bench-") as folder:
        home = Home(Path(folder))
        services = start_services(home, throwaway=True)
        try:
            environment = os.environ | services.environment() | {"AMBIENT_HOME": folder}
            environment["AMBIENT_API_PORT"] = str(free_port())
            subprocess.run(manage("bootstrap", "--migrate"), env=environment, check=True, capture_output=True)
            password = (home.path / "admin.password").read_text().strip()
            fill(environment["DATABASE_URL"], SMALL)
            few = queries_of(environment, [path for _, path in pages(SMALL)])
            took = fill(environment["DATABASE_URL"], sessions)
            many = queries_of(environment, [path for _, path in pages(sessions)])
            rows: Rows = []
            with (
                served(environment, home.path / "api.log") as url,
                closing(signed_in(url, password)) as client,
            ):
                for (what, path), before, after in zip(pages(sessions), few, many, strict=True):
                    seconds = seconds_of(client, path)
                    slow = max(seconds) > BUDGET_SECONDS
                    grown = f" (missed: {before} with {SMALL:,})" if after > before else ""
                    p50, worst = statistics.median(seconds) * 1000, max(seconds) * 1000
                    measured = f"p50 {p50:.0f} ms, worst {worst:.0f} ms, {after} queries{grown}"
                    rows.append((what, measured, "1 s" + (" (missed)" if slow else "")))
            return rows, took
        finally:
            services.stop()
