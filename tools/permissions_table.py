"""Print the table of docs/kubernetes.md: what we may do in a cluster, from the chart's rbac.yaml."""

from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parent.parent / "deploy/charts/ambient"


def permissions(file: str = "rbac.yaml") -> dict[str, list[dict[str, Any]]]:
    """The rules of each process type."""
    return yaml.safe_load((CHART / file).read_text())


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
