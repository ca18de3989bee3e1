"""Print the table of docs/settings.md from the declarations of ambient/env.py."""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def rows() -> list[str]:
    """One Markdown row per setting."""
    from ambient import env

    return [f"| `{s.name}` | {s.default or 'unset'} | {s.help} |" for s in env.DECLARED.values()]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("AMBIENT_HOME", home)  # reading settings makes the home's keys
        print("| Variable | Default | What it is for |\n|---|---|---|")
        print("\n".join(rows()))
