"""The whole platform on one machine: which processes it has, and starting and stopping them in order."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ambient.common import processes
from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import CHECKOUT, LOOPBACK, Home, HomeLock, port_problem
from ambient.embedded.lines import LineSplitter, TerminalOutput
from ambient.embedded.services import Services, start_services
from ambient.embedded.supervisor import Output, ProcessSpec, Supervisor

LOCK = "platform"
COMMANDS = {
    "api": ("serve", "api"),
    "control-plane": ("serve", "control-plane"),
    "worker": ("worker",),
    "beat": ("beat",),
    "watcher": ("watcher",),
    "runner-host": ("runner_host",),
}
SETUP = "bootstrap"


@dataclass(frozen=True)
class Endpoint:
    """A server of ours, and the variable that moves it."""

    name: str
    variable: str
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{_connect_host(self.host)}:{self.port}"


def endpoints(env: Mapping[str, str]) -> list[Endpoint]:
    """The API and the control plane, where the environment puts them."""
    host = env.get("AMBIENT_HOST") or LOOPBACK
    wanted = (("api", "AMBIENT_API_PORT", "8000"), ("control-plane", "AMBIENT_CONTROL_PLANE_PORT", "9080"))
    found = []
    for name, variable, default in wanted:
        text = env.get(variable) or default
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise EmbeddedError(f"{variable}={text} is not a port")
        found.append(Endpoint(name, variable, host, int(text)))
    if found[0].port == found[1].port:
        raise EmbeddedError(f"{found[0].variable} and {found[1].variable} are both {found[0].port}")
    return found


def manage(*arguments: str) -> list[str]:
    """The command line of one of `manage.py`'s commands."""
    return [sys.executable, str(CHECKOUT / "manage.py"), *arguments]


def process_specs(env: Mapping[str, str]) -> list[ProcessSpec]:
    """The process types, in the order they start; `env` is their whole environment."""
    with_host = (env.get("AMBIENT_RUNTIME") or "process") == "process"
    names = [name for name in COMMANDS if name != "runner-host" or with_host]
    return [ProcessSpec(name, manage(*COMMANDS[name]), {**env, "PYTHONUNBUFFERED": "1"}) for name in names]


def check_ports(env: Mapping[str, str]) -> None:
    """Refuse a port that is in use, naming it and what changes it."""
    for endpoint in endpoints(env):
        if problem := port_problem(endpoint.port, endpoint.host):
            raise EmbeddedError(
                f"port {endpoint.port} of {endpoint.name}: {problem}; set {endpoint.variable} to another one"
            )


def check_settings(env: Mapping[str, str]) -> None:
    """Refuse a setting that the platform could not use, before anything is started."""
    argv = [sys.executable, "-m", "ambient.preflight"]
    done = subprocess.run(
        argv, cwd=CHECKOUT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.strip() or f"settings cannot be read: {processes.describe_exit(done.returncode)}"
        raise EmbeddedError(said.splitlines()[-1])
    if env.get("AMBIENT_MODE") == "production":
        raise EmbeddedError(
            "AMBIENT_MODE=production: this starts the embedded default; run `manage.py migrate` and the "
            "process types by themselves"
        )


class Progress:
    """Prints what is done, behind the seconds since the start."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def __call__(self, text: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - self._begin:5.1f}s] {text}\n")
        sys.stdout.flush()


class Platform:
    """Services, migration, first sign-in and all processes of one home."""

    def __init__(
        self,
        home: Home,
        env: Mapping[str, str] | None = None,
        *,
        output: Output | None = None,
        progress: Callable[[str], None] | None = None,
        throwaway: bool = False,
        reaper: bool = False,
    ) -> None:
        self.home = home
        self.env = dict(os.environ if env is None else env)
        self.supervisor: Supervisor | None = None
        self.services: Services | None = None
        self._output = TerminalOutput([*COMMANDS, SETUP]) if output is None else output
        self._progress = Progress() if progress is None else progress
        self._throwaway = throwaway
        self._reaper = reaper
        self._lock: HomeLock | None = None

    def start(self) -> None:
        """Start everything in order; on any failure nothing stays behind."""
        self._lock = self.home.lock(LOCK, what="a platform")
        try:
            check_settings(self.env)
            check_ports(self.env)
            self.services = start_services(self.home, throwaway=self._throwaway, env=self.env)
            self.env |= self.services.environment()
            self._progress("PostgreSQL and Valkey answer")
            self._set_up()
            self._progress("the database is up to date")
            self.supervisor = Supervisor(process_specs(self.env), self._output, reaper=self._reaper)
            self.supervisor.start()
            self._progress(f"started {', '.join(self.supervisor.pids())}")
        except BaseException:
            self.stop()
            raise

    def wait_ready(self, timeout: float = 180.0) -> None:
        """Wait until both servers say that they can serve."""
        deadline = time.monotonic() + timeout
        for endpoint in endpoints(self.env):
            while problem := readiness_problem(endpoint):
                if self.supervisor is None:
                    raise EmbeddedError("the platform has not been started")
                if given_up := self.supervisor.given_up():
                    raise EmbeddedError(f"{', '.join(given_up)} crashed too often, see the lines above")
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"{endpoint.name} is not ready after {timeout:.0f} s: {problem}")
                time.sleep(0.1)
            self._progress(f"{endpoint.name} is ready at {endpoint.url}")

    def stop(self) -> None:
        """Stop everything in reverse order; a second call does nothing."""
        try:
            if self.supervisor is not None:
                self.supervisor.stop()
        finally:
            try:
                if self.services is not None:
                    self.services.stop()
            finally:
                if self._lock is not None:
                    self._lock.release()

    def _set_up(self) -> None:
        """Run `manage.py bootstrap --migrate` to its end, its lines to the output."""
        env = {**self.env, "PYTHONUNBUFFERED": "1"}
        splitter = LineSplitter()
        reader, writer = os.pipe()
        try:
            child = processes.spawn(manage(SETUP, "--migrate"), env=env, output=writer)
        finally:
            os.close(writer)
        try:
            while data := os.read(reader, 65536):
                for line in splitter.feed(data):
                    self._output(SETUP, line)
            for line in splitter.end():
                self._output(SETUP, line)
            child.wait()
        finally:
            processes.stop(child, [(signal.SIGTERM, 2.0)])
            os.close(reader)
        if child.returncode != 0:
            ended = processes.describe_exit(child.returncode)
            raise EmbeddedError(f"`manage.py {SETUP}` failed ({ended}), see the lines above")


def readiness_problem(endpoint: Endpoint) -> str | None:
    """None when `/readyz` answers 200, else what is wrong."""
    connection = http.client.HTTPConnection(_connect_host(endpoint.host), endpoint.port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": f"{LOOPBACK}:{endpoint.port}"})
        response = connection.getresponse()
        text = response.read(2000).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as exc:
        return str(exc) or type(exc).__name__
    finally:
        connection.close()
    return None if response.status == 200 else f"{response.status} {text}"


def _connect_host(host: str) -> str:
    """Where to reach a server that may listen on every address."""
    return LOOPBACK if host in ("0.0.0.0", "::", "") else host  # noqa: S104
