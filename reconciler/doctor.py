"""What is wrong with this installation, and what to do about it. Every check is short and changes nothing."""

import os
import shutil
import stat
import sys
import time
from collections import Counter
from collections.abc import Iterator
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import django
import psycopg
import redis
from django.conf import settings
from django.core import checks as django_checks
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import KombuError

from ambient import env
from ambient.celery import app
from ambient.common import hints
from ambient.common.encryption import active_key_id, key_ids
from ambient.common.formats import duration
from ambient.common.sealed import sealed_columns
from ambient.embedded.home import Home
from ambient.version import VERSION
from reconciler import overview
from reconciler.findings import FAILED, OK, WARNING, Finding
from reconciler.runnerhost.paths import HostPaths
from reconciler.runnerhost.protocol import HostAway, HostRefused, call
from sessions_app import snapshot_store

LEAST_POSTGRESQL = 150_000  # NULLS NOT DISTINCT
LEAST_BYTES, FEW_BYTES = 256 * 2**20, 2 * 2**30
CLOCK_WARNING, CLOCK_FAILED = 1.0, 5.0
LATE_SECONDS = 60
SAMPLE = 50
ANSWER_SECONDS = 3.0
HUNG_SECONDS = 20.0  # watcher and beat look at the database every 2 s


def examine() -> list[Finding]:
    """All findings. What needs the database is left out when it does not answer."""
    found = [*_settings(), *_home(), *_runner(), *_bucket()]
    database = list(_database())
    found += database
    if all(entry.state != FAILED for entry in database):
        for look in (_direct_url, _migrations, _keys, _clock, _work, _cluster):
            try:
                found += look()
            except Error as exc:
                todo = "run `manage.py migrate`"
                found.append(Finding(look.__name__.strip("_"), FAILED, str(exc).splitlines()[0], todo))
    found += _redis()
    return found + list(_processes())


def _settings() -> Iterator[Finding]:
    yield Finding(
        "version", OK, f"Ambient {VERSION}, Python {sys.version.split()[0]}, Django {django.__version__}"
    )
    yield Finding("mode", OK, f"{env.MODE}, runtime {env.RUNTIME}")
    checked = [entry for entry in django_checks.run_checks() if not entry.is_silenced()]
    problems = [entry for entry in checked if entry.level >= django_checks.WARNING]
    for problem in problems:
        state = FAILED if problem.level >= django_checks.ERROR else WARNING
        yield Finding("settings", state, problem.msg, problem.hint or "see docs/settings.md")
    if not problems:
        yield Finding("settings", OK, "pass the system checks")


def _home() -> Iterator[Finding]:
    if env.MODE == "production" and env.RUNTIME != "process":
        return  # nothing is kept in it
    path = env.HOME
    try:
        found = path.stat()
    except OSError as exc:
        yield Finding("home", FAILED, f"{path}: {exc.strerror}", "run `make up`, or set AMBIENT_HOME")
        return
    if not os.access(path, os.W_OK | os.X_OK):
        yield Finding("home", FAILED, f"{path} cannot be written", "run as its owner, or set AMBIENT_HOME")
    elif stat.S_IMODE(found.st_mode) & 0o077:
        yield Finding("home", WARNING, f"{path} is open to other users", f"chmod 700 {path}")
    else:
        yield Finding("home", OK, str(path))
    yield space(shutil.disk_usage(path).free)


def space(free: int) -> Finding:
    """Free bytes where the home is."""
    text = f"{free / 2**30:.1f} GiB free for {env.HOME}"
    if free < LEAST_BYTES:
        return Finding("space", FAILED, text, "free some space: workspaces are in sessions/")
    if free < FEW_BYTES:
        return Finding("space", WARNING, text, "free some space soon: workspaces are in sessions/")
    return Finding("space", OK, text)


def _runner() -> Iterator[Finding]:
    if env.RUNTIME != "process":
        return
    if os.access(env.RUNNER_PYTHON, os.X_OK):
        yield Finding("runner", OK, str(env.RUNNER_PYTHON))
    else:
        todo = "run `make setup`, or set AMBIENT_RUNNER_PYTHON"
        yield Finding("runner", FAILED, f"{env.RUNNER_PYTHON} cannot be run", todo)
    if shutil.which("git") is None:
        yield Finding("git", WARNING, "git is not installed", "sessions with repositories need it")


