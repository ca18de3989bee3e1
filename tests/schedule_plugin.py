"""Pytest plugin: with `-n`, all tests of tests/e2e go to one worker, since they share one platform.

xdist's own `--dist loadgroup` does nothing with pytest 9.2: it writes the group into the node id, and pytest
no longer takes that (pytest-dev/pytest-xdist#1386).
"""

import pytest

SHARED = "tests/e2e/"


@pytest.hookimpl(optionalhook=True)  # it runs without xdist too
def pytest_xdist_make_scheduler(config, log):
    """One unit of work for the shared platform, begun first; every other test is a unit of its own."""
    if config.getvalue("dist") != "load":  # something else was asked for
        return None
    from xdist.scheduler import LoadScopeScheduling

    class OnePlatform(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return SHARED if nodeid.startswith(SHARED) else nodeid

    return OnePlatform(config, log)
