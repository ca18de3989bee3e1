"""Every command of the demo agent, on a real process, checked by the protocol's rules."""

import subprocess

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from ambient_runner.frameworks.demo.agent import COMMANDS


def git(folder, *arguments):
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def said(events):
    return "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")


def results(events):
    return [
        (event["toolCallId"], event["content"]) for event in events if event["type"] == "TOOL_CALL_RESULT"
    ]


def last(events):
    return events[-1]


@pytest.fixture
def origin(tmp_path):
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "trunk")
    (folder / "main.py").write_text("print(1)\nprint(2)\n")
    (folder / "README.md").write_text("# Origin\n")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "-m", "First")
    return folder


VALID = [
    ("/help", "RUN_FINISHED"),
    ("/echo hello  there", "RUN_FINISHED"),
    ("/report what is here", "RUN_FINISHED"),
    ("just words, no command", "RUN_FINISHED"),
    ("/unknown command", "RUN_FINISHED"),
    ("/ask", "interrupt"),
    ("/approve", "interrupt"),
    ("/several", "interrupt"),
    ("/long 0.4", "RUN_FINISHED"),
    ("/long many", "RUN_ERROR"),
    ("/silent 0.1", "RUN_FINISHED"),
    ("/flood 500", "RUN_FINISHED"),
    ("/hostile", "RUN_FINISHED"),
    ("/fail on purpose", "RUN_ERROR"),
    ("/exit-signal NONE", "RUN_ERROR"),
]


@pytest.mark.parametrize(
    ("prompt", "end"), [pytest.param(*row, id=row[0].replace(" ", "-")) for row in VALID]
)
def test_every_command_gives_a_valid_stream(runner, prompt, end):
    with runner.run(prompt) as stream:
        events = stream.rest()
    assert_valid_agui(events, max_warnings=0)
    assert stream.indexes == list(range(1, len(events) + 1))
    terminal = last(events)
    assert (terminal.get("outcome") or {}).get("type", terminal["type"]) == end


def test_every_command_is_tried_here():
    assert {row[0].split()[0] for row in VALID} | {"/crash"} >= set(COMMANDS)


def test_report_really_works_on_a_clone(launch, origin):
    runner = launch(spec={"repos": [{"url": str(origin), "branch": "trunk", "name": "code"}]})
    events = runner.events_of("How big is it?")
    folder = runner.workspace / "repos" / "code"
    commit = git(folder, "rev-parse", "ambient/session-1")
    assert commit in said(events)
    assert git(folder, "log", "-1", "--format=%an") == "Ambient Demo Agent"
    report = git(folder, "show", "ambient/session-1:REPORT.md")
    assert "> How big is it?" in report
    assert "| Python | 1 | 2 |" in report
    assert "2 files, 3 lines" in report
    assert {"Glob", "Read", "Bash", "Write"} == {
        event["toolCallName"] for event in events if "toolCallName" in event
    }
    assert git(origin, "branch", "--list", "ambient/*") == ""


def test_the_same_run_gives_the_same_events(launch):
    def words(runner):
        events = runner.events_of("/several echo hi")
        return [(event["type"], event.get("messageId"), event.get("delta")) for event in events]

    # New programs: forks would share what an interpreter draws at its start, such as the order of sets.
    assert words(launch(fresh=True)) == words(launch(fresh=True))


def test_a_clone_is_found_again_after_a_restart(launch, origin):
    spec = {"repos": [{"url": str(origin), "name": "code"}]}
    first = launch(spec=spec)
    first.events_of("/echo hi")
    first.kill()
    kept = first.workspace / "repos" / "code" / "kept.txt"
    kept.write_text("mine")
    (first.workspace / "repos" / ".clone-left").mkdir()
    second = launch(spec=spec)
    assert last(second.events_of("/echo hi"))["type"] == "RUN_FINISHED"
    assert kept.read_text() == "mine"
    assert [path.name for path in (first.workspace / "repos").iterdir()] == ["code"]


@pytest.mark.parametrize(
    "repo",
    [
        pytest.param({"url": "https://user:pass-word-1@127.0.0.1:9/x.git"}, id="nobody-there"),
        pytest.param({"url": "/nowhere/at/all"}, id="missing-path"),
        pytest.param({"url": "ext::sh -c id"}, id="command-transport"),
        pytest.param({"url": "--upload-pack=id"}, id="option"),
    ],
)
def test_a_refused_repository_fails_the_run_with_its_reason(launch, repo):
    runner = launch(spec={"repos": [repo]})
    for run in ("run-1", "run-2"):
        events = runner.events_of("hi", run)
        assert [event["type"] for event in events] == ["RUN_STARTED", "RUN_ERROR"]
        assert events[1]["code"] == "RepositoryRefused"
        assert events[1]["message"].endswith(".")
    assert "pass-word-1" not in str(events) + runner.log()


def test_hostile_text_arrives_as_it_was(runner):
    text = said(runner.events_of("/hostile"))
    for part in (
        "a\0b",
        "\ud800",
        "<script>",
        "\x1b[31m",
        "\u202e",
        "\n\nid: 1\ndata: nothing\n\n",
        "x" * 2_000_000,
    ):
        assert part in text


def test_secrets_of_the_environment_are_not_in_results(launch):
    runner = launch(variables={"MY_API_KEY": "key-abcdef-123456"})
    with runner.run("/approve echo $MY_API_KEY") as stream:
        stream.rest()
    answer = [{"interruptId": "run-1-a1", "status": "resolved", "payload": {"approved": True}}]
    assert results(runner.events_of(None, "run-2", resume=answer))[0][1] == "[redacted]\n(exit code 0)"


def test_crash_and_fail_are_what_they_say(launch):
    runner = launch()
    assert last(runner.events_of("/fail because"))["message"] == "because"
    with runner.run("/crash 7", "run-2") as stream:
        stream.until(lambda event: "code" in event.get("delta", ""))
        assert runner.exit_code() == 7


def test_no_prompt_is_a_named_error(runner):
    assert last(runner.events_of(None))["code"] == "NoPrompt"
