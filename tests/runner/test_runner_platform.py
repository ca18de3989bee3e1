"""The runner's calls to the platform: its token, and what it reports."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from runner_process import LAUNCH_TOKEN, wait_for

NOW = "2026-01-02T03:04:05Z"
SESSION = {"id": "session-1", "kind": "Session", "href": "/s", "created_at": NOW, "updated_at": NOW}


class Platform(ThreadingHTTPServer):
    """Answers POST /token and PATCH .../status; `answers` holds status codes to give first."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Calls)
        self.calls = []
        self.answers = {"POST": [], "PATCH": []}
        self.lifetime = 3600.0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def of(self, method):
        return [call for call in list(self.calls) if call["method"] == method]


class Calls(BaseHTTPRequestHandler):
    def answer(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        platform = self.server
        call = {
            "method": self.command,
            "path": self.path,
            "bearer": self.headers["Authorization"],
            "body": body,
        }
        platform.calls.append(call)
        queue = platform.answers[self.command]
        status = queue.pop(0) if queue else 200
        number = len(platform.of("POST"))
        expires_at = datetime.now(UTC) + timedelta(seconds=platform.lifetime)
        data = {
            "token": f"session-token-{number:04}",
            "expires_at": expires_at.isoformat().replace("+00:00", "Z"),
        }
        answer = data if self.command == "POST" else SESSION
        text = json.dumps(answer if status == 200 else {}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PATCH = answer

    def log_message(self, format, *args):
        pass


@pytest.fixture
def platform():
    server = Platform()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def urls(platform):
    return {"token_url": f"{platform.url}/token", "api_url": platform.url}


def reported(platform, name):
    return [json.loads(call["body"][name]) for call in platform.of("PATCH") if name in call["body"]]


def test_token_and_reports(launch, platform, urls):
    runner = launch(**urls)
    condition = wait_for(lambda: reported(platform, "conditions"), "a condition")[0][0]
    repos = wait_for(lambda: reported(platform, "reconciled_repos"), "the repositories")[0]
    asked = platform.of("POST")[0]
    assert asked["path"] == "/token"
    assert asked["bearer"] == f"Bearer {LAUNCH_TOKEN}"
    assert asked["body"] == {
        "session_id": "session-1", "generation": 3, "attempt": 1, "instance": runner.health()["instance"],
    }  # fmt: skip
    wrote = platform.of("PATCH")[0]
    assert wrote["path"] == "/api/ambient/v1/sessions/session-1/status"
    assert wrote["bearer"] == "Bearer session-token-0001"
    assert (condition["type"], condition["status"]) == ("WorkspaceReady", "True")
    assert (repos[0]["name"], repos[0]["currentActiveBranch"]) == ("workspace", "main")
    assert "session-token-0001" not in json.dumps(runner.events_of("/echo session-token-0001"))
    assert "session-token" not in runner.log()
    assert not [line for line in runner.log().splitlines() if json.loads(line)["level"] != "info"]


def test_a_mounted_token_is_read_anew_for_each_renewal(launch, platform, urls, tmp_path):
    platform.lifetime = 2
    mounted = tmp_path / "token"
    mounted.write_text("mounted-1\n")
    launch(**urls, token_file=str(mounted))
    wait_for(lambda: platform.of("POST"), "the first token")
    mounted.write_text("mounted-2\n")
    wait_for(lambda: platform.of("POST")[-1]["bearer"] == "Bearer mounted-2", "a renewal with the new one")
    assert platform.of("POST")[0]["bearer"] == "Bearer mounted-1"


def test_a_refused_repository_is_reported(launch, platform, urls):
    launch(**urls, spec={"repos": [{"url": "https://me:pass-word-1@127.0.0.1:9/r.git"}]})
    condition = wait_for(lambda: reported(platform, "conditions"), "a condition")[0][0]
    assert (condition["status"], condition["reason"]) == ("False", "RepositoryRefused")
    assert "pass-word-1" not in condition["message"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_runner_that_is_not_wanted_exits_3(launch, platform, urls, status):
    platform.answers["POST"] = [status]
    runner = launch(**urls, wait=False)
    assert runner.exit_code() == 3


def test_a_renewal_that_is_refused_ends_the_active_run(launch, platform, urls):
    platform.lifetime = 2
    runner = launch(**urls)
    with runner.run("/long 60") as stream:
        stream.until(lambda event: event["type"] == "TEXT_MESSAGE_CONTENT")
        platform.answers["POST"] = [403] * 9
        events = stream.rest()
    assert events[-1]["code"] == "RunnerStopped"
    assert runner.exit_code() == 3


def test_a_token_is_renewed_before_its_end(launch, platform, urls):
    platform.lifetime = 2
    launch(**urls)
    wait_for(lambda: len(platform.of("POST")) >= 3, "two renewals")


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        pytest.param({"POST": [500, 503], "PATCH": []}, 1, id="token-endpoint-in-trouble"),
        pytest.param({"POST": [], "PATCH": [503, 429]}, 3, id="api-in-trouble"),
        pytest.param({"POST": [], "PATCH": [401]}, 2, id="token-rejected-once"),
    ],
)
def test_trouble_is_waited_out(launch, platform, urls, answers, tries):
    platform.answers |= answers
    launch(**urls)
    wait_for(lambda: len(platform.of("PATCH")) >= tries and reported(platform, "conditions"), "the report")
    if answers["PATCH"] == [401]:
        assert platform.of("PATCH")[-1]["bearer"] == "Bearer session-token-0002"


def test_without_the_platform_runs_are_served(launch):
    runner = launch(token_url="http://127.0.0.1:9/token", api_url="http://127.0.0.1:9")  # noqa: S106
    assert runner.events_of("/echo hi")[-1]["type"] == "RUN_FINISHED"
    wait_for(lambda: "no session token yet" in runner.log(), "a log line about the platform")
