"""Every writing service of `sessions_app`, and the writer of status, in the states that differ in writes."""

import json

from projects_app.models import Agent
from sessions_app import status
from sessions_app.choices import DesiredState, Phase, Reason, RunState
from sessions_app.models import Run, Session
from sessions_app.services.agents import agent_start
from sessions_app.services.configuration import (
    session_clone,
    session_repo_add,
    session_repo_remove,
    workflow_set,
)
from sessions_app.services.interrupts import interrupt_answer, interrupts_expire
from sessions_app.services.runs import (
    AguiRun,
    ResumeEntry,
    agui_run_start,
    run_interrupt_request,
    runner_restart,
)
from sessions_app.services.schedules import (
    schedule_create,
    schedule_delete,
    schedule_trigger,
    schedule_update,
)
from sessions_app.services.sdk_entries import sdk_entries_append
from sessions_app.services.sending import message_cancel, message_edit, message_retry, message_send
from sessions_app.services.sessions import (
    session_create,
    session_delete,
    session_patch_status,
    session_start,
    session_stop,
    session_update,
)
from sessions_app.services.snapshots import (
    snapshot_begin,
    snapshot_complete,
    snapshot_failed,
    snapshot_forget,
)
from tests.factories import (
    AgentFactory,
    InboxMessageFactory,
    InterruptFactory,
    ProjectFactory,
    ProjectSettingsFactory,
    SessionFactory,
)
from tests.integration.services.cases import Arguments, case

LABELS = '{"team": "x"}'
REPO = {"url": "https://git.corp/app.git", "branch": "main", "name": "app"}


def _in_phase(phase: Phase | None, **values) -> Session:
    return SessionFactory(phase=phase, **values)


def _with_message(phase: Phase | None = Phase.RUNNING, **values) -> Arguments:
    """A session with one queued message."""
    session = SessionFactory()
    message = message_send(session=session, actor="alice", text="do it")
    Session.objects.filter(pk=session.pk).update(phase=phase, **values)
    return {"session": Session.objects.get(pk=session.pk), "message_id": message.pk}


def _with_cancelled_message() -> Arguments:
    """In a session that has ended."""
    arguments = _with_message()
    message_cancel(**arguments)
    Session.objects.filter(pk=arguments["session"].pk).update(phase=Phase.COMPLETED)
    return arguments


def _asking(phase: Phase = Phase.RUNNING, **interrupt) -> Session:
    """A session whose run waits for one answer."""
    session = SessionFactory(phase=phase)
    run = Run.objects.create(id="asks", session=session, number=1, state=RunState.INTERRUPTED)
    InterruptFactory(session=session, run=run.pk, interrupt_id="colour", **interrupt)
    return session


def _answer(phase: Phase = Phase.RUNNING) -> Arguments:
    answer = {"interrupt_id": "colour", "actor": "alice", "status": "resolved", "payload": "Blue"}
    return {"session": _asking(phase)} | answer


def _overdue() -> Arguments:
    _asking(expires_at="2026-01-01T00:00:00Z")
    return {}


def _agui_run() -> Arguments:
    wanted = AguiRun(run_id="mine", text="do it", client_id="m-1", extra={"state": {}})
    return {"session": _in_phase(Phase.STOPPED), "actor": "alice", "wanted": wanted}


def _agui_resume() -> Arguments:
    """Two runs wait; the client's run goes on with the second."""
    session = _asking()
    other = Run.objects.create(id="asks-too", session=session, number=2, state=RunState.INTERRUPTED)
    InterruptFactory(session=session, run=other.pk, interrupt_id="size")
    answers = [ResumeEntry(name, "resolved", "Blue") for name in ("colour", "size")]
    wanted = AguiRun(run_id="mine", text=None, client_id=None, resume=answers)
    return {"session": session, "actor": "alice", "wanted": wanted}


def _with_run() -> Arguments:
    session = _in_phase(Phase.RUNNING)
    Run.objects.create(id="runs", session=session, number=1, state=RunState.RUNNING)
    return {"session": session}


