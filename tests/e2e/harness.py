"""A whole platform of real processes in a throw-away home, and what the tests ask of it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg

from ambient.common.marks import VARIABLE, marked_pids
from ambient.embedded.home import CHECKOUT, Home, free_port
from ambient.embedded.platform import Platform, endpoints, manage
from reconciler.runnerhost.paths import HostPaths

SDK = CHECKOUT / "sdk" / "python" / "src"
if str(SDK) not in sys.path:
    sys.path.insert(0, str(SDK))

from ambient_platform import AmbientClient, APIError  # noqa: E402

__all__ = ["CHECKOUT", "APIError", "AmbientClient", "Stage", "environment", "eventually", "processes_of"]

T = TypeVar("T")
V1 = "/api/ambient/v1"
GENEROUS = 3  # a wait is this many times the bound that the platform promises
START_SECONDS = 12 * GENEROUS
TAKEOVER_SECONDS = 14 * GENEROUS
READY_SECONDS = 60 * GENEROUS
SETTINGS = {
    "AMBIENT_DEMO_PACE": "0",
    "AMBIENT_STOP_GRACE_SECONDS": "2",
    "AMBIENT_RESYNC_SECONDS": "5",
    "AMBIENT_WORKER_CONCURRENCY": "2",
}
NOT_INHERITED = (
    "ANTHROPIC_",
    "OTEL_",
    "DATABASE_",
    "REDIS_URL",
    "AMBIENT_",
    "PYTEST_",
    "DJANGO_SETTINGS_MODULE",
)


def inherited() -> dict[str, str]:
    """Our environment without what names the servers and settings of the test run."""
    return {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}


def environment(home: Path, **extra: str) -> dict[str, str]:
    """What a platform of its own gets: a home, free ports, short deadlines."""
    ports = {name: str(free_port()) for name in ("AMBIENT_API_PORT", "AMBIENT_CONTROL_PLANE_PORT")}
    return inherited() | ports | {"AMBIENT_HOME": str(home)} | SETTINGS | extra


def eventually(condition: Callable[[], T], what: str, seconds: float = START_SECONDS) -> T:
    """The first true value of a condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return value


def environ_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with; empty when it is gone."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def command_of(pid: int) -> str:
    """The command line of a process; empty when it is gone or was not reaped."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
    except OSError:
        return ""


def processes_of(home: Path) -> list[str]:
    """Live processes that carry the home in their environment, command line or runner's mark."""
    mark, found = HostPaths(home).mark, []
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()):
        command, variables = command_of(pid), environ_of(pid)
        marked = variables.get(VARIABLE, "").startswith(mark)
        if marked or str(home) in command or variables.get("AMBIENT_HOME") == str(home):
            found.append(f"{pid} {command}")
    return found


def group_of(pid: int) -> int | None:
    """Process group of a process, None when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return None


def state_of(pid: int) -> str:
    """State letter of a process; empty when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    return text[text.rindex(")") + 2]


