"""Print the table of docs/access.md: the built-in roles, from projects_app/choices.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from projects_app.choices import BUILTIN_ROLES  # noqa: E402


def rows() -> list[str]:
    """One Markdown row per role; its permissions by resource."""
    return [
        f"| `{name}` | {'internal' if level is None else level} | {text} | {_permissions(entries)} |"
        for name, (level, text, entries) in BUILTIN_ROLES.items()
    ]


def _permissions(entries: str) -> str:
    if entries == "*:*":
        return "all there are"
    by_resource: dict[str, list[str]] = {}
    for entry in entries.split():
        resource, verb = entry.split(":")
        by_resource.setdefault(resource, []).append(verb)
    return "; ".join(f"{resource}: {', '.join(verbs)}" for resource, verbs in by_resource.items())


if __name__ == "__main__":
    print("| Role | Level | For | Permissions |\n|---|---|---|---|")
    print("\n".join(rows()))
