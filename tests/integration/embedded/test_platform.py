"""The whole platform from outside, with a stand-in for `manage.py`."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from ambient.common.processes import children_of, is_alive
from ambient.embedded.home import Home, free_port
from ambient.embedded.services import running_services

from .conftest import clean_env, eventually

# The commands of the real one, as far as the embedded platform sees them.
MANAGE = """
import http.server, os, sys, time
import psycopg
if sys.argv[1] == "bootstrap":
    psycopg.connect(os.environ["DATABASE_URL"]).close()
    print(sys.argv[1], "ok" if os.environ.get("FAIL") != sys.argv[1] else sys.exit("no " + sys.argv[1]))
elif sys.argv[1] == "serve":
    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/readyz" else 404)
            self.end_headers()
        def log_message(self, *args):
            pass
    name = {"api": "AMBIENT_API_PORT", "control-plane": "AMBIENT_CONTROL_PLANE_PORT"}[sys.argv[2]]
    http.server.HTTPServer(("127.0.0.1", int(os.environ[name])), Ready).serve_forever()
else:
    if os.environ.get("FAIL") == sys.argv[1]:
        sys.exit(9)
    time.sleep(600)
"""
CLI = """
import sys
from pathlib import Path
from ambient.embedded import backoff, cli, platform
backoff.FIRST_SECONDS = 0.05
platform.CHECKOUT = Path(sys.argv[1])
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.fixture
def where(tmp_path):
    """A checkout with the stand-in, and the variables of one platform."""
    (tmp_path / "manage.py").write_text(MANAGE)
    ports = {name: str(free_port()) for name in ("AMBIENT_API_PORT", "AMBIENT_CONTROL_PLANE_PORT")}
    return tmp_path, {"AMBIENT_HOME": str(tmp_path / "home"), **ports}


@pytest.fixture
def cli(where, start_python):
    checkout, variables = where

    def start(*arguments, **extra):
        return start_python(CLI, checkout, *arguments, **{**variables, **extra})

    return start


@pytest.fixture
def run(cli):
    def run_to_end(*arguments, **extra):
        child = cli(*arguments, **extra)
        text, _ = child.communicate(timeout=120)
        return child.returncode, text

    return run_to_end


def until(child, text):
    """All lines up to the one with this text."""
    seen = []
    for line in child.stdout:
        seen.append(line)
        if text in line:
            return "".join(seen)
    raise AssertionError("".join(seen))


def test_up_status_second_up_and_down(cli, run, where):
    home = Home(where[0] / "home")
    up = cli("up")
    said = until(up, "Ctrl-C")
    for part in (
        "the database is up to date",
        "api is ready",
        "control-plane is ready",
        "bootstrap ok",
    ):
        assert part in said
    family = [pid for pid in children_of(up.pid) if is_alive(pid)]
    assert len(family) == 9  # six process types, PostgreSQL, Valkey, the guard
    code, text = run("status")
    assert (code, text.count("ready")) == (0, 2)
    code, text = run("up")
    assert (code, text) == (1, f"error: a platform already runs on {home} (pid {up.pid}, a platform)\n")
    code, text = run("run", "--", sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'])")
    assert (code, text.strip()) == (0, running_services(home)["database_url"])
    code, text = run("down")
    assert (code, text) == (0, f"stopped the platform on {home}\n")
    assert up.wait(60) == 0
    assert not any(is_alive(pid) for pid in family)
    assert run("down") == (0, f"no platform runs on {home}\n")
    assert run("status")[0] == 3


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_signal_stops_everything(cli, number):
    up = cli("up")
    until(up, "Ctrl-C")
    family = list(children_of(up.pid))
    up.send_signal(number)
    text, _ = up.communicate(timeout=60)
    assert (up.returncode, text.splitlines()[-1]) == (0, "stopped")
    assert not any(is_alive(pid) for pid in family)


def test_killed_platform_leaves_nobody_and_starts_again(cli):
    up = cli("up")
    until(up, "Ctrl-C")
    family = list(children_of(up.pid))
    up.kill()
    eventually(lambda: not any(is_alive(pid) for pid in family))
    again = cli("up")
    until(again, "Ctrl-C")


@pytest.mark.parametrize("variable", ["AMBIENT_API_PORT", "AMBIENT_CONTROL_PLANE_PORT"])
def test_port_in_use_is_one_line(run, where, variable):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(where[1][variable])))
        taken.listen()
        code, text = run("up")
    assert code == 1
    assert len(text.splitlines()) == 1
    assert f"port {where[1][variable]}" in text
    assert f"set {variable} to another one" in text


