"""Pytest plugin: with `-n`, all tests that share a platform go to one worker.

xdist's own `--dist loadgroup` does nothing with pytest 9.2: it writes the group into the node id, and pytest
no longer takes that (pytest-dev/pytest-xdist#1386).
"""

import pytest

ONE_PLATFORM = "tests/e2e/"
ONE_EACH = "tests/kube/"


def unit_of(nodeid: str) -> str:
    """What goes to one worker together: the tests of a folder, of a file, or this one alone."""
    if nodeid.startswith(ONE_PLATFORM):
        return ONE_PLATFORM
    return nodeid.partition("::")[0] if nodeid.startswith(ONE_EACH) else nodeid


@pytest.hookimpl(optionalhook=True)  # it runs without xdist too
def pytest_xdist_make_scheduler(config, log):
    """Larger units of work first."""
    if config.getvalue("dist") != "load":  # something else was asked for
        return None
    from xdist.scheduler import LoadScopeScheduling

    class OnePlatform(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    return OnePlatform(config, log)
