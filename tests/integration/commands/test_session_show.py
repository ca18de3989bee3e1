"""session_show says everything about a session but its secrets."""

import json

import pytest
from django.core.management import CommandError

from ambient.common.encryption import unseal
from projects_app.models import Project
from sessions_app.models import SessionEvent
from sessions_app.services.sessions import session_create, session_delete, session_stop
from tests.factories import InterruptFactory


@pytest.fixture
def made(db):
    project = Project.objects.create(id="tenant")
    session = session_create(
        actor="alice",
        project=project,
        spec={"name": "fix", "prompt": "do it", "environment_variables": '{"TOKEN": "hush-hush"}'},
    )
    SessionEvent.objects.create(session_id=session.pk, seq=1, run="r", type="CUSTOM", event='{"a": 1}')
    InterruptFactory(session=session, interrupt_id="ask-1")
    return session


def test_as_text(run, made):
    session_stop(session=made)
    code, out, err = run("session_show", made.pk)
    assert (code, err) == (0, "")
    for part in (
        made.pk,
        "Stopping",
        "StoppedByUser",
        "do it",
        "CUSTOM",
        "ask-1",
        "TOKEN",
        "SessionStopped",
        "stopped",
    ):
        assert part in out, part


def test_as_json(run, made):
    report = json.loads(run("session_show", made.pk, "--json")[1])
    assert report["spec"]["name"] == "fix"
    assert report["status"]["desired_state"] == "running"
    assert [run["state"] for run in report["runs"]] == ["queued"]
    assert [message["text"] for message in report["messages"]] == ["do it"]
    assert report["work"]["key"] == made.pk
    assert [entry["what"] for entry in report["history"]] == ["create"]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_secret(run, made, form):
    out = run("session_show", made.pk, *form)[1]
    secret = unseal(made.runner_secret, context=made.runner_secret_context)
    for hidden in (made.runner_secret, secret, "hush-hush"):
        assert hidden not in out


def test_a_deleted_session_is_shown_too(run, made):
    session_delete(session=made)
    assert json.loads(run("session_show", made.pk, "--json")[1])["status"]["deleted_at"]


def test_the_runners_log_that_cannot_be_read_says_so(run, made, tmp_path, monkeypatch):
    monkeypatch.setattr("ambient.env.HOME", tmp_path)
    assert "cannot be read" in run("session_show", made.pk, "--log", "5")[1]


@pytest.mark.parametrize("lines", ["-5", "0", "many", "1" * 5000])
def test_the_number_of_lines_is_checked(run, made, lines):
    with pytest.raises(CommandError, match="--log"):
        run("session_show", made.pk, f"--log={lines}")


def test_what_is_cut_says_so(run, made):
    for number in range(2, 30):
        SessionEvent.objects.create(session_id=made.pk, seq=number, run="r", type="CUSTOM", event="{}")
    assert "events (the newest 20)" in run("session_show", made.pk)[1]


def test_unknown(run, db):
    with pytest.raises(CommandError, match="no session"):
        run("session_show", "nothing")