class Stage:
    """One running platform, and short ways to look at it and to break it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.home = folder / "home"
        self.log_path = folder / "platform.log"
        self._log = self.log_path.open("w", buffering=1)
        self.platform = Platform(
            Home(self.home),
            environment(self.home, **settings),
            output=lambda name, line: print(f"{name:<14} {line}", file=self._log),
            progress=lambda text: print(f"-- {text}", file=self._log),
            throwaway=True,
        )
        self._clients: list[AmbientClient] = []
        self._helpers: list[subprocess.Popen[bytes]] = []

    # --- life

    def start(self) -> None:
        """Start everything and wait until both servers can serve."""
        try:
            self.platform.start()
            self.platform.wait_ready(READY_SECONDS)
        except BaseException:
            self.stop()
            raise
        self.api, self.control_plane = (endpoint.url for endpoint in endpoints(self.platform.env))
        self.token = (self.home / "admin.key").read_text().strip()
        self.client = self.client_for(self.token)

    def stop(self) -> None:
        """End everything that was started."""
        for client in self._clients:
            client.close()
        self.end_helpers()
        self.platform.stop()
        self._log.close()

    def end_helpers(self) -> None:
        """End the processes that were added."""
        while self._helpers:
            helper = self._helpers.pop()
            helper.kill()
            helper.wait()

    def heal(self) -> None:
        """Start again what a test has frozen or ended, and wait until all can serve."""
        self.end_helpers()
        for name in self.process_names():
            pid = self.supervisor.pids().get(name)
            if pid is None:
                self.supervisor.restart(name)
            elif state_of(pid) == "T":
                self.supervisor.kill(name, signal.SIGCONT)
        self.platform.wait_ready(READY_SECONDS)

    # --- asking

    def client_for(self, token: str) -> AmbientClient:
        """An SDK client with this key."""
        client = AmbientClient(self.api, token)
        self._clients.append(client)
        return client

    def request(self, method: str, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        """One plain request; a path below the wire prefix, or a whole URL."""
        url = path if path.startswith("http") else f"{self.api}{V1}{path}"
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.request(method, url, headers=headers, timeout=30, trust_env=False, **options)

    def manage(self, *arguments: str) -> str:
        """What a management command prints, run on this home."""
        done = subprocess.run(
            manage(*arguments),
            env=self.platform.env,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=READY_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of the platform's own database."""
        with psycopg.connect(self.platform.env["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(sql, parameters).fetchall()

    def execute(self, sql: str) -> None:
        """Statements on the platform's own database."""
        with psycopg.connect(self.platform.env["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(sql)

    def metric(self, url: str, name: str) -> float:
        """One number of a server's metrics."""
        text = httpx.get(f"{url}/metrics", timeout=30, trust_env=False).text
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.split(" ")[0] == name)

    # --- sessions

    def wait_session(
        self, session: str, condition: Callable[[Any], Any], what: str, seconds: float = START_SECONDS
    ) -> Any:
        """The session, once the condition is true of it."""
        last: list[Any] = []

        def check() -> bool:
            last[:] = [self.client.sessions.get(session)]
            return bool(condition(last[0]))

        try:
            eventually(check, what, seconds)
        except AssertionError as exc:
            text = "".join(f"{row.phase} {row.reason}: {row.reason_text}" for row in last)
            raise AssertionError(f"{exc}; it is {text}; logs: {self.log_path}") from exc
        return last[0]

    def wait_phase(self, session: str, *phases: str, seconds: float = START_SECONDS) -> Any:
        """The session, once it is in one of the phases."""
        return self.wait_session(session, lambda row: row.phase in phases, " or ".join(phases), seconds)

    def wait_delivery(self, session: str, message: str, *states: str, seconds: float = START_SECONDS) -> Any:
        """The message, once it is delivered as named."""

        def check() -> Any:
            rows = {row.id: row for row in self.client.sessions.messages(session)}
            return rows[message] if rows[message].delivery in states else None

        return eventually(check, f"message {' or '.join(states)}; logs: {self.log_path}", seconds)

    def ask_and_wait(self, session: str, text: str, seconds: float = START_SECONDS) -> Any:
        """Send a message and wait for the end of its run."""
        sent = self.client.sessions.send(session, text)
        return self.wait_delivery(session, sent.id, "done", "failed", seconds=seconds)

    def question(self, session: str) -> Any:
        """The one open question, once there is one."""
        [asked] = eventually(lambda: self.client.sessions.questions(session), "an open question")
        return asked

    def workspace(self, session: str) -> Path:
        """The folder that the agent works in."""
        return self.home / "sessions" / session / "workspace"

    # --- processes

    @property
    def supervisor(self) -> Any:
        """The supervisor of the running platform."""
        assert self.platform.supervisor is not None
        return self.platform.supervisor

    def process_names(self) -> list[str]:
        """All process types, in the order they start."""
        return [spec.name for spec in self.supervisor.specs]

    def pid(self, name: str) -> int:
        """Pid of one process type, once it runs."""
        return eventually(lambda: self.supervisor.pids().get(name), f"{name} runs")

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to one process; its pid."""
        pid = self.pid(name)
        self.supervisor.kill(name, number)
        return pid

    def restart(self, names: Iterable[str]) -> None:
        """Stop and start processes, and wait until both servers can serve."""
        for name in names:
            self.supervisor.restart(name)
        self.platform.wait_ready(READY_SECONDS)

    def spawn(self, *arguments: str, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """One more process of the platform, ended with it."""
        helper = subprocess.Popen(
            manage(*arguments), env={**self.platform.env, **env}, stdout=self._log, stderr=subprocess.STDOUT
        )
        self._helpers.append(helper)
        return helper

    def runners(self, session: str | None = None) -> list[int]:
        """Live processes of runners, of one session or all of the home."""
        part = "" if session is None else f"/{session}/"
        pids = marked_pids(HostPaths(self.home).mark)
        return [pid for pid in pids if part in environ_of(pid).get(VARIABLE, "")]

    def runner(self, session: str) -> int:
        """The runner of a session: the process that leads its group."""
        [pid] = eventually(
            lambda: [pid for pid in self.runners(session) if group_of(pid) == pid], "the runner's process"
        )
        return pid
