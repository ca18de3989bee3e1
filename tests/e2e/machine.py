"""A whole platform of real processes in a throw-away home: started, killed, frozen, added to, healed."""

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from ambient.embedded.home import CHECKOUT, Home, free_port
from ambient.embedded.platform import Platform, endpoints, manage
from ambient.embedded.supervisor import ProcessSpec, Supervisor
from tests.e2e.runtimes import RuntimeDriver, make_driver
from tests.e2e.system import READY_SECONDS, children_and_self, eventually, kill, processes_of, state_of

SETTINGS = {
    "AMBIENT_DEMO_PACE": "0",
    "AMBIENT_STOP_GRACE_SECONDS": "2",
    "AMBIENT_RESYNC_SECONDS": "5",
    "AMBIENT_WORKER_CONCURRENCY": "2",
    "AMBIENT_LEASE_SECONDS": "5",
    "AMBIENT_WATCHERS_PER_USER": "1000",
}
SERVICES = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
NOT_INHERITED = (
    "ANTHROPIC_",
    "OTEL_",
    "DATABASE_",
    "REDIS_URL",
    "AMBIENT_",
    "PYTEST_",
    "DJANGO_SETTINGS_MODULE",
)
DEAD = ("", "Z")


def inherited() -> dict[str, str]:
    """Our environment without what names the servers and settings of the test run."""
    return {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}


def environment(home: Path, **extra: str) -> dict[str, str]:
    """What a platform of its own gets: a home, free ports, short deadlines."""
    ports = {name: str(free_port()) for name in ("AMBIENT_API_PORT", "AMBIENT_CONTROL_PLANE_PORT")}
    return inherited() | ports | {"AMBIENT_HOME": str(home)} | SETTINGS | extra


def serves(url: str) -> bool:
    """Whether a server is ready."""
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


