"""What the chart lets the platform do in a cluster: little, with a reason, and as documented."""

import pytest

from ambient import env
from tools.permissions_table import permissions, rows

RULES = [
    pytest.param(process, rule, id=f"{process} {rule['resources'][0]}")
    for process, rules in permissions().items()
    for rule in rules
]
CHANGES = {"create", "patch", "delete"}
READS = {"get", "list", "watch"}
PODS_OF_OTHERS = {
    "pods/exec",
    "pods/attach",
    "pods/portforward",
    "pods/ephemeralcontainers",
    "serviceaccounts/token",
}


def test_only_what_talks_to_the_cluster_has_permissions():
    assert set(permissions()) == {"control-plane", "worker", "watcher"}


@pytest.mark.parametrize(("process", "rule"), RULES)
def test_every_rule_has_its_reason_and_names_what_it_means(process, rule):
    assert set(rule) == {"why", "apiGroups", "resources", "verbs"}
    assert rule["why"]
    assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
    assert set(rule["verbs"]) <= CHANGES | READS
    assert not PODS_OF_OTHERS & set(rule["resources"])


@pytest.mark.parametrize(("process", "rule"), RULES)
def test_what_is_applied_is_looked_at_first_and_may_be_new(process, rule):
    if "patch" in rule["verbs"]:
        assert {"get", "create"} <= set(rule["verbs"])


def test_the_control_plane_only_finds_out_whose_token_it_is():
    rules = permissions()["control-plane"]
    assert [(rule["resources"], rule["verbs"]) for rule in rules] == [
        (["tokenreviews"], ["create"]),
        (["pods"], ["get"]),
    ]


def test_the_watcher_only_reads_and_no_secrets():
    for rule in permissions()["watcher"]:
        assert set(rule["verbs"]) <= READS
        assert "secrets" not in rule["resources"]


def test_the_documented_table_is_the_charts():
    documented = (env.BASE_DIR / "docs" / "kubernetes.md").read_text().splitlines()
    assert [row for row in rows() if row not in documented] == []
    processes = tuple(f"| {process} | " for process in permissions())
    assert sum(line.startswith(processes) and line in rows() for line in documented) == len(rows())
