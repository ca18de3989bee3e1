"""Wishes: what start, stop, delete and a status report do in each phase, and who is told."""

import pytest

from ambient.common.encryption import unseal
from ambient.common.exceptions import Conflict, Forbidden, InvalidField, NotFound
from projects_app.models import AuditEntry, Project, RowCount
from reconciler.models import WorkItem
from sessions_app.choices import DesiredState, Phase
from sessions_app.models import MessageCounter, Session, SessionStream
from sessions_app.services.sessions import (
    session_create,
    session_delete,
    session_patch_status,
    session_start,
    session_stop,
    session_update,
)


def in_phase(session: Session, phase: Phase | None, *, called: bool = False) -> Session:
    Session.objects.filter(pk=session.pk).update(phase=phase, start_called=called)
    return Session.objects.get(pk=session.pk)


def work(session: Session) -> WorkItem:
    return WorkItem.objects.get(kind="session", key=session.pk)


def test_a_new_session_has_its_stream_counter_secret_message_and_work(made) -> None:
    assert SessionStream.objects.get(pk=made.pk).event_seq == 0
    assert MessageCounter.objects.get(pk=made.pk).message_seq == 1
    assert len(unseal(made.runner_secret, context=made.runner_secret_context)) >= 32
    assert made.messages.get().payload == "do it"
    assert (made.phase, made.kube_cr_name, work(made).urgent) == (None, made.pk, False)


def test_a_session_without_a_name_gets_one(tenant) -> None:
    assert session_create(actor="alice", project=tenant, spec={}).name.startswith("session-")


def test_a_deleted_project_takes_no_session(tenant) -> None:
    Project.objects.filter(pk=tenant.pk).update(deleted_at="2026-01-01T00:00:00Z")
    with pytest.raises(NotFound):
        session_create(actor="alice", project=tenant, spec={"name": "late"})


@pytest.mark.parametrize(
    ("phase", "called", "result"),
    [
        pytest.param(None, False, Phase.PENDING, id="first-start-after-create"),
        pytest.param(Phase.PENDING, False, Phase.PENDING, id="first-start-while-pending"),
        pytest.param(Phase.RUNNING, False, Phase.RUNNING, id="first-start-while-running"),
        pytest.param(Phase.RUNNING, True, None, id="second-start-while-running-conflicts"),
        pytest.param(Phase.STOPPING, False, None, id="start-while-stopping-conflicts"),
        pytest.param(Phase.STOPPED, True, Phase.PENDING, id="start-again-after-stop"),
        pytest.param(Phase.COMPLETED, True, Phase.PENDING, id="start-again-after-completed"),
        pytest.param(Phase.FAILED, True, Phase.PENDING, id="start-again-after-failed"),
    ],
)
def test_start(made, phase, called, result) -> None:
    session = in_phase(made, phase, called=called)
    if result is None:
        with pytest.raises(Conflict):
            session_start(session=session)
    else:
        started = session_start(session=session)
        assert started.phase == result
        assert started.generation == (2 if phase in (Phase.STOPPED, Phase.COMPLETED, Phase.FAILED) else 1)


@pytest.mark.parametrize("phase", [None, Phase.PENDING, Phase.CREATING, Phase.RUNNING], ids=str)
def test_stop_records_the_wish_and_is_urgent_work(made, phase) -> None:
    stopped = session_stop(session=in_phase(made, phase))
    assert (stopped.phase, stopped.desired_state) == (Phase.STOPPING, DesiredState.STOPPED)
    assert work(made).urgent
    assert made.messages.get().reason == "SessionStopped"


@pytest.mark.parametrize("phase", [Phase.STOPPING, Phase.STOPPED, Phase.COMPLETED, Phase.FAILED], ids=str)
def test_stop_conflicts_when_there_is_nothing_to_stop(made, phase) -> None:
    with pytest.raises(Conflict):
        session_stop(session=in_phase(made, phase))


def test_delete_is_soft_counted_and_repeatable(made, tenant) -> None:
    session_delete(session=made)
    session_delete(session=made)
    made.refresh_from_db()
    assert (made.desired_state, made.generation) == (DesiredState.DELETED, 2)
    assert RowCount.objects.get(kind="session", project=tenant.pk).rows == 0


def test_only_wishes_make_work_and_history(made) -> None:
    version = work(made).version
    session_patch_status(session=made, changes={"sdk_session_id": "x"}, reporter=None)
    assert work(made).version == version
    session_update(session=made, changes={"labels": '{"a": 1}'})
    session_stop(session=made)
    assert work(made).version == version + 1
    entries = AuditEntry.objects.filter(kind="Session").order_by("id")
    assert entries.first().action == "create"
    assert list(entries.values_list("after", flat=True)[1:]) == [
        {"labels": '{"a": 1}'},
        {"desired_state": "stopped", "generation": 2},
    ]
    made.refresh_from_db()
    assert made.labels_index == {"a": 1}


@pytest.mark.parametrize("labels", ['{"a": "\\u0000"}', "[1]", "no json", ""])
def test_labels_that_cannot_be_searched_are_kept_as_they_are(made, labels) -> None:
    session_update(session=made, changes={"labels": labels})
    made.refresh_from_db()
    assert (made.labels, made.labels_index) == (labels, None)


@pytest.mark.parametrize(
    ("changes", "reporter", "error"),
    [
        pytest.param({}, "controller", InvalidField, id="nothing-set"),
        pytest.param({"phase": "Sleeping"}, "controller", InvalidField, id="unknown-phase"),
        pytest.param({"phase": "Completed"}, "controller", Conflict, id="outside-the-table"),
        pytest.param({"phase": "Pending"}, None, Forbidden, id="phase-from-a-runner"),
        pytest.param(
            {"conditions": "nonsense"}, None, InvalidField, id="unreadable-conditions-from-a-runner"
        ),
        pytest.param({"phase": "Pending"}, "controller", None, id="along-the-table"),
        pytest.param({"reconciled_repos": "[]"}, None, None, id="report-from-a-runner"),
    ],
)
def test_status_from_outside(made, changes, reporter, error) -> None:
    if error is None:
        session_patch_status(session=made, changes=changes, reporter=reporter)
    else:
        with pytest.raises(error):
            session_patch_status(session=made, changes=changes, reporter=reporter)
