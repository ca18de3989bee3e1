"""The only writer of phases: compare-and-set, along the table, with the right things happening at an end."""

import json

import pytest

from ambient.common.exceptions import Conflict
from sessions_app.choices import TRANSITIONS, Delivery, Phase, Reason, RunState
from sessions_app.models import Session
from sessions_app.services.messages import message_store_and_queue
from sessions_app.services.sessions import wish_to_run
from sessions_app.status import Condition, StatusChanged, session_record_status

PHASES = [None, *Phase]


def put(session: Session, phase: Phase | None) -> Session:
    Session.objects.filter(pk=session.pk).update(phase=phase, observed_generation=1)
    session.refresh_from_db()
    return session


@pytest.mark.parametrize("new", list(Phase), ids=str)
@pytest.mark.parametrize("old", PHASES, ids=str)
def test_a_phase_follows_another_only_along_the_table(made, old, new) -> None:
    session = put(made, old)
    session.runs.update(state=RunState.FINISHED)
    if new == old or new in TRANSITIONS[old]:
        assert session_record_status(session=session, phase=new).phase == new
    else:
        with pytest.raises(Conflict):
            session_record_status(session=session, phase=new)
        session.refresh_from_db()
        assert session.phase == old


def test_a_status_that_moved_on_is_not_overwritten(made) -> None:
    stale = Session.objects.get(pk=made.pk)
    session_record_status(session=made, phase=Phase.PENDING, reason=Reason.WAITING)
    with pytest.raises(StatusChanged):
        session_record_status(session=stale, phase=Phase.STOPPING)
    assert Session.objects.get(pk=made.pk).phase == Phase.PENDING


def test_running_sets_the_start_and_an_end_its_time_and_gives_the_place_back(made) -> None:
    session = session_record_status(session=put(made, Phase.CREATING), phase=Phase.RUNNING)
    assert session.start_time == session.phase_since
    Session.objects.filter(pk=session.pk).update(placed_at=session.start_time)
    session.refresh_from_db()
    session = session_record_status(session=session, phase=Phase.FAILED, reason=Reason.RUNNER_EXITED)
    session.refresh_from_db()
    assert session.completion_time is not None
    assert session.placed_at is None


def test_a_condition_keeps_its_time_until_its_status_changes(made) -> None:
    def read(session: Session) -> dict:
        return json.loads(session.conditions or "")[0]

    first = read(
        session_record_status(session=made, conditions=[Condition("Placed", "False", "Waiting", "1 ahead")])
    )
    second = read(
        session_record_status(session=made, conditions=[Condition("Placed", "False", "Waiting", "0 ahead")])
    )
    third = read(session_record_status(session=made, conditions=[Condition("Placed", "True", "Placed")]))
    assert second["last_transition_time"] == first["last_transition_time"]
    assert second["message"] == "0 ahead"
    assert third["last_transition_time"] > first["last_transition_time"]


def statuses(session: Session) -> dict[str, str]:
    return {entry["type"]: entry["status"] for entry in json.loads(session.conditions or "[]")}


STARTED = [Condition(kind, "True", "Ready") for kind in ("Placed", "ObjectsApplied", "RunnerStarted")]


@pytest.mark.parametrize(
    ("before", "end"),
    [(Phase.STOPPING, Phase.STOPPED), (Phase.RUNNING, Phase.FAILED), (Phase.RUNNING, Phase.COMPLETED)],
)
def test_no_condition_tells_of_a_runner_after_the_end_or_of_the_end_after_a_start(made, before, end) -> None:
    made.runs.update(state=RunState.FINISHED)
    session = session_record_status(session=put(made, before), conditions=STARTED)
    session = session_record_status(session=session, phase=end, reason=Reason.SUCCEEDED, reason_text="Over.")
    gone = dict.fromkeys(("Placed", "ObjectsApplied", "RunnerStarted"), "False")
    assert statuses(session) == gone | {"Finished": "True"}
    session = wish_to_run(Session.objects.get(pk=made.pk))
    assert statuses(session) == gone | {"Finished": "False", "Accepted": "True"}


def test_conditions_that_a_controller_reports_with_an_end_are_kept_as_they_are(made) -> None:
    text = '[{"type": "RunnerStarted", "status": "True"}]'
    session = session_record_status(
        session=put(made, Phase.RUNNING), phase=Phase.FAILED, fields={"conditions": text}
    )
    assert session.conditions == text


@pytest.mark.parametrize(
    ("before", "end", "reason"),
    [(Phase.RUNNING, Phase.FAILED, "SessionFailed"), (Phase.STOPPING, Phase.STOPPED, "SessionStopped")],
)
def test_a_queued_message_fails_visibly_when_its_session_ends(made, before, end, reason) -> None:
    session_record_status(session=put(made, before), phase=end)
    message = made.messages.get()
    assert (message.delivery, message.reason) == (Delivery.FAILED, reason)
    assert made.runs.get().state == RunState.FAILED


def test_a_completed_session_with_a_queued_message_runs_again(made) -> None:
    session = session_record_status(session=put(made, Phase.RUNNING), phase=Phase.COMPLETED)
    session.refresh_from_db()
    assert (session.phase, session.generation) == (Phase.PENDING, 2)
    assert made.messages.get().delivery == Delivery.QUEUED


def test_messages_are_numbered_from_one_without_gaps(made) -> None:
    for text in ("b", "c"):
        message_store_and_queue(session=made, actor="alice", text=text, trigger="message")
    assert list(made.messages.order_by("seq").values_list("seq", "payload")) == [
        (1, "do it"),
        (2, "b"),
        (3, "c"),
    ]
    assert list(made.runs.order_by("number").values_list("number", flat=True)) == [1, 2, 3]


def test_a_session_wished_for_again_while_stopping_starts_again_with_its_message(made) -> None:
    stopping = put(made, Phase.STOPPING)
    Session.objects.filter(pk=made.pk).update(desired_state="running", generation=2)
    session_record_status(session=stopping, phase=Phase.STOPPED)
    made.refresh_from_db()
    assert (made.phase, made.generation) == (Phase.PENDING, 2)
    assert made.messages.get().delivery == Delivery.QUEUED
