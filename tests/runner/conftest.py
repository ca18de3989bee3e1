"""The runner under test: its source on the path, and real processes of it."""

import sys
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLAUDE_PYTHON = ROOT / ".venv-claude" / "bin" / "python"
sys.path[:0] = [str(ROOT / "runner" / "src"), str(ROOT / "sdk" / "python" / "src"), str(HERE)]

import pytest  # noqa: E402
from forking import ForkServer  # noqa: E402
from runner_process import PATH, RunnerUnderTest, start_runner  # noqa: E402


@pytest.fixture(scope="session")
def forks():
    """Starts runners without the second that a new interpreter needs for its imports."""
    server = ForkServer(PATH)
    yield server
    server.close()


@pytest.fixture(scope="session")
def claude_forks():
    """The same with the claude framework, in its own environment."""
    server = ForkServer(PATH, python=str(CLAUDE_PYTHON), early="claude.agent")
    yield server
    server.close()


@pytest.fixture
def launch(tmp_path, forks):
    """Starts runners on one workspace; all end with the test. `fresh`: as a new program, not a fork."""
    with ExitStack() as started:
        numbers = iter(range(100))

        def start(*, fresh: bool = False, server: ForkServer = forks, **options) -> RunnerUnderTest:
            runner = start_runner(tmp_path, next(numbers), forks=None if fresh else server, **options)
            started.callback(runner.close)
            return runner

        yield start


@pytest.fixture
def runner(launch) -> RunnerUnderTest:
    """One ready runner without a platform, of this test alone."""
    return launch()


@pytest.fixture(scope="module")
def shared_runner(tmp_path_factory, forks):
    """One ready runner for all tests of a module that only ask and leave no trace."""
    runner = start_runner(tmp_path_factory.mktemp("shared"), 0, forks=forks)
    yield runner
    runner.close()
