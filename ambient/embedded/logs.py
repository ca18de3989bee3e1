"""Log files of the embedded servers."""

from pathlib import Path
from typing import IO

MAX_BYTES = 10_000_000


def open_log(path: Path) -> IO[bytes]:
    """Open for appending; a log that has grown large makes room for a new one."""
    if path.exists() and path.stat().st_size > MAX_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")


def last_lines(path: Path, *, start: int = 0, count: int = 4) -> str:
    """The last lines written since `start`, joined to one."""
    if not path.exists():
        return "no log"
    with path.open("rb") as file:
        file.seek(start)
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return " | ".join(lines[-count:]) or "nothing in the log"
