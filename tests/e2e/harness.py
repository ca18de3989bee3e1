"""The running platform as its users see it, and what the tests ask of it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg

from ambient.embedded.home import CHECKOUT
from tests.e2e.machine import Machine
from tests.e2e.runtimes import RuntimeDriver
from tests.e2e.system import START_SECONDS, V1, eventually

SDK = CHECKOUT / "sdk" / "python" / "src"
if str(SDK) not in sys.path:
    sys.path.insert(0, str(SDK))

from ambient_platform import AmbientClient, APIError  # noqa: E402

TOKEN = """
from reconciler.launch import runner_secret
from sessions_app.models import Session
from sessions_app.runner_identity import agui_token
print(agui_token(runner_secret(Session.objects.get(pk="{session}"))))
"""

__all__ = ["APIError", "AmbientClient", "Stage"]


class Stage(Machine):
    """One running platform, and short ways to look at it."""

    def __init__(self, folder: Path, runtime: RuntimeDriver | None = None, **settings: str) -> None:
        super().__init__(folder, runtime, **settings)
        self._clients: list[AmbientClient] = []

    def start(self) -> None:
        """Start everything and wait until both servers can serve."""
        super().start()
        self.token = (self.home / "admin.key").read_text().strip()
        self.client = self.client_for(self.token)

    def stop(self) -> None:
        """End everything that was started."""
        for client in self._clients:
            client.close()
        super().stop()

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

    def call_runner(self, session: str, path: str, body: dict[str, Any], *, epoch: int) -> httpx.Response:
        """What a holder of the session's stream with this epoch would send to its runner."""
        [(endpoint,)] = self.query("SELECT runner_endpoint FROM sessions_app_session WHERE id = %s", session)
        headers = {
            "X-Ambient-Session-Token": self.manage("shell", "-v", "0", "-c", TOKEN.format(session=session)),
            "X-Ambient-Epoch": str(epoch),
        }
        return httpx.post(endpoint + path, json=body, headers=headers, timeout=30, trust_env=False)

    def runner_connections(self, session: str, *pids: int) -> set[int]:
        """Their own ports of all open connections that these processes have to a session's runner."""
        [(endpoint,)] = self.query("SELECT runner_endpoint FROM sessions_app_session WHERE id = %s", session)
        return {
            found.laddr.port
            for pid in pids
            for found in psutil.Process(pid).net_connections("tcp")
            if found.status == psutil.CONN_ESTABLISHED and found.raddr.port == urlsplit(endpoint).port
        }

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
        return self.runtime.workspace(session)

    def attempt(self, session: str) -> int:
        """How many runners the session has had."""
        [(attempt,)] = self.query("SELECT attempt FROM sessions_app_session WHERE id = %s", session)
        return int(attempt)

    def wait_attempt(self, session: str, attempt: int, seconds: float = START_SECONDS) -> Any:
        """The session, once it runs (or has failed) with this attempt."""
        phases = ("Running", "Failed")
        return self.wait_session(
            session,
            lambda row: row.phase in phases and self.attempt(session) >= attempt,
            f"attempt {attempt}",
            seconds,
        )

    def owners(self) -> set[str]:
        """Control-plane processes with a live heartbeat."""
        rows = self.query("SELECT process FROM sessions_app_streamowner WHERE expires_at > now()")
        return {process for (process,) in rows}

    def holder(self, session: str) -> str | None:
        """The control-plane process that holds the lease of a session's stream."""
        rows = self.query(
            "SELECT owner FROM sessions_app_sessionstream WHERE session_id = %s AND owner IS NOT NULL",
            session,
        )
        return rows[0][0] if rows else None

    def epoch(self, session: str) -> int:
        """How often the lease of a session's stream was taken."""
        [(epoch,)] = self.query("SELECT epoch FROM sessions_app_sessionstream WHERE session_id = %s", session)
        return int(epoch)
