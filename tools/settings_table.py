"""Print the table of docs/settings.md from the declarations of ambient/env.py."""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def rows() -> list[str]:
    """One Markdown row per setting."""
    from ambient import env

    return [
        f"| `{setting.name}` | {setting.default or 'unset'} | {setting.help}{_allowed(setting.allowed)} |"
        for setting in env.DECLARED.values()
    ]


def _allowed(values: tuple[str, ...]) -> str:
    return f" Allowed: {', '.join(f'`{value}`' for value in values)}." if values else ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("AMBIENT_HOME", home)  # reading settings makes the home's keys
        print("| Variable | Default | What it is for |\n|---|---|---|")
        print("\n".join(rows()))
