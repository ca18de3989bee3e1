"""Event streams as clients read them: on both ports, both transports, cut, resumed, flooded."""

import re

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui

from ambient.embedded.home import CHECKOUT
from tests.e2e.system import GENEROUS, V1

KINDS = ("sse", "websocket")
DOCUMENTED = re.findall(r"^\|[^|]*`(/[a-z-]+)[^|]*\|", (CHECKOUT / "runner" / "README.md").read_text(), re.M)
ARGUMENTS = {"/long": "/long 1", "/silent": "/silent 1", "/flood": "/flood 500", "/echo": "/echo hello"}
FAILING = {"/fail", "/crash", "/exit-signal"}


def everywhere(stage, watchers, session):
    return [
        watchers.events(base, session, kind=kind)
        for base in (stage.api, stage.control_plane)
        for kind in KINDS
    ]


def run_url(stage, session, suffix="agui/run"):
    return f"{stage.api}{V1}/sessions/{session}/{suffix}"


def test_every_watcher_on_both_ports_sees_every_event_once(stage, watchers, running):
    early = everywhere(stage, watchers, running)
    for text in ("Look around.", "/long 2", "/echo bye"):
        stage.client.sessions.send(running, text)
    late = everywhere(stage, watchers, running)
    for watcher in (*early, *late):
        watcher.wait_runs(3)
    for watcher in (*early, *late):
        watcher.check_dense()
        assert watcher.seen == early[0].seen, watcher.name
        assert watcher.connections == 1


@pytest.mark.parametrize("kind", KINDS)
def test_client_that_was_cut_resumes_with_its_cursor(stage, watchers, running, kind):
    stage.ask_and_wait(running, "Look around.")
    whole = watchers.events(stage.api, running, kind=kind)
    whole.wait_runs(1)
    for cut in (1, len(whole.seen) // 2, len(whole.seen) - 1):
        rest = watchers.events(stage.control_plane, running, kind=kind, after=cut)
        rest.wait_runs(1)
        assert rest.seen == whole.seen[cut:]


def test_the_documented_commands_are_all_tried():
    assert {"/report", "/help", "/ask", "/several", "/hostile", *FAILING} <= set(DOCUMENTED)


@pytest.mark.parametrize("command", DOCUMENTED)
def test_stored_stream_of_every_documented_command_is_valid(stage, watchers, running, command):
    watcher = watchers.events(stage.api, running)
    stage.client.sessions.send(running, ARGUMENTS.get(command, command))
    watcher.wait_runs(1)
    watcher.check_dense()
    assert_valid_agui(watcher.events)
    last = "RUN_ERROR" if command in FAILING else "RUN_FINISHED"
    assert watcher.events[-1]["type"] == last


def test_flood_is_stored_and_delivered_whole(stage, watchers, running):
    all_of_them = everywhere(stage, watchers, running)
    message = stage.ask_and_wait(running, "/flood 10000", seconds=60 * GENEROUS)
    assert message.delivery == "done"
    for watcher in all_of_them:
        watcher.wait_runs(1, seconds=60 * GENEROUS)
        watcher.check_dense()
        assert watcher.count("TEXT_MESSAGE_CONTENT") == 10_000
    replay = watchers.events(stage.api, running)
    replay.wait_runs(1)
    assert replay.text() == all_of_them[0].text()


def test_hostile_texts_arrive_alike_everywhere(stage, watchers, running):
    live = everywhere(stage, watchers, running)
    stage.client.sessions.send(running, "/hostile")
    for watcher in live:
        watcher.wait_runs(1)
    stored = watchers.events(stage.control_plane, running)
    stored.wait_runs(1)
    for watcher in live:
        watcher.check_dense()
        assert watcher.events == stored.events
    text = stored.text()
    for part in (
        "NUL: a\ufffdb",
        "<script>alert(1)</script>",
        "\x1b[31mred",
        "data: {",
        "c\u2028d\u2029e",
        "[cut: the event was over 1 MiB]",
    ):
        assert part in text


def test_agui_run_streams_exactly_its_run(stage, watchers, running):
    stage.ask_and_wait(running, "/echo before")
    body = {
        "threadId": running,
        "runId": "run-of-mine",
        "messages": [{"id": "m1", "role": "user", "content": "/echo mine"}],
        "state": {},
        "tools": [],
        "context": [],
        "forwardedProps": {},
    }
    mine = watchers.once(run_url(stage, running), method="POST", json=body)
    mine.wait(lambda: mine.ended, "the end of the stream")
    assert mine.events[0] | {"type": "RUN_STARTED", "runId": "run-of-mine"} == mine.events[0]
    assert mine.events[-1] | {"type": "RUN_FINISHED", "runId": "run-of-mine"} == mine.events[-1]
    assert "mine" in mine.text()
    assert "before" not in mine.text()
    assert_valid_agui(mine.events)
    whole = watchers.events(stage.api, running)
    whole.wait_runs(2)
    assert whole.seen[-len(mine.seen) :] == mine.seen


def test_events_as_existing_clients_read_them_close_at_the_end_of_the_run(stage, watchers, running):
    stage.client.sessions.send(running, "/echo hello")
    reader = watchers.once(run_url(stage, running, "events"))
    reader.wait(lambda: reader.ended, "the end of the stream")
    assert reader.events[0]["type"] == "RUN_STARTED"
    assert reader.events[-1]["type"] == "RUN_FINISHED"
    assert "hello" in reader.text()