class Replica:
    """One more process of the platform; started again when it is killed, like the first."""

    def __init__(self, name: str, arguments: Iterable[str], env: Mapping[str, str], output: Any) -> None:
        self.name = name
        self._supervisor = Supervisor([ProcessSpec(name, manage(*arguments), env)], output)
        self._supervisor.start()

    @property
    def pid(self) -> int:
        """Its pid, once it runs."""
        return eventually(lambda: self._supervisor.pids().get(self.name), f"{self.name} runs")

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send it a signal; its pid."""
        pid = self.pid
        self._supervisor.kill(self.name, number)
        return pid

    def restart(self) -> None:
        """Stop it and start it with a clean record."""
        self._supervisor.restart(self.name)

    def stop(self) -> None:
        """End it for good."""
        self._supervisor.stop()


class Machine:
    """The processes of one platform, and short ways to break and mend them."""

    def __init__(self, folder: Path, runtime: RuntimeDriver | None = None, **settings: str) -> None:
        """`runtime`: what runners stand on, if not a ground of the platform's own."""
        self.home = folder / "home"
        self.log_path = folder / "platform.log"
        self._log = self.log_path.open("w", buffering=1)
        self.runtime = runtime or make_driver(folder, self.home)
        self.settings = environment(self.home, **self.runtime.settings) | settings
        self.platform = self._platform()
        self._replicas: list[Replica] = []

    def _platform(self) -> Platform:
        return Platform(
            Home(self.home), self.settings, output=self._print, progress=self.note, throwaway=True
        )

    def _print(self, name: str, line: str) -> None:
        print(f"{name:<14} {line}", file=self._log)

    def note(self, text: str) -> None:
        """Leave a line among the lines of the processes."""
        print(f"-- {text}", file=self._log)

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

    def stop(self) -> None:
        """End everything that was started."""
        self.end_replicas()
        self.platform.stop()
        self.runtime.stop()
        self._log.close()

    def heal(self) -> None:
        """Start again what a test has frozen or ended, and wait until all can serve."""
        self.end_replicas()
        for service in SERVICES:
            if state_of(self.service_pid(service)) in DEAD:
                self.start_service(service)
        for name in self.process_names():
            pid = self.supervisor.pids().get(name)
            if pid is None:
                self.supervisor.restart(name)
            else:
                self.thaw(children_and_self(pid))
        self.platform.wait_ready(READY_SECONDS)

    def reboot(self, **settings: str) -> None:
        """SIGKILL to everything of the home at once, then a new start, with other settings if given."""
        self.note("reboot")
        pids = [int(line.split()[0]) for line in processes_of(self.home)]
        for service in SERVICES:
            pids += children_and_self(self.service_pid(service))
        for pid in pids:
            kill(pid)
        for pid in pids:
            eventually(lambda pid=pid: state_of(pid) in DEAD, f"{pid} is dead")
        self._service("postgres").throwaway = False  # its data outlive it
        self.platform.stop()
        self.settings |= settings
        self.platform = self._platform()
        self.start()

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

    # --- PostgreSQL and Valkey

    def _service(self, name: str) -> Any:
        assert self.platform.services is not None
        return getattr(self.platform.services, name)

    def service_pid(self, name: str) -> int:
        """Pid of PostgreSQL or Valkey."""
        return self._service(name).pid or 0

    def kill_service(self, name: str, number: int = signal.SIGKILL) -> None:
        """End PostgreSQL or Valkey by a signal."""
        self.note(f"{signal.Signals(number).name} to {name}")
        pid = self.service_pid(name)
        os.kill(pid, number)
        eventually(lambda: state_of(pid) in DEAD, f"the end of {name}")

    def start_service(self, name: str) -> None:
        """Start PostgreSQL or Valkey again, at the same address and with the data that it had."""
        server = self._service(name)
        throwaway = getattr(server, "throwaway", False)
        server.throwaway = False
        server.stop()
        server.throwaway = throwaway
        server.start()
        assert server.url == self.platform.env[SERVICES[name]], f"{name} came back elsewhere"
        self.note(f"{name} is back")

    @contextmanager
    def without(self, name: str, number: int = signal.SIGKILL) -> Iterator[None]:
        """A time without PostgreSQL or Valkey."""
        self.kill_service(name, number)
        try:
            yield
        finally:
            self.start_service(name)

    # --- processes

    @property
    def supervisor(self) -> Supervisor:
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

    def add(self, name: str, *arguments: str, **env: str) -> Replica:
        """One more process of the platform, ended with it or by `heal`."""
        replica = Replica(name, arguments, {**self.platform.env, "PYTHONUNBUFFERED": "1", **env}, self._print)
        self._replicas.append(replica)
        return replica

    def add_worker(self, name: str = "worker-2", **env: str) -> Replica:
        """A second worker, once it has its children."""
        replica = self.add(name, "worker", **env)
        eventually(lambda: len(children_and_self(replica.pid)) > 1, f"{name}'s children", READY_SECONDS)
        return replica

    def add_control_plane(self, name: str = "control-plane-2", **env: str) -> tuple[Replica, str]:
        """A second control plane and its URL, once it serves."""
        port = str(free_port())
        replica = self.add(name, "serve", "control-plane", AMBIENT_CONTROL_PLANE_PORT=port, **env)
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: serves(url), name, READY_SECONDS)
        return replica, url

    def end_replicas(self) -> None:
        """End the processes that were added."""
        while self._replicas:
            self._replicas.pop().stop()

    @contextmanager
    def frozen(self, *pids: int) -> Iterator[None]:
        """A time in which these processes and all under them stand still."""
        every = [member for pid in pids for member in children_and_self(pid)]
        for pid in every:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            self.thaw(every)

    def thaw(self, pids: Iterable[int]) -> None:
        """Let processes go on."""
        for pid in pids:
            kill(pid, signal.SIGCONT)

    def runners(self, session: str | None = None) -> list[int]:
        """Live processes of runners, of one session or all of the home."""
        return self.runtime.runners(session)

    def runner(self, session: str) -> int:
        """The runner of a session, once there is one."""
        return self.runtime.runner(session)
