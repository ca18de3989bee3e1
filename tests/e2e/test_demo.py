"""`make demo`: from nothing to the end of a real session, and again on the same home."""

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
