"""Starts runners as the platform does, and talks to them over HTTP."""

import hmac
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from forking import Forked, ForkServer

SECRET = "runner-secret-0123456789abcdef"
LAUNCH_TOKEN = "launch-token-0123456789abcdef"
SOURCE = Path(__file__).parents[2] / "runner" / "src"
PATH = os.pathsep.join([str(SOURCE), str(SOURCE.parents[1] / "sdk" / "python" / "src")])
PATIENCE = 60.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Poll until the condition gives something true."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


def token(secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), b"agui", "sha256").hexdigest()


@dataclass
class Stream:
    """One SSE answer, read event by event."""

    response: httpx.Response
    indexes: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    heartbeats: int = 0
    size: int = 0

    def __post_init__(self) -> None:
        self._items = self._parse()

    def _parse(self) -> Iterator[dict[str, Any]]:
        index = None
        for line in self.response.iter_lines():
            if line.startswith("id: "):
                self.size += len(line) + 1
                index = int(line[4:])
            elif line.startswith("data: "):
                self.size += len(line) + 2
                self.indexes.append(index)
                self.events.append(json.loads(line[6:]))
                yield self.events[-1]
            elif line.startswith(":"):
                self.heartbeats += 1
                yield {"type": "heartbeat"}

    def until(self, found: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read on until an event fits."""
        for event in self._items:
            if found(event):
                return event
        raise AssertionError(f"the stream ended first, after {[e['type'] for e in self.events][-5:]}")

    def rest(self) -> list[dict[str, Any]]:
        """Read to the end of the stream; returns all events."""
        for _ in self._items:
            pass
        return self.events


@dataclass
class RunnerUnderTest:
    """One process and its HTTP client."""

    process: subprocess.Popen | Forked
    port: int
    workspace: Path
    config_file: Path
    log_file: Path

    def __post_init__(self) -> None:
        headers = {"X-Ambient-Session-Token": token()}
        self.url = f"http://127.0.0.1:{self.port}"
        # Without `verify` every client would read all of the system's certificates, for plain HTTP.
        self.http = httpx.Client(
            base_url=self.url, headers=headers, timeout=PATIENCE, trust_env=False, verify=False
        )

    def ready(self) -> "RunnerUnderTest":
        wait_for(self.health, "an answer of /health")
        return self

    def health(self) -> dict[str, Any] | None:
        if self.process.poll() is not None:
            raise AssertionError(f"the runner ended: {self.log()}")
        try:
            return self.http.get("/health").json()
        except httpx.TransportError:
            return None

    def idle(self) -> None:
        wait_for(lambda: (self.health() or {}).get("active_run", "") is None, "no active run")

    @contextmanager
    def run(
        self, text: str | None, run: str = "run-1", *, resume=None, epoch: int | None = None
    ) -> Iterator[Stream]:
        """POST a run and follow it."""
        body: dict[str, Any] = {"threadId": "thread-1", "runId": run, "messages": []}
        if text is not None:
            body["messages"] = [{"id": f"{run}-user", "role": "user", "content": text}]
        if resume is not None:
            body["resume"] = resume
        headers = {} if epoch is None else {"X-Ambient-Epoch": str(epoch)}
        with self.http.stream("POST", "/", json=body, headers=headers) as response:
            if response.status_code != 200:
                response.read()
            yield Stream(response)

    def events_of(self, text: str | None, run: str = "run-1", **options: Any) -> list[dict[str, Any]]:
        """A whole run."""
        with self.run(text, run, **options) as stream:
            assert stream.response.status_code == 200, stream.response.text
            return stream.rest()

    def step_to(self, stream: Stream, found: Callable[[dict[str, Any]], bool], run: str = "run-1") -> None:
        """Acknowledge event by event up to one that fits; with room for one byte the agent is held there."""
        while not found(stream.until(lambda event: event["type"] != "heartbeat")):
            self.http.post(f"/runs/{run}/ack", json={"index": stream.indexes[-1]}).raise_for_status()

    @contextmanager
    def attach(self, run: str, after: int | None = None, **headers: str) -> Iterator[Stream]:
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        with self.http.stream("GET", f"/runs/{run}/events", headers=headers) as response:
            if response.status_code != 200:
                response.read()
            yield Stream(response)

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def log(self) -> str:
        return self.log_file.read_text()

    def close(self) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.kill()
        if isinstance(self.process, Forked):
            self.process.close()


def start_runner(
    folder: Path,
    number: int,
    *,
    forks: ForkServer | None,
    variables: dict[str, str] | None = None,
    spec: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    wait: bool = True,
    **fields: Any,
) -> RunnerUnderTest:
    """Start a runner on an inherited socket, with the launch file it deletes."""
    workspace = folder / "workspace"
    config = {
        "session_id": "session-1",
        "project_id": "project-1",
        "generation": 3,
        "attempt": number + 1,
        "runner_secret": SECRET,
        "launch_token": LAUNCH_TOKEN,
        "token_url": None,
        "api_url": None,
        "framework": "demo",
        "workspace": str(workspace),
        "resume": number > 0,
        "spec": {"name": "test", "environment_variables": {"AMBIENT_DEMO_PACE": "0", **(variables or {})}}
        | (spec or {}),
        "sdk_session_id": None,
        **fields,
    }
    config_file = folder / f"launch-{number}.json"
    config_file.write_text(json.dumps(config))
    config_file.chmod(0o600)
    log_file = folder / f"log-{number}.txt"
    with socket.create_server(("127.0.0.1", 0)) as listener, log_file.open("wb") as log:
        port = listener.getsockname()[1]
        process: subprocess.Popen | Forked
        if forks is None:
            process = start_program(config_file, listener, log.fileno(), environment or {}, folder)
        else:
            process = forks.start(config_file, listener, log.fileno(), environment or {}, folder)
    runner = RunnerUnderTest(process, port, workspace, config_file, log_file)
    return runner.ready() if wait else runner


def start_program(
    config: Path, listener: socket.socket, log: int, environment: dict[str, str], cwd: Path
) -> subprocess.Popen:
    """`python -m ambient_runner`, with everything that belongs to a new interpreter."""
    fd = listener.fileno()
    return subprocess.Popen(
        [sys.executable, "-m", "ambient_runner", "--config", str(config), "--fd", str(fd)],
        pass_fds=[fd],
        env={**os.environ, "PYTHONPATH": PATH, **environment},
        stderr=log,
        stdout=log,
        cwd=cwd,
    )
