"""session_run makes a session and follows it; a thread plays the platform's part."""

import threading
import time

import pytest
from django.core.management import CommandError
from django.db import connection

from projects_app.models import Project
from sessions_app import details
from sessions_app.models import Run, Session, SessionEvent, SessionStream
from tests.factories import AgentFactory, InterruptFactory, UserFactory

EVENTS = {
    "success": [
        '{"type": "RUN_STARTED"}',
        '{"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "All "}',
        '{"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "done"}',
        '{"type": "TEXT_MESSAGE_END", "messageId": "m"}',
        '{"type": "RUN_FINISHED", "outcome": {"type": "success"}}',
    ],
    "error": ['{"type": "RUN_STARTED"}', '{"type": "RUN_ERROR", "message": "it broke"}'],
    "question": ['{"type": "RUN_STARTED"}', '{"type": "RUN_FINISHED", "outcome": {"type": "interrupt"}}'],
}


@pytest.fixture
def tenant(transactional_db):
    UserFactory(username="admin")
    return Project.objects.create(id="tenant")


@pytest.fixture
def platform(tenant):
    """Waits for the session, then answers its run: a state and its events."""
    threads = []

    def start(state, events, **fields):
        def work():
            deadline = time.monotonic() + 30
            while (session := Session.objects.first()) is None and time.monotonic() < deadline:
                time.sleep(0.02)
            stored = [
                SessionEvent(session_id=session.pk, seq=n, run="r", type="X", event=event)
                for n, event in enumerate(EVENTS[events], 1)
            ]
            SessionEvent.objects.bulk_create(stored)
            SessionStream.objects.filter(pk=session.pk).update(event_seq=len(stored))
            Session.objects.filter(pk=session.pk).update(phase="Running", reason="Ready")
            if events == "question":
                InterruptFactory(session=session)
            Run.objects.filter(session=session).update(state=state, **fields)
            connection.close()

        thread = threading.Thread(target=work)
        threads.append(thread)
        thread.start()

    yield start
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    ("state", "events", "code", "line"),
    [
        pytest.param("finished", "success", 0, "agent      All done", id="success"),
        pytest.param("failed", "error", 1, "RUN_ERROR it broke", id="error"),
        pytest.param(
            "interrupted", "question", 3, "asks       Which colour?  (answer: POST /api", id="question"
        ),
    ],
)
def test_the_exit_code_is_the_runs_result(run, platform, state, events, code, line):
    platform(state, events)
    got, out, _ = run("session_run", "do it", "--project", "tenant")
    assert (got, line in out) == (code, True), out
    session = Session.objects.get()
    assert (session.created_by_user_id, session.prompt, session.desired_state) == (
        "admin",
        "do it",
        "running",
    )
    assert f"session_show {session.pk}" in out
    assert details.history_rows(session.pk).first().actor == "admin"


def test_stop_on_exit(run, platform):
    platform("finished", "success")
    assert run("session_run", "do it", "--project", "tenant", "--stop-on-exit")[0] == 0
    assert Session.objects.get().desired_state == "stopped"


@pytest.mark.parametrize(
    ("options", "desired"),
    [
        pytest.param((), "running", id="ctrl-c-leaves-it"),
        pytest.param(("--stop-on-exit",), "stopped", id="ctrl-c-stops-it"),
    ],
)
def test_ctrl_c(run, tenant, monkeypatch, options, desired):
    async def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("sessions_app.management.commands.session_run.follow", interrupted)
    assert run("session_run", "x", "--project", "tenant", *options)[0] == 130
    assert Session.objects.get().desired_state == desired


def test_no_longer_than_asked_for(run, tenant):
    code, out, _ = run("session_run", "x", "--project", "tenant", "--seconds", "0.5")
    assert (code, "nothing ended within 0.5 s" in out) == (4, True)


def test_an_agent(run, tenant):
    AgentFactory(project=tenant, name="scout", prompt="look")
    run("session_run", "x", "--project", "tenant", "--agent", "scout", "--seconds", "0.3")
    assert Session.objects.get().agent.name == "scout"
    with pytest.raises(CommandError, match="at work already"):
        run("session_run", "x", "--project", "tenant", "--agent", "scout")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param(("--project", "none"), "no project", id="unknown-project"),
        pytest.param(("--project", "tenant", "--user", "nobody"), "no active user", id="unknown-user"),
        pytest.param(("--project", "tenant", "--agent", "nobody"), "no agent", id="unknown-agent"),
        pytest.param(("--project", "tenant", "--seconds", "0"), "seconds above 0", id="no-time"),
        pytest.param(("--project", "tenant", "--seconds", "nan"), "seconds above 0", id="not-a-time"),
    ],
)
def test_refusals(run, tenant, options, text):
    with pytest.raises(CommandError, match=text):
        run("session_run", "x", *options)
    assert not Session.objects.exists()
