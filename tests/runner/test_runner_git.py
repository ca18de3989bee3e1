"""Git in a session gets the tokens of the session's credentials, and nobody else does."""

import json
import os
import subprocess
import threading
from pathlib import Path

import pytest
from ambient_runner.git_credentials import GitHost, environment
from runner_process import wait_for
from test_runner_platform import Calls, Platform, reported
from test_runner_questions import answer

from tests.fakes.git_server import TOKEN, FakeGitServer

FORGED = "protocol=http\\nhost=elsewhere.example\\n\\n"


class TokenCalls(Calls):
    def do_GET(self):
        platform = self.server
        platform.calls.append(
            {"method": "GET", "path": self.path, "bearer": self.headers["Authorization"], "body": {}}
        )
        status, body = platform.token_answer
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def git(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    server = FakeGitServer(folder)
    yield server
    server.close()


@pytest.fixture
def platform(git):
    server = Platform()
    server.RequestHandlerClass = TokenCalls
    server.token_answer = 200, {"credential_id": "c1", "provider": "github", "token": TOKEN, "url": git.url}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def start(launch, platform, git):
    """A runner with one private repository and, unless told otherwise, the credential for it."""
    address = git.make("private.git")

    def start(**options):
        values = {"credentials": {"github": "c1", "jira": "c2"}, "credential_urls": {"github": git.url}}
        where = {"token_url": f"{platform.url}/token", "api_url": platform.url}
        return launch(**{**where, **values, "spec": {"repos": [{"url": address}]}, **options})

    return start


def workspace_is(platform):
    return wait_for(lambda: reported(platform, "conditions"), "a condition")[-1][0]


def read(folder: Path) -> bytes:
    """All that is in a folder's files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def run_in(runner, command, run="run-1"):
    """What a shell command of the agent says."""
    runner.events_of(f"/approve {command}", run)
    reply = [answer(f"{run}-a1", {"approved": True})]
    return runner.events_of(None, f"{run}-answered", resume=reply)


def test_a_private_repository_is_cloned_and_pushed_to(start, platform, git, tmp_path):
    runner = start()
    assert workspace_is(platform)["status"] == "True"
    assert (runner.workspace / "repos" / "private" / ".git").is_dir()
    (asked,) = platform.of("GET")
    assert asked["path"] == "/api/ambient/v1/credentials/c1/token"
    assert asked["bearer"] == "Bearer session-token-0001"
    events = run_in(runner, "git push -q origin HEAD:refs/heads/pushed")
    assert "exit code 0" in json.dumps(events)
    heads = subprocess.run(
        ["git", "-C", git.folder / "private.git", "branch"], capture_output=True, text=True
    )
    assert "pushed" in heads.stdout
    assert set(git.users) == {"x-access-token"}
    assert git.seen_outside == []
    assert TOKEN.encode() not in read(runner.workspace)
    assert TOKEN not in runner.log()
    assert TOKEN not in json.dumps(events)


def test_each_use_asks_the_platform_anew(start, platform, git):
    """So a long session goes on with the tokens that were made meanwhile."""
    runner = start()
    assert workspace_is(platform)["status"] == "True"
    git.token = "hush-another-token-0123456789"
    platform.token_answer[1]["token"] = git.token
    assert "exit code 0" in json.dumps(run_in(runner, "git fetch -q"))
    assert len(platform.of("GET")) == 2


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(FORGED, id="another-host"),
        pytest.param("protocol=https\\nhost=HOST\\n\\n", id="another-protocol"),
        pytest.param("protocol=http\\nhost=127.0.0.1:1\\n\\n", id="another-port"),
        pytest.param("protocol=http\\nhost=HOST.example\\n\\n", id="a-longer-name"),
    ],
)
def test_the_helper_has_nothing_for_others(start, platform, git, question):
    runner = start()
    assert workspace_is(platform)["status"] == "True"
    asked = len(platform.of("GET"))
    helper = """eval "$(git config --get-all credential.URL.helper | tail -1 | cut -c2-) get" """
    command = f"printf '{question}' | {helper}".replace("HOST", git.host).replace("URL", git.url)
    told = json.dumps(run_in(runner, command))
    assert "exit code 0" in told
    assert "password=" not in told
    assert len(platform.of("GET")) == asked


def test_the_helper_is_asked_by_hand_and_gives_what_git_gets(start, platform, git):
    """The control of the test above: the token itself is hidden in what the session shows."""
    runner = start()
    assert workspace_is(platform)["status"] == "True"
    command = (
        f"printf 'protocol=http\\nhost={git.host}\\n\\n' | git credential fill > ../told.txt; cat ../told.txt"
    )
    events = run_in(runner, command)
    assert "password=[redacted]" in json.dumps(events)
    told = (runner.workspace / "repos" / "told.txt").read_text()
    assert f"username=x-access-token\npassword={TOKEN}\n" in told
    assert "session-token" not in told


def test_nothing_is_stored_by_helpers_of_the_machine(start, platform, git, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    runner = start(environment={"HOME": str(home)})
    assert workspace_is(platform)["status"] == "True"
    assert "exit code 0" in json.dumps(run_in(runner, "git fetch -q"))
    assert TOKEN.encode() not in read(home)


REFUSED = {
    "the-platform-refuses": {
        "token_answer": (403, {"kind": "Error", "code": "c", "reason": "Not permitted"})
    },
    "the-credential-moved-to-another-host": {
        "token_answer": (
            200,
            {"credential_id": "c1", "provider": "github", "token": TOKEN, "url": "https://x.example"},
        )
    },
    "the-token-would-break-the-protocol": {
        "token_answer": (200, {"credential_id": "c1", "provider": "github", "token": f"{TOKEN}\nquit=1"})
    },
    "no-credential-is-for-it": {"credentials": {"jira": "c2"}},
    "it-is-for-the-public-host": {"credential_urls": {}},
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_without_a_token_the_repository_is_refused_in_words(start, platform, git, case):
    case = dict(case)
    platform.token_answer = case.pop("token_answer", platform.token_answer)
    if "url" not in platform.token_answer[1] and platform.token_answer[0] == 200:
        platform.token_answer[1]["url"] = git.url
    runner = start(**case)
    condition = workspace_is(platform)
    assert (condition["status"], condition["reason"]) == ("False", "RepositoryRefused")
    assert git.users == []
    assert TOKEN not in runner.log() + json.dumps(condition)


def test_its_folder_goes_with_the_runner(start, platform, tmp_path):
    place = tmp_path / "tmp"
    place.mkdir()
    runner = start(environment={"TMPDIR": str(place)}, fresh=True)
    workspace_is(platform)
    (folder,) = place.glob("ambient-git-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    runner.process.terminate()
    runner.exit_code()
    assert list(place.glob("ambient-git-*")) == []


HOSTS = [
    ("github", None, ("https", "github.com")),
    ("github", "https://api.github.com", ("https", "github.com")),
    ("github", "https://git.corp/api/v3", ("https", "git.corp")),
    ("github", "https://me:pw@Git.Corp:8443/", ("https", "git.corp:8443")),
    ("gitlab", None, ("https", "gitlab.com")),
    ("gitlab", "http://[::1]:80", ("http", "[::1]:80")),
    ("gitlab", "ssh://git@git.corp", None),
    ("gitlab", "git.corp", None),
    ("gitlab", "https://git.corp:no", None),
    ("jira", "https://jira.corp", None),
]


@pytest.mark.parametrize(("provider", "url", "found"), HOSTS)
def test_which_host_a_credential_is_for(provider, url, found):
    host = GitHost.of(provider, url)
    assert (host and (host.protocol, host.host)) == found


@pytest.mark.parametrize("count", [None, "1", "none"])
def test_what_git_is_told_already_stays(count, tmp_path):
    present = {"GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"} | (
        {"GIT_CONFIG_COUNT": count} if count else {}
    )
    found = present | environment([GitHost("github", "https", "github.com")], tmp_path / "s", present)
    asked = ["git", "config", "--get-all", "credential.https://github.com.helper"]
    told = subprocess.run(asked, env={**os.environ, **found}, capture_output=True, text=True, cwd=tmp_path)
    assert told.stdout.startswith("\n!")
    kept = ["git", "config", "--get", "a.b"]
    told = subprocess.run(kept, env={**os.environ, **found}, capture_output=True, text=True, cwd=tmp_path)
    assert told.stdout == ("c\n" if count == "1" else "")