def _bucket() -> Iterator[Finding]:
    if not snapshot_store.enabled():
        return
    if problem := snapshot_store.problem():
        todo = "check the AMBIENT_S3_ settings, the keys' rights and the way there: files are not saved"
        yield Finding("bucket", FAILED, problem, todo)
    else:
        yield Finding("bucket", OK, f"{env.S3_BUCKET} answers")


def _database() -> Iterator[Finding]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version_num')::int, current_setting('server_version')"
            )
            number, version = cursor.fetchone()
    except Error as exc:
        reason = str(exc).strip().splitlines()[0]
        yield Finding("postgresql", FAILED, reason, "start it (`make up`), or check DATABASE_URL")
        return
    if number < LEAST_POSTGRESQL:
        yield Finding("postgresql", FAILED, f"version {version}", "PostgreSQL 15 or newer is needed")
    else:
        yield Finding("postgresql", OK, f"version {version}")


def _direct_url() -> Iterator[Finding]:
    if settings.DATABASE_DIRECT_URL == settings.DATABASE_URL:
        return
    try:
        with psycopg.connect(settings.DATABASE_DIRECT_URL, connect_timeout=3, autocommit=True) as direct:
            direct.execute("LISTEN ambient_work")
    except psycopg.Error as exc:
        reason = str(exc).strip().splitlines()[0]
        yield Finding("direct url", FAILED, reason, "check DATABASE_DIRECT_URL: it must bypass poolers")
    else:
        yield Finding("direct url", OK, "listens")


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield Finding("migrations", FAILED, f"{len(missing)} not applied", "run `manage.py migrate`")
    else:
        yield Finding("migrations", OK, "all applied")


def _keys() -> Iterator[Finding]:
    known, active = key_ids(), active_key_id()
    counts: Counter[str] = Counter()
    looked_at = bad = 0
    for column in sealed_columns():
        counts.update(column.counts())
        newest = column.rows().order_by("-pk").values_list("pk", column.field.name)[:SAMPLE]
        opened = [column.opens(pk, sealed) for pk, sealed in newest]
        looked_at, bad = looked_at + len(opened), bad + opened.count(False)
    lost = {key_id: number for key_id, number in counts.items() if key_id not in known}
    waiting = sum(counts[key_id] for key_id in known if key_id != active)
    if lost:
        text = ", ".join(f"{number} of {key_id}" for key_id, number in sorted(lost.items()))
        todo = (
            "put the key back into CREDENTIAL_ENCRYPTION_KEYRING, or into AMBIENT_ENCRYPTION_KEYS after the "
            "newest; a lost one: manage.py rotate_keys --forget KEY"
        )
        yield Finding("encryption keys", FAILED, f"values of keys that are not set: {text}", todo)
    elif bad:
        todo = "they were changed, or belong to other rows: enter credentials again, make sessions anew"
        yield Finding("encryption keys", FAILED, f"{bad} of {looked_at} newest values do not open", todo)
    elif waiting:
        text = f"{waiting} of {counts.total()} values are not on the active key {active}"
        yield Finding("encryption keys", WARNING, text, "run manage.py rotate_keys")
    else:
        text = f"{len(known)} key(s), all {counts.total()} values on {active}, {looked_at} newest open"
        yield Finding("encryption keys", OK, text)


def _clock() -> Iterator[Finding]:
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        theirs: float = cursor.fetchone()[0]
    yield clock(theirs - (before + time.time()) / 2)


def clock(apart: float) -> Finding:
    """The database's clock against ours, in seconds."""
    text = f"{abs(apart):.2f} s {'ahead of' if apart < 0 else 'behind'} the database's"
    todo = "synchronise this machine's clock (NTP): tokens are refused and ages are wrong"
    if abs(apart) >= CLOCK_FAILED:
        return Finding("clock", FAILED, text, todo)
    if abs(apart) >= CLOCK_WARNING:
        return Finding("clock", WARNING, text, todo)
    return Finding("clock", OK, text)


