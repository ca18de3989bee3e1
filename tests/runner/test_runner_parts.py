"""The small parts: launch file, buffer, workspace paths, repositories."""

import asyncio
import json
from pathlib import Path

import pytest
from ambient_runner.buffer import EventBuffer
from ambient_runner.config import ConfigError, Repo, parse_config
from ambient_runner.repos import RepositoryRefused, check_repo, repo_name
from ambient_runner.workspace import PathMissing, PathRefused, Workspace

LAUNCH = {
    "session_id": "s", "project_id": "p", "generation": 1, "attempt": 1, "runner_secret": "0123456789abcdef",
    "launch_token": "very-secret", "workspace": "/w", "spec": {},
}  # fmt: skip


def test_who_starts_the_process_knows_its_places():
    places = {"workspace": Path("/workspace"), "token_file": Path("/token")}
    config = parse_config(json.dumps(LAUNCH | {"workspace": "/w"}).encode(), **places)
    assert (config.workspace, config.token_file) == (Path("/workspace"), Path("/token"))
    assert parse_config(json.dumps(LAUNCH).encode(), workspace=None).workspace == Path("/w")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{", "not JSON", id="no-json"),
        pytest.param("[]", "file", id="no-object"),
        pytest.param(json.dumps(LAUNCH | {"generation": "x"}), "generation", id="wrong-type"),
        pytest.param(json.dumps(LAUNCH | {"runner_secret": "short-one"}), "runner_secret", id="weak-secret"),
        pytest.param(json.dumps(LAUNCH | {"workspace": "relative"}), "workspace", id="relative-workspace"),
        pytest.param(json.dumps({}), "session_id", id="missing"),
        pytest.param(
            json.dumps(LAUNCH | {"max_unacknowledged_bytes": 0}), "max_unacknowledged_bytes", id="no-room"
        ),
        pytest.param(
            json.dumps(LAUNCH | {"max_unacknowledged_bytes": "all"}),
            "max_unacknowledged",
            id="limit-no-number",
        ),
    ],
)
def test_a_wrong_launch_file_is_named_without_its_values(text, reason):
    with pytest.raises(ConfigError, match=reason) as refused:
        parse_config(text.encode())
    assert "short-one" not in str(refused.value)


def test_secrets_are_not_in_the_configs_repr():
    assert "very-secret" not in repr(parse_config(json.dumps(LAUNCH).encode()))


def test_32_mib_may_be_unacknowledged_unless_the_launch_file_says_otherwise():
    assert parse_config(json.dumps(LAUNCH).encode()).max_unacknowledged_bytes == 32 * 1024 * 1024
    given = json.dumps(LAUNCH | {"max_unacknowledged_bytes": 5}).encode()
    assert parse_config(given).max_unacknowledged_bytes == 5


def test_buffer_forgets_what_is_acknowledged():
    buffer = EventBuffer()
    for text in ("a", "b", "c"):
        buffer.append(text)
    buffer.forget(2)
    assert (buffer.after(2), buffer.after(0), buffer.forgotten) == ((b"id: 3\ndata: c\n\n", 3), (b"", 0), 2)
    buffer.forget(99)
    assert (buffer.forgotten, buffer.size) == (3, 0)


async def test_buffer_holds_the_writer_until_there_is_room():
    buffer = EventBuffer(limit=40)
    buffer.append("x" * 40)
    writer = asyncio.create_task(buffer.has_room())
    await asyncio.sleep(0)
    assert not writer.done()
    buffer.forget(1)
    await writer


@pytest.fixture
def workspace(tmp_path):
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file.txt").write_text("inside")
    (tmp_path / "outside.txt").write_text("outside")
    (root / "link-out").symlink_to(tmp_path / "outside.txt")
    (root / "folder-out").symlink_to(tmp_path)
    (root / "dangling-out").symlink_to(tmp_path / "nothing")
    (root / "link-in").symlink_to("folder/file.txt")
    (root / "loop").symlink_to("loop")
    return Workspace(root)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("folder/file.txt", "inside", id="file"),
        pytest.param("link-in", "inside", id="link-that-stays-inside"),
        pytest.param("../outside.txt", PathRefused, id="parent"),
        pytest.param("folder/../folder/file.txt", PathRefused, id="parent-that-comes-back"),
        pytest.param("/etc/passwd", PathRefused, id="absolute"),
        pytest.param("link-out", PathRefused, id="link-to-outside"),
        pytest.param("folder-out/outside.txt", PathRefused, id="folder-link-to-outside"),
        pytest.param("dangling-out", PathRefused, id="link-to-nothing-outside"),
        pytest.param("loop", PathRefused, id="link-loop"),
        pytest.param("a\0b", PathRefused, id="nul"),
        pytest.param("folder", PathRefused, id="folder-is-no-file"),
        pytest.param("missing", PathMissing, id="missing"),
        pytest.param("folder/file.txt/x", PathMissing, id="below-a-file"),
        pytest.param("x" * 300, PathRefused, id="name-too-long"),
    ],
)
def test_paths_stay_inside(workspace, path, expected):
    if isinstance(expected, str):
        assert workspace.file(path).read_text() == expected
    else:
        with pytest.raises(expected):
            workspace.file(path)


def test_listing_is_sorted_and_follows_no_links(workspace):
    items = workspace.listing("")
    assert [item["name"] for item in items] == sorted(item["name"] for item in items)
    assert {item["name"] for item in items if item["isDir"]} == {"folder"}
    assert [item["path"] for item in workspace.listing("folder/file.txt")] == ["folder/file.txt"]


@pytest.mark.parametrize(
    "repo",
    [
        pytest.param(Repo(url="--upload-pack=touch /tmp/x"), id="option"),
        pytest.param(Repo(url="ext::sh -c true"), id="command-transport"),
        pytest.param(Repo(url=""), id="empty"),
        pytest.param(Repo(url="https://h/a b"), id="blank"),
        pytest.param(Repo(url="https://h/r", branch="-x"), id="branch-option"),
        pytest.param(Repo(url="https://h/r", branch="a..b"), id="branch-range"),
    ],
)
def test_unsafe_repositories_are_refused(repo):
    with pytest.raises(RepositoryRefused):
        check_repo(repo)


@pytest.mark.parametrize(
    ("repo", "name"),
    [
        pytest.param(Repo(url="https://h/o/thing.git"), "thing", id="from-url"),
        pytest.param(Repo(url="git@h:thing.git"), "thing", id="from-scp-form"),
        pytest.param(Repo(url="https://h/o/thing/", name="own"), "own", id="asked-for"),
        pytest.param(Repo(url="https://h/o/thing", name=".."), None, id="parent-folder"),
        pytest.param(Repo(url="https://h/o/thing", name="a/b"), None, id="path"),
        pytest.param(Repo(url="/"), None, id="nothing-left"),
    ],
)
def test_repository_folder_names(repo, name):
    if name is None:
        with pytest.raises(RepositoryRefused):
            repo_name(repo)
    else:
        assert repo_name(repo) == name
