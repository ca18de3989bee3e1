"""A session clones a private repository with the project's credential (docs/credentials.md)."""

import pytest

from tests.e2e.system import GENEROUS, V1, eventually
from tests.fakes.git_server import FakeGitServer


@pytest.fixture
def git(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    server = FakeGitServer(folder)
    yield server
    server.close()


@pytest.mark.parametrize("framework", ["demo", "claude"])
def test_a_private_repository_is_cloned_with_the_projects_credential(
    stage, project, make_session, git, framework
):
    address = git.make("private.git")
    secret = {"name": "git", "provider": "gitlab", "url": git.url, "token": git.token}
    stage.request("POST", f"/projects/{project}/credentials", json=secret).raise_for_status()
    session = make_session(runner_type=framework, repo_url=address)
    stage.wait_phase(session, "Running", seconds=30 * GENEROUS)

    def branches():
        told = stage.request("GET", f"{stage.api}{V1}/sessions/{session}/repos/status").json()
        return [each for each in told if each["name"] == "private" and each["branches"]]

    eventually(branches, "the repository")
    assert set(git.users) == {"oauth2"}
    assert git.seen_outside == []
