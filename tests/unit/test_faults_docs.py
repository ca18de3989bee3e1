"""docs/faults.md names every fault test, and none that is not there."""

import re
from collections.abc import Iterable

from ambient import env

TESTS = env.BASE_DIR / "tests"


OF_CLUSTERS = ("runtime/test_sessions.py", "runtime/test_faults.py")
"""Files whose tests are faults of a cluster, but for what is named here; others have some beside the rest."""
NO_FAULTS = {"test_a_session_runs_works_stops_and_starts_again", "test_a_deleted_project_leaves_nothing"}


def test_every_fault_test_is_documented_and_no_other() -> None:
    documented = names_in("Sessions", "Streams")
    sources = [path.read_text() for path in TESTS.glob("e2e/test_faults_*.py")]
    of_clusters = [path.read_text() for path in TESTS.glob("kube/**/test_*.py")]
    sources += [source for source in of_clusters if "pytest.mark.faults" in source]
    assert sorted(documented) == sorted(written_in(sources))


def test_every_fault_of_a_cluster_is_documented_and_no_test_that_is_not_there() -> None:
    documented = names_in("Kubernetes")
    assert len(documented) == len(set(documented))
    assert set(documented) <= set(written_in(path.read_text() for path in TESTS.glob("kube/**/test_*.py")))
    faults = set(written_in((TESTS / "kube" / file).read_text() for file in OF_CLUSTERS)) - NO_FAULTS
    assert faults <= set(documented)


def names_in(*sections: str) -> list[str]:
    text = (env.BASE_DIR / "docs" / "faults.md").read_text()
    parts = {part.partition("\n")[0]: part for part in text.split("\n## ")}
    return [name for section in sections for name in re.findall(r"`(test_\w+)` \|$", parts[section], re.M)]


def written_in(sources: Iterable[str]) -> list[str]:
    return [name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.M)]
