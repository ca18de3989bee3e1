"""`make demo`: from nothing to the end of a real session, and again on the same home."""

import subprocess
import sys

import pytest

from tests.e2e.harness import CHECKOUT, environment, processes_of

LIMIT_SECONDS = 180


@pytest.mark.timeout(3 * LIMIT_SECONDS)
def test_demo_runs_from_nothing_and_again_and_leaves_no_process(tmp_path):
    home = tmp_path / "home"
    variables = environment(home) | {"PYTHONPATH": str(CHECKOUT)}
    for time in ("first", "second"):
        done = subprocess.run(
            [sys.executable, "-m", "ambient.demo"],
            env=variables,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
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
