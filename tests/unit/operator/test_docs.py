"""docs/operator.md has the permissions that are granted, and all reasons that the operator's words become."""

import yaml

from ambient.embedded.home import CHECKOUT
from reconciler.operator.mirror import REASONS

PAGE = (CHECKOUT / "docs" / "operator.md").read_text()
RULES = yaml.safe_load((CHECKOUT / "deploy" / "charts" / "ambient" / "rbac-operator.yaml").read_text())


def test_the_permissions_are_those_that_are_granted():
    rows = [
        f"| {process} | {', '.join(rule['verbs'])} {rule['resources'][0]} | {rule['why']} |"
        for process, rules in RULES.items()
        for rule in rules
    ]
    assert [
        line for line in PAGE.splitlines() if line.startswith(tuple(f"| {name} |" for name in RULES))
    ] == rows


def test_every_reason_is_told():
    assert [reason for reason in set(REASONS.values()) if f"`{reason}`" not in PAGE] == []
