"""Canary secrets through a running platform: logs, Valkey, process lists, runners, backup, metrics, traces.

What must not hold a secret is searched for all of them, and must hold a word that shows the search works.
"""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
import redis
from websockets.sync.client import connect

from tests.e2e.canaries import check, secrets_of
from tests.e2e.harness import Stage
from tests.e2e.system import V1, environ_of, eventually
from tests.fakes.otlp_collector import Collector
from tests.integration.security.canaries import Canary

RUNNER_MAY_HAVE = re.compile(
    r"PATH|LANG|LC_ALL|TZ|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|(HTTPS?|NO)_PROXY|HOME|TMPDIR|PWD"
    r"|OTEL_[A-Z_]+|TRACEPARENT|PYTHON[A-Z]+|AMBIENT_(DEMO_PACE|RUNNER_[A-Z_]+|MARK)|GIT_[A-Z_]+"
)


@pytest.fixture(scope="module")
def collector():
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Played:
    """A platform after somebody has used every secret, and all secrets by what they are."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.commands: list[str] = []
        self.word = Canary().control
        kept = {name: (stage.home / name).read_text().strip() for name in KEPT}
        self.secrets = {name: Canary().secret for name in CANARIES} | kept
        self.session = stage.client.sessions.create(
            name=self.word, project_id="canaries", prompt=f"/echo {self.word}"
        ).id
        stage.wait_phase(self.session, "Running")
        self.secrets |= secrets_of(stage, self.session)

    def use(self) -> None:
        """Every secret takes its path, right and wrong."""
        stage, secrets = self.stage, self.secrets
        body = {"name": self.word, "provider": "github", "token": secrets["credential"]}
        made = stage.request("POST", "/credentials", json=body).json()
        path = f"/credentials/{made['id']}"
        assert stage.request("GET", f"{path}/token").json()["token"] == secrets["credential"]
        stage.request("PATCH", path, json={"token": secrets["patched"]}).raise_for_status()
        wrong = {"name": "x", "provider": self.word, "token": secrets["refused"]}
        assert stage.request("POST", "/credentials", json=wrong).status_code == 400
        for base in (stage.api, stage.control_plane):
            url = f"{base}{V1}/sessions/{self.session}"
            for token in (secrets["bad token"], f"ambs_{secrets['bad token']}"):
                assert stage.request("GET", url, token=token).status_code == 401
            assert stage.request("GET", url, token=secrets["session token"]).status_code == 200
            self._websockets(base)
        self._sign_in()

    def _websockets(self, base: str) -> None:
        url = f"{base}{V1}/sessions/{self.session}/agui/ws".replace("http", "ws", 1)
        for token in (self.secrets["admin.key"], self.secrets["session token"]):
            ways = (
                {"additional_headers": {"Authorization": f"Bearer {token}"}},
                {"subprotocols": ["ambient", f"bearer.{token}"]} if ":" not in token else None,
            )
            for way in filter(None, ways):
                with connect(url, proxy=None, **way) as socket:
                    socket.recv(timeout=20)

    def _sign_in(self) -> None:
        login = f"{self.stage.api}/admin/login/"
        with httpx.Client(trust_env=False, timeout=30) as browser:
            for password in (self.secrets["bad password"], self.secrets["admin.password"]):
                browser.get(login).raise_for_status()
                form = {
                    "username": "admin",
                    "password": password,
                    "csrfmiddlewaretoken": browser.cookies["csrftoken"],
                }
                answer = browser.post(login, data=form)
            assert answer.status_code == 302
            cookie = browser.cookies["sessionid"]
            url = f"{self.stage.api}{V1}/sessions/{self.session}/agui/ws".replace("http", "ws", 1)
            headers = {"Cookie": f"sessionid={cookie}", "Origin": self.stage.api}
            with connect(url, proxy=None, additional_headers=headers) as socket:
                socket.recv(timeout=20)
        self.secrets["cookie"] = cookie

    def check(self, text: str, *controls: str, but: tuple[str, ...] = ()) -> None:
        """None of the secrets is in it, all of the words are."""
        check(self.secrets, text, *controls, but=but)


CANARIES = ("credential", "patched", "refused", "bad token", "bad password")
KEPT = (
    "admin.key",
    "admin.password",
    "secret.key",
    "encryption.key",
    "postgres.password",
    "valkey.password",
)
MODEL_KEY = "sk-canary-0123456789abcdef"


@pytest.fixture(scope="module")
def played(tmp_path_factory, collector):
    """Everything was used once, while Valkey told every command and all processes logged all they can."""
    stage = Stage(
        tmp_path_factory.mktemp("canaries"),
        AMBIENT_LOG_LEVEL="DEBUG",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        ANTHROPIC_API_KEY=MODEL_KEY,
    )
    stage.runtime.use(Path(sys.executable))
    stage.start()
    try:
        stage.client.projects.create(name="canaries")
        valkey = redis.Redis.from_url(stage.platform.env["REDIS_URL"])
        with valkey.monitor() as monitor:
            played = Played(stage)
            played.secrets["model key"] = MODEL_KEY
            played.use()
            stage.ask_and_wait(played.session, f"/echo {played.word}")
            valkey.publish("end", "end-of-canaries")
            for command in monitor.listen():
                played.commands.append(command["command"])
                if "end-of-canaries" in command["command"]:
                    break
        yield played
    finally:
        stage.stop()


@pytest.mark.process_runtime
def test_logs_of_all_processes(played):
    home, stage = played.stage.home, played.stage
    logs = [stage.log_path, *home.glob("*.log"), *home.glob("sessions/*/runner-*.log")]
    assert len(logs) >= 4
    text = "\n".join(path.read_text(errors="replace") for path in logs)
    processes = ("api ", "control-plane ", "worker ", "beat ", "watcher ", "runner-host ")
    assert [name for name in processes if f"\n{name}" not in text] == []
    played.check(text, "credential token read", played.session, "debug")


def test_commands_and_values_of_valkey(played):
    valkey = redis.Redis.from_url(played.stage.platform.env["REDIS_URL"])
    values = [repr((key, valkey.type(key), valkey.dump(key))) for key in valkey.scan_iter()]
    text = "\n".join([*played.commands, *values])
    played.check(text, "reconciler.tasks.work", played.session, "ambient:limit:")


@pytest.mark.process_runtime
def test_command_lines(played):
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK)]
    text = b"\n".join(lines).decode(errors="replace").replace("\0", " ")
    played.check(text, "serve control-plane", "runner_host", "ambient_runner")


@pytest.mark.process_runtime
def test_a_runner_has_no_secret_and_nothing_of_ours_in_its_environment(played):
    environment = environ_of(played.stage.runner(played.session))
    text = "\n".join(f"{name}={value}" for name, value in environment.items())
    played.check(text, "OTEL_EXPORTER_OTLP_ENDPOINT")
    assert sorted(name for name in environment if not RUNNER_MAY_HAVE.fullmatch(name)) == []


@pytest.mark.parametrize("service", ["postgres", "valkey"])
def test_servers_have_no_secret_in_their_environment(played, service):
    environment = environ_of(played.stage.service_pid(service))
    text = "\n".join(f"{name}={value}" for name, value in environment.items())
    played.check(text, "PATH=")


@pytest.mark.process_runtime
def test_files_of_sessions(played):
    folder = played.stage.home / "sessions"
    files = [path for path in folder.rglob("*") if path.is_file()]
    text = "\n".join(path.read_bytes().decode(errors="replace") for path in files)
    played.check(text, played.session)


def test_a_backup_holds_sealed_values_only(played):
    command = [sys.executable, "-m", "ambient.embedded", "run", "--", "sh", "-c", 'pg_dump "$DATABASE_URL"']
    dump = subprocess.run(command, env=played.stage.platform.env, capture_output=True, text=True, timeout=100)
    assert dump.returncode == 0, dump.stderr
    # Keys of browser sessions are in Django's table as they are (docs/security.md).
    played.check(dump.stdout, played.word, played.session, "enc:", but=("cookie",))


def test_metrics(played):
    for base in (played.stage.api, played.stage.control_plane):
        text = httpx.get(f"{base}/metrics", trust_env=False, timeout=30).text
        played.check(text, "ambient_http_requests_total", "sessions/<str:pk>")


def test_traces(played, collector):
    eventually(lambda: collector.named("run"), "a span of the run")
    text = "\n".join(map(repr, collector.spans))
    played.check(text, played.session, "/api/ambient/v1/credentials")


def test_answers(played):
    paths = (
        f"/sessions/{played.session}",
        f"/sessions/{played.session}/messages",
        "/credentials",
        "/openapi",
    )
    paths += (f"/sessions/{played.session}/runs", f"/sessions/{played.session}/events/history", "/users")
    text = "\n".join(played.stage.request("GET", path).text for path in paths)
    played.check(text, played.word, played.session)
