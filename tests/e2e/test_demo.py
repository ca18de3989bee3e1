"""`make demo`: from nothing to the end of a real session, and again on the same home."""

import signal
import subprocess
import sys

import pytest

from ambient.embedded.home import CHECKOUT
from tests.e2e.machine import environment
from tests.e2e.system import processes_of

LIMIT_SECONDS = 180


def run_demo(variables, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "ambient.demo", *arguments],
        env=variables,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )


@pytest.mark.timeout(3 * LIMIT_SECONDS)
def test_demo_runs_from_nothing_and_again_and_leaves_no_process(tmp_path):
    home = tmp_path / "home"
    variables = environment(home) | {"PYTHONPATH": str(CHECKOUT)}
    for time in ("first", "second"):
        done = run_demo(variables)
        assert done.returncode == 0, f"the {time} time:\n{done.stdout}\n{done.stderr}"
        assert done.stderr == ""
        for part in (
            "Running   Ready",
            "0 lost, 0 doubled",
            "REPORT.md",
            "Stopped: The session was stopped.",
        ):
            assert part in done.stdout, part
        assert processes_of(home) == []


@pytest.mark.timeout(2 * LIMIT_SECONDS)
def test_demo_with_claude_works_without_a_key_and_says_so(tmp_path):
    home = tmp_path / "home"
    done = run_demo(environment(home) | {"PYTHONPATH": str(CHECKOUT)}, "--framework", "claude")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for part in ("the model is a FAKE on this machine", "0 lost, 0 doubled", "REPORT.md", "Good morning"):
        assert part in done.stdout, part
    assert processes_of(home) == []


@pytest.mark.parametrize("word", ["PostgreSQL and Valkey answer", "started api"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "make-down"])
def test_demo_that_is_stopped_while_it_starts_ends_quietly(tmp_path, number, word):
    home = tmp_path / "home"
    demo = subprocess.Popen(
        [sys.executable, "-m", "ambient.demo"],
        env=environment(home),
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert any(word in line for line in demo.stdout)
    demo.send_signal(number)
    text, _ = demo.communicate(timeout=LIMIT_SECONDS)
    assert demo.returncode == 1
    assert "error: interrupted" in text
    log = home / "demo.log"
    assert "Traceback" not in text + (log.read_text() if log.exists() else "")
    assert processes_of(home) == []
