"""The workspace as one file and back: a tar archive with gzip, bounded, without what tools make again.

What would not be restored is not saved: links that leave the workspace, sockets, pipes and devices.
"""

import gzip
import hashlib
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backports import tarfile

MADE_AGAIN = frozenset(
    {
        "node_modules",
        ".venv",
        "__pycache__",
        ".cache",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
    }
)
"""Folders that are left out, unless Git knows something in them; inside `.git` nothing is."""
GZIP_LEVEL = 1  # the time is short at a stop, and most of it is packed already
GIT_SECONDS = 10.0
BLOCK = 1024 * 1024


class TooLarge(Exception):
    """The archive would be over its limit."""


class Cancelled(Exception):
    """Nobody waits for the archive any more."""


class Corrupted(Exception):
    """The archive is not what was saved, or cannot be unpacked; the message says how."""


@dataclass(frozen=True)
class Packed:
    """A finished archive; `left_out` counts what could not be saved."""

    size: int
    sha256: str
    left_out: int


class _Output:
    """A file that counts and sums what is written, and refuses to go over a limit."""

    def __init__(self, file: BinaryIO, limit: int, cancelled: Callable[[], bool]) -> None:
        self._file = file
        self._limit = limit
        self._cancelled = cancelled
        self.size = 0
        self.sum = hashlib.sha256()

    def write(self, data: bytes) -> int:
        if self._cancelled():
            raise Cancelled
        self.size += len(data)
        if self.size > self._limit:
            raise TooLarge
        self.sum.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


class _Exactly:
    """A file of exactly the size that its header says, whatever is done to it meanwhile (as GNU tar does)."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        data += bytes(wanted - len(data))
        self._left -= wanted
        return data


def pack(root: Path, file: BinaryIO, *, limit: int, cancelled: Callable[[], bool] = lambda: False) -> Packed:
    """Write the archive of a folder. Same files, same bytes. Raises TooLarge, Cancelled, OSError."""
    output = _Output(file, limit, cancelled)
    left_out = 0
    with (
        gzip.GzipFile("", "wb", GZIP_LEVEL, output, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in _entries(root):
            if cancelled():
                raise Cancelled
            left_out += not _add(tar, root, path)
    output.flush()
    return Packed(output.size, output.sum.hexdigest(), left_out)


def _add(tar: tarfile.TarFile, root: Path, path: Path) -> bool:
    """Add one entry; False when it cannot be saved, or has gone."""
    name = str(path.relative_to(root))
    try:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            # Opened first: what is in the archive's index must be in the archive.
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                info = tar.gettarinfo(arcname=name, fileobj=file)
                if not (info.isreg() or info.islnk()):
                    return False
                tar.addfile(_plain(info), _Exactly(file, info.size))
        elif stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
            info = _plain(tar.gettarinfo(path, name))
            tarfile.data_filter(info, str(root))
            tar.addfile(info)
        else:
            return False
    except (FileNotFoundError, NotADirectoryError):  # gone since it was listed
        return True
    except (tarfile.FilterError, PermissionError):
        return False
    return True


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without an owner: it is whoever unpacks."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _entries(root: Path) -> Iterator[Path]:
    """All that is saved, in order, folders before what is in them."""
    tracked: set[Path] = set()
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        if ".git" in folders or ".git" in files:
            tracked |= _tracked(here)
        if ".git" not in here.relative_to(root).parts:
            folders[:] = [name for name in folders if name not in MADE_AGAIN or here / name in tracked]
        folders.sort()
        yield from (here / name for name in sorted((*folders, *files)))


def _tracked(repository: Path) -> set[Path]:
    """Folders that would be left out although Git knows files in them; Git would take those for deleted."""
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=", "ls-files", "-z"],  # noqa: S607 - as for the agent's commands
            cwd=repository,
            capture_output=True,
            timeout=GIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return set()
    found = set()
    for name in done.stdout.split(b"\0"):
        parts = Path(os.fsdecode(name)).parts[:-1]
        found |= {repository.joinpath(*parts[: n + 1]) for n, part in enumerate(parts) if part in MADE_AGAIN}
    return found


def unpack(file: BinaryIO, root: Path, *, size: int, sha256: str) -> None:
    """Check the archive whole, then restore it into a folder. Raises Corrupted, OSError."""
    found = hashlib.sha256()
    count = 0
    while block := file.read(BLOCK):
        found.update(block)
        count += len(block)
    if count != size:
        raise Corrupted(f"it has {count} bytes and should have {size}")
    if found.hexdigest() != sha256:
        raise Corrupted("its checksum is wrong")
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r|gz") as tar:
            tar.extractall(root, filter="data")
    except tarfile.FilterError as exc:
        raise Corrupted(f"an entry of it would leave the workspace ({type(exc).__name__})") from exc
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as exc:
        raise Corrupted(f"it cannot be read ({type(exc).__name__})") from exc
