"""docs/faults.md names every fault test, and none that is not there."""

import re

from ambient import env

TESTS = env.BASE_DIR / "tests"


def test_every_fault_test_is_documented_and_no_other() -> None:
    documented = re.findall(r"`(test_\w+)` \|$", (env.BASE_DIR / "docs" / "faults.md").read_text(), re.M)
    sources = [path.read_text() for path in TESTS.glob("e2e/test_faults_*.py")]
    of_clusters = [path.read_text() for path in TESTS.glob("kube/**/test_*.py")]
    sources += [source for source in of_clusters if "pytest.mark.faults" in source]
    written = [name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.M)]
    assert sorted(documented) == sorted(written)
