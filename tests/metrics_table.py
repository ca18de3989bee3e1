"""The table of docs/metrics.md, for the tests that compare something with it."""

import re
from dataclasses import dataclass

from ambient import env


@dataclass(frozen=True)
class Documented:
    """One row."""

    type: str
    labels: frozenset[str]
    scope: str


def documented() -> dict[str, Documented]:
    """Rows by the metric's name."""
    found = {}
    for line in (env.BASE_DIR / "docs/metrics.md").read_text().splitlines():
        if match := re.match(r"\| `(ambient_\w+)` \| (\w+) \|([^|]*)\|([^|]*)\|.+\|$", line):
            name, type_, labels, scope = (group.strip() for group in match.groups())
            split = frozenset(label.strip() for label in labels.split(",") if label.strip())
            found[name] = Documented(type_, split, scope)
    return found