def _agent_with_inbox() -> Agent:
    agent = AgentFactory(prompt="Be kind.", repo_url="https://git.corp/app.git")
    for _ in range(2):
        InboxMessageFactory(agent=agent)
    return agent


def _schedule(agent: Agent | None = None, **values) -> Arguments:
    project = agent.project if agent else ProjectFactory()
    values = {"name": "nightly", "schedule": "0 3 * * *", "agent_id": agent and agent.pk} | values
    return {"row": schedule_create(actor="alice", project=project, values=values)}


def _session_to_create() -> Arguments:
    """Of an agent, in a project with settings, with a prompt."""
    agent = AgentFactory()
    ProjectSettingsFactory(project=agent.project, repositories=json.dumps([REPO]))
    spec = {"name": "fix", "prompt": "do it", "labels": LABELS}
    return {"actor": "alice", "project": agent.project, "spec": spec, "agent": agent}


def _saving(**conditions: str) -> Arguments:
    """A runner that has begun to save its session's files."""
    session = _in_phase(Phase.RUNNING, attempt=1, **conditions)
    arguments = {"session_id": session.pk, "attempt": 1}
    begun = snapshot_begin(**arguments, size=3, sha256="a" * 64)
    return arguments | {"snapshot_id": begun.pk, "stored_size": 3, "stored_sha256": None}


def _not_saved() -> Arguments:
    """The same after a failure, which the session shows."""
    failed = [{"type": "WorkspaceReady", "status": "False", "reason": "WorkspaceNotSaved"}]
    return _saving(conditions=json.dumps(failed))


def _runner_of(**values) -> Arguments:
    return {"session_id": _in_phase(Phase.RUNNING, attempt=1).pk, "attempt": 1} | values


def _ending(phase: Phase, **values) -> Arguments:
    """A status that ends a session which a message waits for."""
    session = _with_message(Phase.STOPPING if phase == Phase.STOPPED else Phase.RUNNING, **values)["session"]
    return {
        "session": session,
        "phase": phase,
        "reason": Reason.RUNNER_EXITED,
        "reason_text": "It ended.",
        "conditions": [status.Condition("RunnerReady", "False", Reason.RUNNER_EXITED)],
    }


def _wished_again() -> Arguments:
    """Stopped, while somebody wants it to run again."""
    return _ending(Phase.STOPPED, desired_state=DesiredState.RUNNING, generation=3, observed_generation=2)


def _stopping() -> Arguments:
    return _ending(Phase.STOPPED, desired_state=DesiredState.STOPPED)


def _reported(session: Session) -> Arguments:
    changes = {"phase": "Failed", "sdk_session_id": "s-1"}
    return {"session": session, "changes": changes, "reporter": "controller"}