def test_failed_migration_stops_the_start(run, where):
    code, text = run("up", FAIL="bootstrap")
    assert code == 1
    assert text.endswith("error: `manage.py bootstrap` failed (exit code 1), see the lines above\n")
    assert "no bootstrap" in text
    assert running_services(Home(where[0] / "home")) is None


def test_process_that_was_given_up_is_told_at_the_end(cli):
    up = cli("up", FAIL="beat")
    until(up, "given up, not started again")
    up.send_signal(signal.SIGINT)
    text, _ = up.communicate(timeout=60)
    assert up.returncode == 1
    assert "given up after too many crashes: beat" in text or "beat crashed too often" in text


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param([sys.executable, "-c", "raise SystemExit(7)"], 7, id="exit-code"),
        pytest.param([sys.executable, "-c", "import os; os.kill(os.getpid(), 15)"], 143, id="signal"),
        pytest.param(["/no/such/program"], 1, id="no-such-program"),
        pytest.param([], 1, id="no-command"),
    ],
)
def test_run_passes_the_exit_code_on(run, where, command, code):
    assert run("run", "--", *command)[0] == code
    assert running_services(Home(where[0] / "home")) is None


def test_run_gives_working_services_of_its_own(run):
    code = (
        "import os, psycopg, redis; psycopg.connect(os.environ['DATABASE_URL']).close();"
        "print(redis.Redis.from_url(os.environ['REDIS_URL']).ping())"
    )
    assert run("run", "--", sys.executable, "-c", code) == (0, "True\n")


INNER_TEST = """
import os, pathlib, psycopg, pytest, redis
@pytest.mark.parametrize("n", range(8))
def test_services(n):
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_setting('fsync')").fetchone() == ("off",)
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    assert client.incr("seen") <= 8
    worker = os.environ.get("PYTEST_XDIST_WORKER", "none")
    with open(os.environ["NOTES"], "a") as file:
        number = client.connection_pool.connection_kwargs["db"]
        file.write(f"{worker} {number} {os.environ['AMBIENT_HOME']}\\n")
    if os.environ.get("HANG"):
        import signal
        os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize(
    ("options", "extra", "code", "pairs"),
    [
        pytest.param([], {}, 0, {("none", "0")}, id="plain-run"),
        pytest.param(["-n2"], {}, 0, {("gw0", "1"), ("gw1", "2")}, id="each-xdist-worker-has-its-database"),
        pytest.param([], {"HANG": "1"}, 2, {("none", "0")}, id="interrupted-run"),
    ],
)
def test_services_plugin(tmp_path, options, extra, code, pairs):
    (tmp_path / "test_inner.py").write_text(INNER_TEST)
    notes = tmp_path / "notes"
    plugins = ["-p", "tests.services_plugin", "-p", "no:django", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            os.devnull,
            "--rootdir",
            ".",
            *plugins,
            *options,
            "test_inner.py",
        ],
        cwd=tmp_path,
        env=clean_env(NOTES=str(notes), TMPDIR=str(tmp_path), **extra),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    entries = [line.split() for line in notes.read_text().splitlines()]
    assert {(worker, number) for worker, number, _ in entries} == pairs
    assert not list(tmp_path.glob("ambient-test-*"))
    assert {os.path.dirname(home) for *_, home in entries} == {str(tmp_path)}
