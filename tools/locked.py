"""Every direct dependency of requirements/*.in is pinned with hashes in the .txt beside it."""

import re
import sys
from pathlib import Path


def names(text: str) -> set[str]:
    """Normalised project names (PEP 503) at the start of requirement lines."""
    found = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def main() -> int:
    missing = 0
    for wanted in sorted(Path("requirements").glob("*.in")):
        locked = wanted.with_suffix(".txt").read_text()
        for name in sorted(names(wanted.read_text()) - names(locked)):
            print(f"{wanted}: {name} is not locked; run `make lock`")
            missing += 1
        if "--hash=sha256:" not in locked:
            print(f"{wanted.with_suffix('.txt')}: no hashes")
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
