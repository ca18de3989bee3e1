"""docs/faults.md names every fault test, and none that is not there."""

import re

from ambient import env

E2E = env.BASE_DIR / "tests" / "e2e"


def test_every_fault_test_is_documented_and_no_other() -> None:
    documented = re.findall(r"`(test_\w+)` \|$", (env.BASE_DIR / "docs" / "faults.md").read_text(), re.M)
    sources = [path.read_text() for path in E2E.glob("test_faults_*.py")]
    written = [name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.M)]
    assert sorted(documented) == sorted(written)
