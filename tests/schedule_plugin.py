"""Pytest plugin: with `-n`, all tests that share a platform go to one worker.

xdist's own `--dist loadgroup` does nothing with pytest 9.2: it writes the group into the node id, and pytest
no longer takes that (pytest-dev/pytest-xdist#1386).
"""

import pytest

SHARED = ("tests/e2e/", "tests/kube/test_chart_live.py")


@pytest.hookimpl(optionalhook=True)  # it runs without xdist too
def pytest_xdist_make_scheduler(config, log):
    """One unit of work for each shared platform, begun first; every other test is a unit of its own."""
    if config.getvalue("dist") != "load":  # something else was asked for
        return None
    from xdist.scheduler import LoadScopeScheduling

    class OnePlatform(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((shared for shared in SHARED if nodeid.startswith(shared)), nodeid)

    return OnePlatform(config, log)
