"""The runner under test: its source on the path, and real processes of it."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "runner" / "src"), str(HERE)]

import pytest  # noqa: E402
from runner_process import RunnerUnderTest, start_runner  # noqa: E402


@pytest.fixture
def launch(tmp_path):
    """Starts runner processes on one workspace; all of them end with the test."""
    started: list[RunnerUnderTest] = []

    def start(**options) -> RunnerUnderTest:
        runner = start_runner(tmp_path, len(started), **options)
        started.append(runner)
        return runner

    yield start
    for runner in started:
        runner.close()


@pytest.fixture
def runner(launch) -> RunnerUnderTest:
    """One ready runner without a platform."""
    return launch()
