"""The home folder: where the embedded default keeps data, secrets, remembered ports and its locks."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from ambient.embedded.errors import EmbeddedError

CHECKOUT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"


class HomeLock:
    """An flock on one file of the home; the file says who holds it."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd: int | None = fd

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.ftruncate(fd, 0)
            os.close(fd)

    def __enter__(self) -> "HomeLock":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()


class Home:
    """One folder, mode 0700, that holds all state; one `rm -r` resets it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Home":
        return cls(Path(env.get("AMBIENT_HOME") or CHECKOUT / ".ambient"))

    def __str__(self) -> str:
        return str(self.path)

    def ensure(self) -> None:
        """Make the folder, or check that the one there is ours and closed to others."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.stat()
        except OSError as exc:
            raise EmbeddedError(f"cannot use {self} as home: {exc.strerror}; set AMBIENT_HOME") from exc
        if found.st_uid != os.geteuid():
            raise EmbeddedError(
                f"{self} belongs to uid {found.st_uid}, you are uid {os.geteuid()}: "
                "run as that user or set AMBIENT_HOME to another folder"
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            self.path.chmod(0o700)

    def folder(self, name: str) -> Path:
        """A folder of the home, made if missing."""
        self.ensure()
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def secret(self, name: str) -> str:
        """Read a random secret, or make it once, in a file of mode 0600."""
        self.ensure()
        path = self.path / name
        if not path.exists():
            fresh = path.with_name(f".{name}.{secrets.token_hex(4)}")
            write_private(fresh, secrets.token_urlsafe(32) + "\n")
            with contextlib.suppress(FileExistsError):  # the first of two processes wins
                os.link(fresh, path)
            fresh.unlink()
        return path.read_text().strip()

    def port(self, name: str) -> int:
        """The port remembered under this name while it is free, else a new free one."""
        self.ensure()
        path = self.path / "ports.json"
        try:
            ports = dict(json.loads(path.read_text()))
        except (FileNotFoundError, ValueError):
            ports = {}
        port = ports.get(name)
        if not isinstance(port, int) or port_problem(port) is not None:
            port = ports[name] = free_port()
            write_private(path, json.dumps(ports) + "\n")
        return port

    def lock(self, name: str, *, what: str) -> HomeLock:
        """Hold `NAME.lock`, or say in one line who does."""
        self.ensure()
        path = self.path / f"{name}.lock"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + 0.3  # holder() of another process may have it for a moment
        while not _try_flock(fd, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                pid, held_for = _holder(path)
                os.close(fd)
                raise EmbeddedError(f"{what} already runs on {self} (pid {pid}, {held_for})")
            time.sleep(0.02)
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps({"pid": os.getpid(), "what": what}).encode(), 0)
        return HomeLock(path, fd)

    def holder(self, name: str) -> int | None:
        """The pid that holds `NAME.lock`, or None when it is free."""
        path = self.path / f"{name}.lock"
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            return None if _try_flock(fd, fcntl.LOCK_SH) else _holder(path)[0]
        finally:
            os.close(fd)


def _try_flock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> tuple[int, str]:
    """Pid and purpose written in a lock file; 0 in the instant before they are written."""
    try:
        entry = json.loads(path.read_text())
        return int(entry["pid"]), str(entry["what"])
    except (OSError, ValueError, KeyError):
        return 0, "just starting"


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 in one step: readers see the old text or the new one."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
    fresh.replace(path)


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def port_problem(port: int, host: str = LOOPBACK) -> str | None:
    """Why a port cannot be listened on, or None."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as exc:
            return getattr(exc, "strerror", None) or str(exc)
    return None
