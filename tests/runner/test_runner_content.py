"""The workspace over HTTP: files, what git says of its folders, and what the agent says of itself."""

import base64
import json
import subprocess

import pytest
from ambient_runner.git_state import parse_numstat, parse_status
from hypothesis import given
from hypothesis import strategies as st

REPO = "repos/workspace"
SECRET_URL = "https://user:hush-hush@127.0.0.1:1/x.git"


@pytest.fixture
def ready(runner):
    """A runner whose workspace is made."""
    runner.events_of("/echo hi")
    return runner


def write(runner, path, content, **more):
    return runner.http.post("/content/write", json={"path": path, "content": content, **more})


def delete(runner, path):
    return runner.http.request("DELETE", "/content/delete", json={"path": path})


def test_a_file_is_written_read_listed_and_deleted(ready):
    data = bytes(range(256))
    encoded = base64.b64encode(data).decode()
    assert write(ready, "notes/deep/a.bin", encoded, encoding="base64").json() == {"message": "ok"}
    assert ready.http.get("/content/file", params={"path": "notes/deep/a.bin"}).content == data
    [item] = ready.http.get("/content/list", params={"path": "notes/deep"}).json()["items"]
    assert (item["name"], item["path"], item["isDir"], item["size"]) == (
        "a.bin",
        "notes/deep/a.bin",
        False,
        256,
    )
    assert write(ready, "notes/deep/a.bin", "text").status_code == 200
    assert ready.http.get("/content/file", params={"path": "notes/deep/a.bin"}).text == "text"
    assert delete(ready, "notes").status_code == 200
    assert ready.http.get("/content/list", params={"path": "notes"}).status_code == 404
    assert delete(ready, "notes").status_code == 404


def test_a_replaced_file_keeps_its_mode(ready):
    path = ready.workspace / "run.sh"
    path.write_text("old")
    path.chmod(0o750)
    assert write(ready, "run.sh", "new").status_code == 200
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o750)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("../x", "PathRefused", id="parent"),
        pytest.param("a/../../x", "PathRefused", id="parent-inside"),
        pytest.param("/etc/passwd", "PathRefused", id="absolute"),
        pytest.param("a\0b", "PathRefused", id="nul"),
        pytest.param("out/x", "PathRefused", id="through-a-link"),
        pytest.param("gone", "PathRefused", id="link-to-nothing-outside"),
        pytest.param(".ambient/claude/config", "PathRefused", id="the-runners-own"),
        pytest.param("own/x", "PathRefused", id="the-runners-own-by-a-link"),
        pytest.param(".", "PathRefused", id="the-workspace"),
        pytest.param("repos", "PathRefused", id="a-folder"),
        pytest.param("", "BadField", id="no-path"),
    ],
)
def test_what_may_not_be_written(ready, tmp_path_factory, path, reason):
    outside = tmp_path_factory.mktemp("outside")
    (ready.workspace / ".ambient").mkdir(exist_ok=True)
    (ready.workspace / "out").symlink_to(outside)
    (ready.workspace / "own").symlink_to(".ambient")
    (ready.workspace / "gone").symlink_to(outside / "nothing")
    answer = write(ready, path, "x")
    assert (answer.status_code, answer.json()["reason"]) == (400, reason)
    if path not in ("repos", "gone"):  # folders and links inside the workspace may be deleted
        assert delete(ready, path).status_code == 400
    assert list(outside.iterdir()) == []
    assert (ready.workspace / "repos").is_dir()


def test_a_link_is_deleted_and_not_what_it_leads_to(ready, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "kept").write_text("kept")
    (ready.workspace / "out").symlink_to(outside)
    assert delete(ready, "out").status_code == 200
    assert (outside / "kept").read_text() == "kept"
    assert not (ready.workspace / "out").is_symlink()


def test_the_runners_own_folder_is_not_listed(ready):
    (ready.workspace / ".ambient").mkdir(exist_ok=True)
    names = [item["name"] for item in ready.http.get("/content/list").json()["items"]]
    assert names == ["artifacts", "repos"]
    assert ready.http.get("/content/list", params={"path": ".ambient"}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"path": "a"}, id="no-content"),
        pytest.param({"path": "a", "content": 1}, id="content-no-text"),
        pytest.param({"path": "a", "content": "%", "encoding": "base64"}, id="no-base64"),
        pytest.param({"path": "a", "content": "", "encoding": "gzip"}, id="encoding"),
        pytest.param({"path": "a", "content": "\ud800"}, id="lone-surrogate"),
    ],
)
def test_a_wrong_write_says_why_and_writes_nothing(ready, body):
    answer = ready.http.post("/content/write", content=json.dumps(body))
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadField")
    assert not (ready.workspace / "a").exists()


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def test_what_git_says_of_changes(ready):
    folder = ready.workspace / REPO
    assert ready.http.get("/content/git-status").json()["hasChanges"] is False
    (folder / "README.md").write_text("# Workspace\n\nchanged\nagain\n")
    (folder / "new file.txt").write_text("new")
    (folder / "staged").write_text("1\n2\n")
    git(folder, "add", "staged")
    found = ready.http.get("/content/git-status", params={"path": REPO}).json()
    assert found == {
        "initialized": True,
        "hasChanges": True,
        "branch": "main",
        "remoteUrl": "",
        "hasRemote": False,
        "modified": ["README.md"],
        "staged": ["staged"],
        "untracked": ["new file.txt"],
        "filesAdded": 2,
        "filesRemoved": 0,
        "uncommittedFiles": 3,
        "totalAdded": 4,
        "totalRemoved": 1,
    }


