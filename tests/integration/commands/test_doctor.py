"""doctor names what is not well and what to do; its exit code says whether something failed."""

import json
import socket

import psycopg
import pytest
from django.db import OperationalError
from redis import ConnectionError as RedisAway

from ambient import env
from ambient.embedded.home import Home
from reconciler import doctor
from reconciler.models import WorkItem
from reconciler.runnerhost import protocol
from reconciler.runnerhost.paths import HostPaths
from sessions_app.models import Session
from sessions_app.streams.pools import conninfo
from tests.factories import SessionFactory


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(env, "HOME", tmp_path)
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def no_processes(monkeypatch):
    """None of the platform's processes run in this test; nobody waits for their answers."""
    monkeypatch.setattr(doctor, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(env, "API_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(env, "CONTROL_PLANE_URL", "http://127.0.0.1:1")


def findings(run):
    code, out, _ = run("doctor", "--json")
    return code, {entry["name"]: entry for entry in json.loads(out)}


def test_what_is_there_is_well_and_what_is_not_is_named(run, db, home, no_processes):
    code, found = findings(run)
    assert code == 1
    well = (
        "version",
        "mode",
        "settings",
        "home",
        "space",
        "postgresql",
        "migrations",
        "encryption keys",
        "clock",
        "work",
        "redis",
    )
    assert {found[name]["state"] for name in well} == {"ok"}, found
    for name in ("api", "control-plane", "worker", "watcher", "beat", "runner-host"):
        assert (found[name]["state"], "start it" in found[name]["todo"]) == ("failed", True)


def test_all_well_is_exit_0(run, db, home, monkeypatch):
    monkeypatch.setattr(doctor, "_processes", lambda: [])
    code, out, err = run("doctor")
    assert (code, err) == (0, "")
    assert "PostgreSQL".lower() in out


def test_as_text_it_says_what_to_do(run, db, home, no_processes):
    code, out, err = run("doctor")
    assert (code, "-> start it: manage.py worker" in out, "failed" in err) == (1, True, True)


def no_database(monkeypatch):
    class Away:
        def cursor(self):
            raise OperationalError("connection refused\nmore")

    monkeypatch.setattr(doctor, "connection", Away())


def no_redis(monkeypatch):
    class Away:
        def info(self, section):
            raise RedisAway("connection refused")

    monkeypatch.setattr(doctor.hints, "client", Away)


def other_keys(monkeypatch):
    SessionFactory()
    Session.objects.update(runner_secret="enc:00000000:AAAA")


def late_work(monkeypatch):
    SessionFactory()
    WorkItem.objects.update(due_at="2026-01-01T00:00:00Z")


def no_runner(monkeypatch):
    monkeypatch.setattr(env, "RUNNER_PYTHON", env.HOME / "nothing")


def no_home(monkeypatch):
    monkeypatch.setattr(env, "HOME", env.HOME / "nothing")


def no_verifier(monkeypatch):
    monkeypatch.setattr("django.conf.settings.BEARER_VERIFIERS", ["no.such.verifier"])


@pytest.mark.parametrize(
    ("fault", "name", "todo"),
    [
        (no_database, "postgresql", "DATABASE_URL"),
        (no_redis, "redis", "REDIS_URL"),
        (other_keys, "encryption keys", "AMBIENT_ENCRYPTION_KEYS"),
        (late_work, "work", "worker"),
        (no_runner, "runner", "make setup"),
        (no_home, "home", "AMBIENT_HOME"),
        (no_verifier, "settings", "docs/settings.md"),
    ],
    ids=lambda value: getattr(value, "__name__", "").replace("_", "-"),
)
def test_faults(run, db, home, monkeypatch, fault, name, todo):
    monkeypatch.setattr(doctor, "_processes", lambda: [])
    fault(monkeypatch)
    code, found = findings(run)
    assert (code, found[name]["state"]) == (1, "failed"), found
    assert todo in found[name]["todo"]


def test_an_open_home_is_a_warning(run, db, home, monkeypatch):
    monkeypatch.setattr(doctor, "_processes", lambda: [])
    home.chmod(0o755)
    code, found = findings(run)
    assert (code, found["home"]["state"]) == (0, "warning")


@pytest.mark.parametrize(
    ("mode", "runtime", "looked"),
    [
        pytest.param("production", "kubernetes", False, id="a-pod-keeps-nothing-in-it"),
        pytest.param("production", "process", True, id="workspaces-are-in-it"),
        pytest.param("development", "kubernetes", True, id="keys-are-in-it"),
    ],
)
def test_a_home_is_looked_at_where_something_is_in_it(home, monkeypatch, mode, runtime, looked):
    monkeypatch.setattr(env, "MODE", mode)
    monkeypatch.setattr(env, "RUNTIME", runtime)
    assert [entry.name for entry in doctor._home()] == (["home", "space"] if looked else [])


@pytest.mark.parametrize(
    ("apart", "state"),
    [(0.0, "ok"), (-0.9, "ok"), (2.0, "warning"), (-4.0, "warning"), (6.0, "failed"), (-60.0, "failed")],
)
def test_clock(apart, state):
    assert doctor.clock(apart).state == state


@pytest.mark.parametrize(
    ("gib", "state"),
    [(100, "ok"), (2, "ok"), (1.9, "warning"), (0.3, "warning"), (0.2, "failed"), (0, "failed")],
)
def test_space(gib, state):
    assert doctor.space(int(gib * 2**30)).state == state


def test_a_server_that_is_not_ready_says_what(live_server, monkeypatch):
    assert doctor.server("api", live_server.url).state == "ok"
    monkeypatch.setitem(doctor_checks(), "mine", lambda: "is tired")
    found = doctor.server("api", live_server.url)
    assert (found.state, "is tired" in found.text) == ("failed", True)


@pytest.mark.parametrize("name", ["watcher", "beat"])
def test_a_process_that_is_there_but_hangs(run, transactional_db, home, no_processes, monkeypatch, name):
    with psycopg.connect(conninfo(), application_name=f"ambient-{name}"):
        _, found = findings(run)
        assert found[name]["state"] == "ok"
        monkeypatch.setattr(doctor, "HUNG_SECONDS", 0)
        _, found = findings(run)
    assert (found[name]["state"], "has not looked" in found[name]["text"]) == ("failed", True)


def test_a_runner_host_that_does_not_answer(home, monkeypatch):
    monkeypatch.setattr(protocol, "TIMEOUT_SECONDS", 0.1)
    paths = HostPaths(home)
    with Home(home).lock("runner-host", what="a test"), socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(paths.socket))
        listener.listen()
        found = doctor._runner_host()
    assert (found.state, "does not answer" in found.text) == ("failed", True)


def doctor_checks():
    from ambient.common import health

    return health._checks
