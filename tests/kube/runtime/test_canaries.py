"""Canary secrets of a session in a pod: they are where they belong, and nowhere else on the cluster."""

import base64
import contextlib
import json

import pytest

from reconciler.kubernetes.manifests import LAUNCH_FILE
from reconciler.kubernetes.names import object_name
from tests.e2e.canaries import check, secrets_of
from tests.e2e.system import GENEROUS, command_of, environ_of, eventually
from tests.fakes.git_server import FakeGitServer
from tests.integration.security.canaries import Canary
from tests.kube.images import ENVIRONMENT
from tests.s3 import SECRET_KEY

pytestmark = [pytest.mark.kube, pytest.mark.timeout(600)]

START_SECONDS = 90 * GENEROUS
OPEN = (
    "pods",
    "serviceaccounts",
    "configmaps",
    "events",
    "services",
    "persistentvolumeclaims",
    "networkpolicies",
)
"""Kinds that are no place for a secret."""


class Played:
    """A session that has used every secret, and what the cluster shows of it while its agent works."""

    def __init__(self, stage, api, git):
        self.stage, self.api = stage, api
        self.word = Canary().control
        self.secrets = {name: Canary().secret for name in ("MCP variable", "MCP header")}
        servers = {
            "local": {
                "command": f"{ENVIRONMENT}/bin/python",
                "args": ["-c", "from mcp.server.mcpserver import MCPServer; MCPServer('notes').run()"],
                "env": {"NOTES": self.secrets["MCP variable"]},
            },
            "remote": {
                "type": "http",
                "url": "http://127.0.0.1:9/",
                "headers": {"Authorization": f"Bearer {self.secrets['MCP header']}"},
            },
        }
        project = stage.client.projects.create(name="canaries").id
        body = {"name": "git", "provider": "gitlab", "url": git.url, "token": git.token}
        stage.request("POST", f"/projects/{project}/credentials", json=body).raise_for_status()
        self.session = stage.client.sessions.create(
            name="s",
            project_id=project,
            runner_type="claude",
            allowed_tools='["Bash"]',
            repo_url=git.make("private.git"),
            mcp_servers=json.dumps(servers),
            environment_variables='{"MCP_TIMEOUT": "300000"}',  # a server may be slow to start
        ).id
        row = stage.wait_phase(self.session, "Running", "Failed", seconds=START_SECONDS)
        assert row.phase == "Running", row.reason_text
        self.secrets |= secrets_of(stage, self.session)
        self.secrets |= {"model key": MODEL_KEY, "credential": git.token, "bucket key": SECRET_KEY}
        self.namespace = f"/namespaces/{stage.runtime.namespace(project)}"
        self.name = object_name(self.session, 1)

    def work(self):
        """Its agent shows all that it has, then is left at work."""
        done = self.stage.ask_and_wait(self.session, f"do bash: echo {self.word}; env", START_SECONDS)
        assert done.delivery == "done"
        self.stage.client.sessions.send(self.session, "do bash: sleep 599")
        eventually(lambda: "sleep 599" in "".join(self.commands()), "its command runs", START_SECONDS)
        eventually(lambda: "MCPServer" in "".join(self.commands()), "its server runs", START_SECONDS)

    def list(self, kind):
        root = "/apis/networking.k8s.io/v1" if kind == "networkpolicies" else "/api/v1"
        return self.api.get(f"{root}{self.namespace}/{kind}")["items"]

    def processes(self):
        return self.stage.runners(self.session)

    def commands(self):
        return [command_of(pid) for pid in self.processes()]

    def check(self, text, *controls, but=()):
        check(self.secrets, text, *controls, but=but)


MODEL_KEY = "canary-of-the-model-0123456789abcdef"


@pytest.fixture(scope="module")
def git(tmp_path_factory):
    server = FakeGitServer(tmp_path_factory.mktemp("git"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def played(cluster, node, make_stage, s3, git, model_api):
    """All processes of the platform log all they can."""
    model = {"ANTHROPIC_BASE_URL": model_api.url, "ANTHROPIC_API_KEY": MODEL_KEY}
    stage = make_stage(cluster, node, AMBIENT_LOG_LEVEL="DEBUG", **model, **s3.settings)
    api = cluster.api()
    played = Played(stage, api, git)
    played.work()
    yield played
    api.close()


def test_secrets_are_in_the_sessions_secret_alone(played):
    kept = {each["metadata"]["name"]: each for each in played.list("secrets")}
    found = kept.pop(played.name)
    texts = {name: base64.b64decode(text).decode() for name, text in found["data"].items()}
    assert texts.pop("ANTHROPIC_API_KEY") == MODEL_KEY
    launch = texts.pop(LAUNCH_FILE)
    belongs = ("runner secret", "MCP variable", "MCP header")
    assert [name for name in belongs if played.secrets[name] not in launch] == []
    played.check(launch, played.session, but=belongs)
    played.check(json.dumps(texts), "ANTHROPIC_BASE_URL")
    played.check(json.dumps([found["metadata"], kept]), played.session)


def test_no_other_object_shows_one(played):
    text = json.dumps({kind: played.list(kind) for kind in OPEN})
    played.check(
        text, played.session, "ambient-runner:1", "secretKeyRef", "Started container", "kube-root-ca.crt"
    )


def test_the_pods_log(played):
    path = f"/api/v1{played.namespace}/pods/{played.name}/log"
    played.check(played.api.text(path, container="runner"), played.session)


def test_command_lines(played):
    played.check("\n".join(played.commands()), "ambient_runner", "--mcp-config", "sleep 599")


def test_the_agent_has_no_token_of_the_platform(played):
    """Its own key and what its own servers need it has."""
    shown = {pid: environ_of(pid) for pid in played.processes()}
    runner, *agents = shown.values()
    assert runner["ANTHROPIC_API_KEY"] == MODEL_KEY
    played.check(repr(runner), "AMBIENT_", but=("model key",))
    played.check(repr(agents), "CLAUDE_CONFIG_DIR", but=("model key", "MCP variable"))
    assert played.secrets["MCP variable"] in repr(agents)


def test_events_of_the_session(played):
    rows = played.stage.query(
        "SELECT event FROM sessions_app_sessionevent WHERE session_id = %s", played.session
    )
    played.check(repr(rows), played.word, "ANTHROPIC_API_KEY=[redacted]", "sleep 599")


def test_the_platforms_log(played):
    text = played.stage.log_path.read_text()
    played.check(text, played.session, "debug", "credential token read", "\nworker", "\nwatcher")


def test_the_credential_was_used_and_shown_to_git_alone(played, git):
    assert (set(git.users), git.seen_outside) == ({"oauth2"}, [])


def test_files_of_the_workspace(played):
    """They are saved as they are; in the transcript is what the agent itself has printed, its key too."""
    texts = []
    for path in played.stage.workspace(played.session).rglob("*"):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # the agent is at work
            texts.append(path.read_text(errors="replace"))
    played.check("\n".join(texts), played.word, but=("model key",))