def test_a_folder_without_a_repository_has_none(ready):
    found = ready.http.get("/content/git-status", params={"path": "artifacts"}).json()
    assert (found["initialized"], found["hasChanges"], found["modified"]) == (False, False, [])
    assert ready.http.get("/content/git-list-branches", params={"path": "artifacts"}).json() == {
        "branches": []
    }
    assert ready.http.get("/content/git-status", params={"path": "nowhere"}).status_code == 404


def test_a_remote_is_configured_without_showing_its_password(ready, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "--quiet", "--initial-branch", "trunk")
    git(other, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--allow-empty", "-m", "first")
    body = {"path": REPO, "remoteUrl": f"file://{other}", "branch": "main"}
    answer = ready.http.post("/content/git-configure-remote", json=body).json()
    assert (answer["remote"], answer["fetched"]) == (f"file://{other}", True)
    branches = ready.http.get("/content/git-list-branches").json()["branches"]
    assert branches == ["main", "trunk"]
    [repo] = ready.http.get("/repos/status").json()["repos"]
    assert (repo["name"], repo["url"], repo["currentActiveBranch"]) == (
        "workspace",
        f"file://{other}",
        "main",
    )
    again = ready.http.post("/content/git-configure-remote", json={"path": REPO, "remoteUrl": SECRET_URL})
    assert (again.status_code, again.json()["fetched"]) == (200, False)
    assert "hush-hush" not in again.text + ready.http.get("/content/git-status").text + ready.log()


def test_a_remote_of_a_folder_without_a_repository_makes_one(ready):
    (ready.workspace / "artifacts").mkdir(exist_ok=True)
    body = {"path": "artifacts", "remoteUrl": "file:///nowhere", "branch": "work"}
    assert ready.http.post("/content/git-configure-remote", json=body).status_code == 200
    assert ready.http.get("/content/git-status", params={"path": "artifacts"}).json()["branch"] == "work"


@pytest.mark.parametrize("url", ["--upload-pack=touch x", "ext::sh -c x", "a b", ""])
def test_a_remote_that_git_would_take_for_a_command_is_refused(ready, url):
    answer = ready.http.post("/content/git-configure-remote", json={"remoteUrl": url})
    assert answer.status_code == 400
    assert ready.http.get("/content/git-status").json()["hasRemote"] is False


def test_mcp_servers_of_an_agent_that_uses_none(launch):
    spec = {"mcp_servers": {"docs": {"command": "true"}, "broken": 1}}
    runner = launch(spec=spec)
    assert runner.http.get("/mcp/status").json() == {
        "servers": [{"name": "docs", "displayName": "docs", "status": "disabled", "tools": []}],
        "totalCount": 1,
    }


def test_there_are_no_background_tasks(shared_runner):
    assert shared_runner.http.get("/tasks").json() == {"tasks": [], "total": 0}
    assert shared_runner.http.post("/tasks/t/stop").status_code == 404
    assert shared_runner.http.get("/tasks/t/output").status_code == 404


def test_feedback_is_answered_and_its_words_are_not_logged(runner):
    body = {"type": "META", "metaType": "thumbs_up", "payload": {"comment": "lovely words"}}
    answer = runner.http.post("/feedback", json=body).json()
    assert answer["type"] == "RAW"
    assert answer["event"]["metaType"] == "thumbs_up"
    assert answer["event"]["payload"] == {"comment": "lovely words"}
    assert "thumbs_up" in runner.log()
    assert "lovely" not in runner.log()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "RAW"},
        {"type": "META", "metaType": "shrug"},
        {"type": "META", "metaType": "thumbs_up", "payload": 1},
    ],
)
def test_feedback_of_another_form_is_refused(shared_runner, body):
    assert shared_runner.http.post("/feedback", json=body).status_code == 400


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param("# branch.head (detached)\0", ("", [], [], []), id="detached"),
        pytest.param("1 .M N... 1 1 1 a b my file\0", ("", ["my file"], [], []), id="modified-with-blank"),
        pytest.param("1 MM N... 1 1 1 a b f\0", ("", ["f"], ["f"], []), id="staged-and-modified"),
        pytest.param("2 R. N... 1 1 1 a b R100 new\0old\0? u\0", ("", [], ["new"], ["u"]), id="renamed"),
        pytest.param("u UU N... 1 1 1 1 a b c both\0", ("", ["both"], ["both"], []), id="conflict"),
    ],
)
def test_status_of_git_is_parsed(output, expected):
    found = parse_status(output)
    assert (found.branch, found.modified, found.staged, found.untracked) == expected


@given(st.text())
def test_any_output_of_git_is_parsed(text):
    parse_status(text)
    parse_numstat(text)


def test_lines_are_counted_and_binary_files_are_not():
    assert parse_numstat("3\t1\ta\n-\t-\tb.bin\n2\t0\tc d\n") == (5, 1)
