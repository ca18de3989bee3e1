"""The supervisor: restarts, giving up, and leaving nothing behind."""

import json
import os
import signal
import sys

import pytest

from ambient.common.processes import is_alive
from ambient.embedded import backoff
from ambient.embedded.errors import EmbeddedError
from ambient.embedded.supervisor import ProcessSpec, Supervisor

from .conftest import eventually

# Writes its own pid and those of a child in its group and of a daemon of its own session, then waits.
FAMILY = """
import json, os, subprocess, sys, time
plain = subprocess.Popen(["sleep", "600"])
daemon = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(json.dumps([os.getpid(), plain.pid, daemon.pid]), flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("bye", flush=True), sys.exit(0)))
print("up", flush=True)
time.sleep(600)
"""
# Starts a daemon that forgets its environment and its parent, and prints its pid.
ESCAPE = """
import subprocess, sys, time
out = subprocess.check_output(["sh", "-c", "env -i setsid sleep 600 >/dev/null 2>&1 & echo $!"], text=True)
print(out.strip(), flush=True)
time.sleep(600)
"""


def python(name, code, **options):
    return ProcessSpec(name, [sys.executable, "-c", code], **options)


class Lines(list):
    """Keeps what children say, as (name, line)."""

    def __call__(self, name, line):
        self.append((name, line))

    def of(self, name):
        return [line for known, line in self if known == name]


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def supervise(lines):
    started = []

    def start(*specs):
        supervisor = Supervisor(specs, output=lines)
        started.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in started:
        supervisor.hurry()
        supervisor.stop()


def family(lines, count=1):
    """Pids of the newest family, once that many have said who they are."""
    said = eventually(lambda: [line for line in lines.of("family") if line[0] == "["][count - 1 :])
    return json.loads(said[-1])


def test_killed_process_starts_again_without_its_old_descendants(supervise, lines):
    supervisor = supervise(python("family", FAMILY))
    old = family(lines)
    assert supervisor.pids() == {"family": old[0]}
    supervisor.kill("family")
    new = family(lines, count=2)
    assert not any(is_alive(pid) for pid in old)
    assert all(is_alive(pid) for pid in new)
    assert "ended with SIGKILL; starts again in 0.5 s" in lines.of("family")


def test_gives_up_after_five_crashes_and_keeps_the_rest(supervise, lines, monkeypatch):
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.05)
    supervisor = supervise(python("broken", "raise SystemExit(3)"), python("polite", POLITE))
    eventually(supervisor.given_up)
    ends = [line for line in lines.of("broken") if line.startswith("ended with exit code 3")]
    assert len(ends) == 5
    assert ends[-1] == "ended with exit code 3; 5 crashes within 60 s: given up, not started again"
    assert supervisor.given_up() == ["broken"]
    assert set(supervisor.pids()) == {"polite"}


def test_restart_is_clean_and_not_a_crash(supervise, lines):
    supervisor = supervise(python("polite", POLITE))
    eventually(lambda: lines.of("polite") == ["up"])
    pid = supervisor.pids()["polite"]
    supervisor.restart("polite")
    eventually(lambda: lines.of("polite") == ["up", "bye", "up"])
    assert supervisor.pids()["polite"] != pid


def test_stops_in_reverse_order_and_leaves_nothing(supervise, lines):
    supervisor = supervise(*(python(name, POLITE) for name in ("first", "second")), python("family", FAMILY))
    pids = [*family(lines), *supervisor.pids().values()]
    eventually(lambda: "up" in lines.of("first") and "up" in lines.of("second"))
    supervisor.stop()
    assert [name for name, line in lines if line == "bye"] == ["second", "first"]
    assert not any(is_alive(pid) for pid in pids)
    assert supervisor.pids() == {}
    with pytest.raises(EmbeddedError, match="does not run"):
        supervisor.restart("first")


@pytest.mark.parametrize("hurry", [False, True], ids=["when-its-time-is-up", "at-once-on-a-second-signal"])
def test_process_that_ignores_its_signal_is_killed(supervise, lines, hurry):
    supervisor = supervise(python("deaf", STUBBORN, stop_seconds=600 if hurry else 1.0))
    eventually(lambda: lines.of("deaf") == ["deaf"])
    pid = supervisor.pids()["deaf"]
    if hurry:
        supervisor.hurry()
    supervisor.stop()
    assert not is_alive(pid)


def test_process_that_waits_for_its_next_start_stays_down(supervise, lines):
    supervisor = supervise(python("broken", "raise SystemExit(3)"))
    eventually(lambda: len(lines.of("broken")) >= 3)  # the wait is two seconds now
    supervisor.stop()
    said = len(lines)
    assert supervisor.pids() == {}
    assert len(lines) == said


def test_program_that_is_not_there_is_named(supervise, lines):
    supervise(ProcessSpec("none", ["/no/such/program"]))
    eventually(lambda: "cannot run /no/such/program: No such file or directory" in lines.of("none"))


def test_names_must_differ():
    with pytest.raises(ValueError, match="differ"):
        Supervisor([python("a", POLITE), python("a", POLITE)])


HOST = """
import sys, time
from ambient.embedded.supervisor import ProcessSpec, Supervisor
specs = [ProcessSpec(str(n), [sys.executable, "-c", code]) for n, code in enumerate(sys.argv[1:])]
supervisor = Supervisor(specs, output=lambda name, line: print(line, flush=True), reaper=True)
supervisor.start()
try:
    time.sleep(600)
except KeyboardInterrupt:
    supervisor.stop()
    print("stopped", flush=True)
"""


def test_killed_supervisor_leaves_nobody(start_python):
    host = start_python(HOST, FAMILY)
    pids = json.loads(host.stdout.readline())
    os.kill(host.pid, signal.SIGKILL)
    eventually(lambda: not any(is_alive(pid) for pid in pids))


def test_killed_supervisor_leaves_no_deaf_child(start_python):
    host = start_python(HOST + "#" + "x", STUBBORN)
    assert host.stdout.readline() == "deaf\n"
    child = eventually(lambda: [pid for pid in _descendants(host.pid) if _says(pid, "SIG_IGN")])
    os.kill(host.pid, signal.SIGKILL)
    eventually(lambda: not any(is_alive(pid) for pid in child))


def test_reaper_ends_daemons_that_forgot_where_they_came_from(start_python):
    host = start_python(HOST, ESCAPE)
    escaped = int(host.stdout.readline())
    assert is_alive(escaped)
    host.send_signal(signal.SIGINT)
    text, _ = host.communicate(timeout=60)
    assert text.endswith("stopped\n")
    assert not is_alive(escaped)


def _descendants(pid):
    from ambient.common.processes import children_of

    return list(children_of(pid))


def _says(pid, text):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return text.encode() in file.read()
