"""What a session's runner knows, asked from outside, on both ports (docs/workspace.md)."""

import pytest

from tests.e2e.system import GENEROUS, V1, eventually


@pytest.mark.parametrize("framework", ["demo", "claude"])
@pytest.mark.parametrize("port", ["api", "control_plane"])
def test_files_and_git_of_a_running_session(stage, make_session, framework, port):
    session = make_session(runner_type=framework, mcp_servers='{"docs": {"command": "true"}}')
    stage.wait_phase(session, "Running", seconds=30 * GENEROUS)

    def ask(method, path, **more):
        return stage.request(method, f"{getattr(stage, port)}{V1}/sessions/{session}/{path}", **more)

    repo = "repos/workspace"
    eventually(lambda: [r for r in ask("GET", "repos/status").json() if r["branches"]], "a repository")
    assert ask("PUT", f"workspace/{repo}/notes.txt", content=b"one\ntwo\n").json()["size"] == 8
    assert (stage.workspace(session) / repo / "notes.txt").read_bytes() == b"one\ntwo\n"
    assert ask("GET", f"workspace/{repo}/notes.txt").content == b"one\ntwo\n"
    status = ask("GET", "git/status").json()
    assert (status["untracked"], status["branch"]) == (["notes.txt"], "main")
    assert ask("GET", "git/branches").json() == ["main"]
    assert ask("DELETE", f"workspace/{repo}/notes.txt").status_code == 204
    assert ask("GET", f"workspace/{repo}/notes.txt").status_code == 404
    assert ask("GET", "files").json() == {"files": []}
    ask("PUT", "files/a/b.bin", content=b"\0" * 3_000_000).raise_for_status()
    [folder] = ask("GET", "files").json()["files"]
    assert (folder["name"], folder["isDir"]) == ("a", True)
    assert ask("GET", "agui/capabilities").json()["framework"] == framework
    [server] = ask("GET", "mcp/status").json()["servers"]
    assert (server["name"], server["status"]) == ("docs", "disabled" if framework == "demo" else "pending")
    stage.client.sessions.stop(session)
    stage.wait_phase(session, "Stopped")
    assert ask("GET", "workspace").json() == {"files": []}
    assert ask("GET", f"workspace/{repo}/README.md").status_code == 503