def _work() -> Iterator[Finding]:
    due, retrying = overview.due_items(), overview.retrying_items()
    late = (due[0].now - due[0].due_at).total_seconds() if due else 0.0
    if late > LATE_SECONDS:
        text = f"{due[0].kind} {due[0].key} has been due for {duration(late)}"
        yield Finding("work", FAILED, text, "start worker and watcher or beat; look at their logs")
    elif retrying:
        first = retrying[0]
        text = f"{first.kind} {first.key} retries, attempt {first.attempts}: {first.last_error or 'no error'}"
        more = ", and others do" if len(retrying) > 1 else ""
        shows = f"manage.py session_show {first.key}" if first.kind == "session" else "Work in the admin"
        yield Finding("work", WARNING, text + more, shows)
    else:
        yield Finding("work", OK, f"{len(due)} due" if due else "nothing is due")


def _redis() -> Iterator[Finding]:
    try:
        info = hints.client().info("server")
    except redis.RedisError as exc:
        yield Finding("redis", FAILED, str(exc), "start it (`make up`), or check REDIS_URL")
        return
    version = info.get("valkey_version") or info.get("redis_version")
    yield Finding("redis", OK, f"version {version}")


def _cluster() -> Iterator[Finding]:
    if env.RUNTIME == "process":
        return
    from reconciler.kubernetes import doctor as cluster_doctor  # the client is heavy, and not for everybody

    yield from cluster_doctor.look()


def _processes() -> Iterator[Finding]:
    for name, url in (("api", env.API_URL), ("control-plane", env.CONTROL_PLANE_URL)):
        yield server(name, url)
    yield _present("worker", _workers(), "manage.py worker")
    quiet = _quiet_seconds()
    for name in ("watcher", "beat"):
        if quiet.get(name, 0.0) > HUNG_SECONDS:
            yield hung(name, f"has not looked at the database for {duration(quiet[name])}")
        else:
            yield _present(name, name in quiet, f"manage.py {name}")
    if env.RUNTIME == "process":
        yield _runner_host()


def _runner_host() -> Finding:
    held = Home(env.HOME).holder("runner-host") is not None
    if held:
        try:
            call(HostPaths(env.HOME), "observe", sessions=[])
        except (HostAway, HostRefused) as exc:
            return hung("runner-host", f"does not answer: {exc}")
    return _present("runner-host", held, "manage.py runner_host")


def hung(name: str, how: str) -> Finding:
    """A process that is there and does nothing."""
    return Finding(name, FAILED, f"is there but {how}", "look at its log, then end it: it is started again")


def server(name: str, url: str) -> Finding:
    """Whether a server says that it is ready."""
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(f"{url}/readyz", timeout=ANSWER_SECONDS):
            return Finding(name, OK, f"ready at {url}")
    except HTTPError as exc:
        text = exc.read(2000).decode(errors="replace").strip()
        return Finding(name, FAILED, f"not ready at {url}: {text}", "see what it names")
    except (URLError, OSError, ValueError) as exc:
        return Finding(name, FAILED, f"does not answer at {url}: {exc}", f"start it: manage.py serve {name}")


def _present(name: str, there: bool, command: str) -> Finding:
    if there:
        return Finding(name, OK, "runs")
    return Finding(name, FAILED, "is not there", f"start it: {command} (or `make up`)")


def _workers() -> bool:
    try:
        return bool(app.control.ping(timeout=ANSWER_SECONDS, limit=1))
    except (redis.RedisError, KombuError, OSError):
        return False


def _quiet_seconds() -> dict[str, float]:
    """Process types that have a connection to the database, and how long ago they used it."""
    sql = """SELECT application_name, min(extract(epoch FROM clock_timestamp() - state_change))::float8
             FROM pg_stat_activity WHERE application_name LIKE 'ambient-%%' GROUP BY application_name"""
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return {name.removeprefix("ambient-"): seconds or 0.0 for name, seconds in cursor.fetchall()}
    except Error:
        return {}