CASES = [
    case(agent_start, lambda: {"agent": _agent_with_inbox(), "actor": "alice", "task": "Ship it."}),
    case(session_clone, lambda: {"session": SessionFactory(), "actor": "alice"}),
    case(session_repo_add, lambda: {"session": SessionFactory(), "url": REPO["url"]}),
    case(session_repo_remove, lambda: {"session": SessionFactory(repos=json.dumps([REPO])), "name": "app"}),
    case(
        workflow_set,
        lambda: {"session": SessionFactory(), "git_url": REPO["url"], "branch": "main", "path": "flow"},
    ),
    case(interrupt_answer, _answer),
    case(interrupt_answer, lambda: _answer(Phase.COMPLETED), "that starts an ended session"),
    case(interrupts_expire, _overdue),
    case(agui_run_start, _agui_run),
    case(agui_run_start, _agui_resume, "that resumes two"),
    case(run_interrupt_request, _with_run),
    case(runner_restart, lambda: {"session_id": _in_phase(Phase.RUNNING).pk}),
    case(
        schedule_create,
        lambda: {
            "actor": "alice",
            "project": ProjectFactory(),
            "values": {"name": "nightly", "schedule": "0 3 * * *"},
        },
    ),
    case(schedule_update, lambda: _schedule() | {"changes": {"name": "daily", "schedule": "0 4 * * *"}}),
    case(schedule_delete, _schedule),
    case(schedule_trigger, lambda: _schedule(session_prompt="do it") | {"actor": "alice"}),
    case(schedule_trigger, lambda: _schedule(_agent_with_inbox()) | {"actor": "alice"}, "of an agent"),
    case(
        sdk_entries_append,
        lambda: {"session_id": SessionFactory().pk, "key": "k", "position": 1, "entries": ["{}", "[]"]},
    ),
    case(snapshot_begin, lambda: _runner_of(size=3, sha256="a" * 64)),
    case(snapshot_complete, _saving),
    case(snapshot_complete, _not_saved, "after a failure"),
    case(snapshot_failed, lambda: _runner_of(message="The bucket is away.")),
    case(snapshot_forget, lambda: {"snapshot_id": _saving()["snapshot_id"]}),
    case(
        message_send,
        lambda: {"session": SessionFactory(), "actor": "alice", "text": "do it", "client_id": "m-1"},
    ),
    case(
        message_send,
        lambda: {"session": _in_phase(Phase.FAILED), "actor": "alice", "text": "do it"},
        "that starts an ended session",
    ),
    case(
        message_send,
        lambda: {"session": _asking(), "actor": "alice", "text": "Blue"},
        "that answers a question",
    ),
    case(message_edit, lambda: _with_message() | {"text": "do that"}),
    case(message_cancel, _with_message),
    case(message_retry, lambda: _with_cancelled_message() | {"actor": "alice"}),
    case(session_create, _session_to_create),
    case(session_create, lambda: _session_to_create() | {"phase": Phase.PENDING}, "with a phase"),
    case(session_update, lambda: {"session": SessionFactory(), "changes": {"name": "x", "labels": LABELS}}),
    case(session_start, lambda: {"session": SessionFactory()}),
    case(session_start, lambda: {"session": _in_phase(Phase.STOPPED)}, "again"),
    case(session_stop, lambda: {"session": _with_message()["session"]}),
    case(session_delete, lambda: {"session": _with_message()["session"]}),
    case(session_patch_status, lambda: _reported(_with_message()["session"])),
    case(status.session_record_status, lambda: _ending(Phase.FAILED), "of a failure"),
    case(status.session_record_status, lambda: _ending(Phase.COMPLETED), "of an end before a message"),
    case(status.session_record_status, _wished_again, "of a stop before a start"),
    case(status.session_record_status, _stopping, "of a stop"),
]

READS = {
    "status.implied_conditions": "computes",
    "agents.agent_start_preview": "makes a text",
    "agents.starting_prompt": "makes a text",
    "agents.unread_messages": "reads messages",
    "answers.check_payload": "asks a schema",
    "configuration.workflow_metadata": "reads a text",
    "defaults.defaults_of": "reads defaults",
    "defaults.spec_from_agent": "reads an agent",
    "interrupts.answer_of_text": "reads a schema",
    "interrupts.answer_text": "makes a text",
    "interrupts.lock_wanted_session": "locks a row",
    "interrupts.open_interrupts": "reads interrupts",
    "messages.next_run_number": "reads a number, under its caller's lock",
    "sdk_entries.sdk_entries_after": "reads entries",
    "sdk_entries.sdk_keys": "reads keys",
    "snapshots.snapshot_latest": "reads a snapshot",
    "snapshots.snapshot_of": "reads a snapshot",
    "snapshots.snapshots_unwanted": "selects snapshots",
    "messages.check_text": "asks a rule",
    "sessions.lock_session": "locks a row",
    "status.may_follow": "asks a rule",
    "status.merged_conditions": "makes a text",
}
"""Public functions that write nothing."""

PARTS = {
    "interrupts.ensure_wanted",
    "interrupts.record_answer",
    "interrupts.resume_when_answered",
    "messages.message_store",
    "messages.message_store_and_queue",
    "sessions.wish_to_run",
    "status.fail_queued",
}
"""Writes that are parts of a service's transaction, and are called by services alone."""
