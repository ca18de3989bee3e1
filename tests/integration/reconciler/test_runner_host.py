"""The runner host as a real process with a small fake runner: no orphan, no double, no kill of a stranger."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ambient.common import marks
from reconciler.models import WorkItem
from reconciler.runnerhost.child import CannotStart, remove_tree, runner_python
from reconciler.runnerhost.paths import HostPaths
from reconciler.runnerhost.protocol import HostAway, HostRefused, call
from tests.integration.reconciler.conftest import Processes, eventually

SECRET = "the-runner-secret-of-this-test"


@pytest.fixture(scope="module")
def fake_runner(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("fake") / "python"
    source = Path(__file__).with_name("fake_runner.py").read_text()
    path.write_text(f"#!{sys.executable}\n{source}")
    path.chmod(0o755)
    return path


class Host:
    """One runner host process and the questions to it."""

    def __init__(self, processes: Processes, fake: Path, **variables: str) -> None:
        self.processes = processes
        self.paths = HostPaths(processes.home)
        self.variables = {
            "AMBIENT_RUNNER_PYTHON": str(fake),
            "AMBIENT_LIVENESS_SECONDS": "1.5",
            "AMBIENT_STOP_GRACE_SECONDS": "1",
            "SECRET_OF_THE_HOST": "must not reach a runner",
        } | variables
        self.start()

    def start(self) -> None:
        self.process = self.processes.start("runner_host", **self.variables)
        eventually(self.answers, "an answer of the host")

    def answers(self) -> bool:
        try:
            return "sessions" in self.call("observe", sessions=[])
        except HostAway:
            assert self.process.poll() is None, self.processes.log_of(self.process)
            return False

    def call(self, operation: str, **arguments):
        return call(self.paths, operation, **arguments)

    def apply(self, session: str, attempt: int = 1, behaviour: str = "") -> None:
        document = {
            "session_id": session,
            "generation": 1,
            "attempt": attempt,
            "runner_secret": SECRET,
            "launch_token": "f" * 64,
            "spec": {"environment_variables": {"BEHAVIOUR": behaviour}},
        }
        self.call("apply", session=session, project="p", attempt=attempt, launch=document)

    def delete(self, session: str, up_to: int, *, purge: bool = False) -> None:
        self.call("delete", session=session, project="p", up_to_attempt=up_to, purge=purge)

    def observe(self, session: str) -> dict:
        return self.call("observe", sessions=[session])["sessions"][session]

    def ready(self, session: str) -> dict:
        eventually(lambda: self.observe(session).get("ready"), f"{session} ready")
        return self.observe(session)

    def ended(self, session: str) -> dict:
        eventually(lambda: self.observe(session).get("exit"), f"the end of {session}")
        return self.observe(session)

    def pids(self, session: str = "") -> list[int]:
        everything = marks.marked_pids(self.paths.mark)
        return [pid for pid in everything if f"/{session}" in mark_of(pid)]


def mark_of(pid: int) -> str:
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    return next((e.decode() for e in entries if e.startswith(marks.VARIABLE.encode())), "")


@pytest.fixture(scope="module")
def host(django_db_setup, django_db_blocker, fake_runner, tmp_path_factory):
    folder = tmp_path_factory.mktemp("host")
    home = folder / "home"
    home.mkdir()
    with django_db_blocker.unblock():
        processes = Processes(home, folder)
    found = Host(processes, fake_runner)
    yield found
    processes.stop()
    assert marks.marked_pids(found.paths.mark) == []


def test_a_runner_becomes_ready_and_is_seen(host, transactional_db):
    host.apply("ready1")
    found = host.ready("ready1")
    assert found["instance"].startswith("instance-")
    assert found["endpoint"].startswith("http://127.0.0.1:")
    assert found["objects"] == ["runner", "workspace"]
    eventually(lambda: WorkItem.objects.filter(kind="session", key="ready1").exists(), "a sighting")
    assert "attempt 1 in" in host.call("logs", session="ready1", lines=5)["text"]
    host.delete("ready1", 1)
    eventually(lambda: not host.observe("ready1")["exists"], "gone")
    assert host.observe("ready1")["objects"] == ["workspace"]


def test_a_runner_sees_a_scrubbed_environment(host):
    host.apply("scrubbed1", behaviour="environment")
    host.ready("scrubbed1")
    [line] = [
        line
        for line in host.call("logs", session="scrubbed1", lines=50)["text"].splitlines()
        if line.startswith("environment:")
    ]
    names = set(json.loads(line.removeprefix("environment:")))
    assert {"HOME", "PATH", marks.VARIABLE} <= names
    assert not names & {"SECRET_OF_THE_HOST", "DATABASE_URL", "REDIS_URL", "AMBIENT_SECRET_KEY"}
    launch_files = list(host.paths.session("scrubbed1").glob("launch-*"))
    assert launch_files == []


def test_a_crash_tells_its_code_and_last_lines_without_the_secret(host):
    host.apply("crash1", behaviour="crash")
    found = host.ended("crash1")
    assert found["exit"] == {"code": 7, "signal": None}
    assert "cannot go on, my secret is [hidden]" in found["message"]
    assert SECRET not in json.dumps(found)


def test_a_killed_runner_tells_its_signal(host):
    host.apply("killed1")
    host.ready("killed1")
    [pid] = host.pids("killed1")
    os.kill(pid, signal.SIGKILL)
    assert host.ended("killed1")["exit"] == {"code": None, "signal": "SIGKILL"}


def test_what_cannot_prove_itself_is_not_ready(host):
    host.apply("liar1", behaviour="liar")
    eventually(lambda: "prove" in host.observe("liar1")["message"], "the refusal")
    assert not host.observe("liar1")["ready"]
    host.delete("liar1", 1)


def test_a_silent_runner_is_not_ready_any_more(host):
    host.apply("silent1")
    host.ready("silent1")
    [pid] = host.pids("silent1")
    os.kill(pid, signal.SIGUSR1)
    eventually(lambda: not host.observe("silent1")["ready"], "not ready")
    assert host.observe("silent1")["message"] == "The runner has not answered for 1.5 s."
    assert host.observe("silent1")["exists"]
    host.delete("silent1", 1)
    eventually(lambda: not host.pids("silent1"), "killed after the grace")


@pytest.mark.parametrize("behaviour", ["stubborn", "mute"])
def test_a_runner_that_does_not_end_is_killed(host, behaviour):
    host.apply(f"{behaviour}1", behaviour=behaviour)
    eventually(
        lambda: "attempt 1" in host.call("logs", session=f"{behaviour}1", lines=5)["text"], "its start"
    )
    host.delete(f"{behaviour}1", 1, purge=True)
    eventually(lambda: host.observe(f"{behaviour}1") == {"exists": False, "objects": []}, "nothing left")
    assert host.pids(f"{behaviour}1") == []


def test_what_left_the_group_ends_with_its_runner(host):
    host.apply("daemon1", behaviour="daemon")
    host.ready("daemon1")
    assert len(host.pids("daemon1")) == 2
    host.delete("daemon1", 1)
    eventually(lambda: not host.pids("daemon1"), "no orphan")


@pytest.mark.parametrize("attempt", [1, 2])
def test_an_attempt_is_applied_once_and_never_after_a_newer_one(host, attempt):
    session = f"floor{attempt}"
    host.apply(session, 2)
    with pytest.raises(HostRefused) as refused:
        host.apply(session, attempt)
    assert refused.value.error == "StaleAttempt"
    assert host.ready(session)["attempt"] == 2
    host.delete(session, 2)


def test_an_apply_after_its_delete_is_refused(host):
    host.delete("late1", 4)
    with pytest.raises(HostRefused) as refused:
        host.apply("late1", 4)
    assert refused.value.error == "StaleAttempt"
    assert host.pids("late1") == []


def test_a_late_delete_does_not_hit_the_newer_attempt(host):
    host.apply("newer1", 2)
    host.ready("newer1")
    host.delete("newer1", 1)
    assert host.observe("newer1")["ready"]
    host.delete("newer1", 2)


def test_a_newer_attempt_replaces_the_older_so_there_is_never_a_double(host):
    host.apply("twice1", 1)
    host.ready("twice1")
    [old] = host.pids("twice1")
    host.apply("twice1", 2)
    assert old not in host.pids("twice1")
    assert host.ready("twice1")["attempt"] == 2
    assert len(host.pids("twice1")) == 1
    host.delete("twice1", 2)


@pytest.mark.parametrize(
    ("operation", "arguments", "error"),
    [
        pytest.param("nonsense", {}, "UnknownOperation", id="unknown"),
        pytest.param("delete", {"session": "a"}, "BadRequest", id="missing-argument"),
        pytest.param("observe", {"sessions": ["../etc"]}, "BadRequest", id="path-as-id"),
    ],
)
def test_errors_are_named(host, operation, arguments, error):
    with pytest.raises(HostRefused) as refused:
        host.call(operation, **arguments)
    assert refused.value.error == error


def test_a_home_has_one_host(host):
    second = host.processes.start("runner_host", **host.variables)
    assert second.wait(timeout=60) == 1
    assert "another runner host has" in host.processes.log_of(second)
    assert host.answers()


def test_a_killed_host_leaves_nothing_and_kills_no_stranger(host, transactional_db):
    host.apply("orphan1", behaviour="daemon")
    host.ready("orphan1")
    before = host.pids("orphan1")
    strangers = [
        subprocess.Popen(["sleep", "600"], env={"PATH": os.environ["PATH"], **extra})
        for extra in ({}, {marks.VARIABLE: f"{host.paths.mark}0/x"}, {marks.VARIABLE: "other/home"})
    ]
    host.process.kill()
    host.process.wait()
    eventually(lambda: not set(before) & set(host.pids()), "no orphan")
    host.start()
    assert host.observe("orphan1") == {"exists": False, "objects": ["workspace"]}
    assert [stranger.poll() for stranger in strangers] == [None, None, None]
    for stranger in strangers:
        stranger.kill()
        stranger.wait()


def test_a_pid_that_was_given_to_a_stranger_is_not_killed():
    stranger = subprocess.Popen(["sleep", "600"], env={"PATH": os.environ["PATH"]})
    marks.kill_checked(stranger.pid, "any-mark")
    with pytest.raises(subprocess.TimeoutExpired):
        stranger.wait(0.2)
    stranger.kill()
    stranger.wait()
    marks.kill_checked(stranger.pid, "any-mark")  # gone: no error


def test_the_floor_is_read_from_the_rows_at_the_start(host, transactional_db, make_session):
    from sessions_app.models import Session

    session = make_session()
    Session.objects.filter(pk=session.pk).update(phase="Creating", attempt=5)
    host.process.terminate()
    assert host.process.wait(timeout=20) == 0
    host.start()
    with pytest.raises(HostRefused) as refused:
        host.apply(session.pk, 5)
    assert refused.value.error == "StaleAttempt"
    host.apply(session.pk, 6)
    host.ready(session.pk)
    host.delete(session.pk, 6, purge=True)


def test_a_long_home_path_uses_a_port_and_a_secret(django_db_setup, django_db_blocker, fake_runner, tmp_path):
    home = tmp_path / ("long" * 30)
    home.mkdir()
    with django_db_blocker.unblock():
        processes = Processes(home, tmp_path)
    try:
        host = Host(processes, fake_runner)
        assert host.paths.address.stat().st_mode & 0o777 == 0o600
        host.apply("tcp1")
        host.ready("tcp1")
        good = host.paths.address.read_text()
        host.paths.address.write_text(json.dumps(json.loads(good) | {"secret": "guess"}))
        with pytest.raises(HostRefused) as refused:
            host.call("observe", sessions=[])
        assert refused.value.error == "Unauthenticated"
        host.paths.address.write_text(good)
    finally:
        processes.stop()
    assert marks.marked_pids(host.paths.mark) == []


def test_without_a_host_it_is_away(tmp_path):
    with pytest.raises(HostAway):
        call(HostPaths(tmp_path), "observe", sessions=[])


def test_a_missing_python_says_what_to_do(monkeypatch, tmp_path):
    from ambient import env

    monkeypatch.setattr(env, "RUNNER_PYTHON", tmp_path / "nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CannotStart, match="make setup"):
        runner_python()


def test_removing_a_tree_twice_is_no_error(tmp_path):
    folder = tmp_path / "a"
    (folder / "b").mkdir(parents=True)
    remove_tree(folder)
    remove_tree(folder)
    assert list(tmp_path.iterdir()) == []
