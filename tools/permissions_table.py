"""Print the table of docs/kubernetes.md: what we may do in a cluster, from the chart's rbac.yaml."""

from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).resolve().parent.parent / "deploy/charts/ambient/rbac.yaml"


def permissions() -> dict[str, list[dict[str, Any]]]:
    """The rules of each process type."""
    return yaml.safe_load(SOURCE.read_text())


def rows() -> list[str]:
    """One Markdown row per rule."""
    return [
        f"| {process} | {', '.join(rule['resources'])} | {', '.join(rule['verbs'])} | {rule['why']} |"
        for process, rules in permissions().items()
        for rule in rules
    ]


if __name__ == "__main__":
    print("| Process | Objects | May | Why |\n|---|---|---|---|")
    print("\n".join(rows()))
