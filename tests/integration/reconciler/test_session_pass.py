"""One pass at a time against a runtime that does what it is told: what is written, and what is refused."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from ambient.common.exceptions import Conflict
from projects_app.models import Project
from reconciler import resync, sessions, tasks
from reconciler.errors import ClaimLost, OtherHost, PermanentError, TemporaryError
from reconciler.models import Installation, Limit, WorkItem
from reconciler.placement import take_place
from reconciler.projects import reconcile_project
from reconciler.runtimes import runtime_for
from reconciler.runtimes.base import EVERY_ATTEMPT, Existing, Runtime
from reconciler.sessions import reconcile_session, record
from reconciler.state import Exit, Observed, Plan
from sessions_app.choices import Delivery, Phase, Reason
from sessions_app.models import Session, SessionMessage
from sessions_app.services.sessions import session_delete, session_stop
from sessions_app.status import StatusChanged, session_record_status

pytestmark = pytest.mark.django_db


class Obedient(Runtime):
    """Runners are ready at once; every call is remembered."""

    host = "here"

    def __init__(self) -> None:
        self.runners: dict[str, Observed] = {}
        self.calls: list[tuple] = []
        self.fault: Exception | None = None
        self.looks = 0

    def observe_many(self, sessions):
        return {session.id: self.observe(session) for session in sessions}

    def observe(self, session):
        self.looks += 1
        if self.fault:
            raise self.fault
        return self.runners.get(session.id, Observed(reason=Reason.HOST_RESTARTED))

    def apply(self, session, spec, attempt):
        self.calls.append(("apply", session.id, attempt))
        self.runners[session.id] = Observed(
            exists=True,
            generation=spec["generation"],
            attempt=attempt,
            ready=True,
            endpoint="http://127.0.0.1:1",
            instance=f"i{attempt}",
        )

    def delete(self, session, up_to_attempt):
        self.calls.append(("delete", session.id, up_to_attempt))
        self.runners.pop(session.id, None)

    def logs(self, session, lines=200):
        return ""

    def existing(self):
        return [Existing(pk, found.generation, found.attempt) for pk, found in self.runners.items()]


@pytest.fixture
def runtime(monkeypatch):
    found = Obedient()
    for module in (sessions, resync):
        monkeypatch.setattr(module, "runtime_for", lambda: found)
    return found


@pytest.fixture
def running(runtime, make_session, claim_of):
    session = make_session()
    tasks.run_pass(claim_of("session", session.pk))
    session.refresh_from_db()
    assert session.phase == Phase.RUNNING
    return session


def conditions(session: Session) -> dict[str, tuple[str, str]]:
    return {entry["type"]: (entry["status"], entry["reason"]) for entry in json.loads(session.conditions)}


def test_one_pass_starts_a_session(runtime, running):
    assert runtime.calls == [("apply", running.pk, 1)]
    assert (running.runner_endpoint, running.runner_instance) == ("http://127.0.0.1:1", "i1")
    assert (running.observed_generation, running.attempt, running.runner_host) == (1, 1, "here")
    assert conditions(running)["RunnerReady"] == ("True", "Ready")
    assert WorkItem.objects.get(key=running.pk).attempts == 0


def test_a_start_looks_again_only_after_it_has_done_or_learnt_something(runtime, running):
    before_the_apply, after_it, at_the_instance_that_it_learnt = 1, 1, 1
    assert runtime.looks == before_the_apply + after_it + at_the_instance_that_it_learnt


def test_a_runtime_that_tells_by_itself_is_not_looked_at_right_after_an_apply(
    runtime, make_session, claim_of
):
    runtime.look_after_apply_seconds = 5.0
    session = make_session()
    tasks.run_pass(claim_of("session", session.pk))
    session.refresh_from_db()
    assert (session.phase, session.attempt, runtime.looks) == (Phase.CREATING, 1, 1)
    item = WorkItem.objects.get(key=session.pk)
    assert (item.attempts, timezone.now() < item.due_at <= timezone.now() + timedelta(seconds=5)) == (0, True)
    tasks.run_pass(claim_of("session", session.pk))
    session.refresh_from_db()
    assert session.phase == Phase.RUNNING


def test_what_a_runner_is_not_given_is_said_and_it_runs(runtime, make_session, claim_of):
    session = make_session(environment_variables="A=b")
    tasks.run_pass(claim_of("session", session.pk))
    session.refresh_from_db()
    assert (session.phase, session.environment_variables) == (Phase.RUNNING, "A=b")
    assert conditions(session)["ConfigValid"] == ("False", "ConfigInvalid")
    assert "environment_variables is no JSON object" in session.conditions

    Session.objects.filter(pk=session.pk).update(environment_variables='{"A": "b"}')
    runtime.runners.clear()
    tasks.run_pass(claim_of("session", session.pk))
    session.refresh_from_db()
    assert (session.phase, session.attempt) == (Phase.RUNNING, 2)
    assert conditions(session)["ConfigValid"][0] == "True"


def test_a_spec_that_is_all_used_needs_no_word(running):
    assert "ConfigValid" not in conditions(running)


def test_one_pass_stops_it(runtime, running, claim_of):
    session_stop(session=running)
    assert WorkItem.objects.get(key=running.pk).urgent
    assert tasks.run_pass(claim_of("session", running.pk)) == "done"
    running.refresh_from_db()
    assert (running.phase, running.reason, running.placed_at) == (Phase.STOPPED, "StoppedByUser", None)
    assert runtime.runners == {}
    assert not WorkItem.objects.filter(key=running.pk).exists()


def test_an_unchanged_session_is_not_written(running, claim_of):
    before = running.status_version
    reconcile_session(claim_of("session", running.pk))
    running.refresh_from_db()
    assert running.status_version == before


def test_four_crashes_fail_the_session_and_its_messages(runtime, running, claim_of, monkeypatch):
    monkeypatch.setattr("reconciler.plan.backoff_seconds", lambda *_: 0.0)
    for _ in range(4):
        found = runtime.runners[running.pk]
        runtime.runners[running.pk] = Observed(
            exists=True, attempt=found.attempt, exit=Exit(code=7), message="last line"
        )
        tasks.run_pass(claim_of("session", running.pk))
    running.refresh_from_db()
    assert (running.phase, running.reason, running.restarts) == (Phase.FAILED, "RunnerExited", 3)
    assert "exit code 7" in running.reason_text
    assert "last line" in running.reason_text
    assert runtime.runners == {}
    assert running.attempt == 4


def test_a_queued_message_starts_a_completed_session_again(runtime, make_session, claim_of):
    session = make_session(prompt="hello")
    tasks.run_pass(claim_of("session", session.pk))
    runtime.runners[session.pk] = Observed(exists=True, attempt=1, exit=Exit(code=0))
    tasks.run_pass(claim_of("session", session.pk))
    session.refresh_from_db()
    assert (session.phase, session.generation, session.attempt) == (Phase.RUNNING, 2, 2)
    assert SessionMessage.objects.get(session=session).delivery == Delivery.QUEUED


def test_a_passing_fault_is_written_down_and_put_off(runtime, running, claim_of):
    runtime.fault = TemporaryError(Reason.CLUSTER_UNREACHABLE, "Away.", delay=5.0)
    assert tasks.run_pass(claim_of("session", running.pk)) == "temporary"
    running.refresh_from_db()
    assert running.phase == Phase.RUNNING
    assert conditions(running)["RunnerReady"] == ("Unknown", "ClusterUnreachable")
    assert WorkItem.objects.get(key=running.pk).last_error == "ClusterUnreachable: Away."


def test_a_lasting_fault_fails_the_session(runtime, make_session, claim_of):
    session = make_session()
    runtime.fault = PermanentError(Reason.CONFIG_INVALID, "No such runtime.")
    for _ in range(2):
        if WorkItem.objects.filter(key=session.pk).exists():
            tasks.run_pass(claim_of("session", session.pk))
    session.refresh_from_db()
    assert (session.phase, session.reason, session.reason_text) == (
        Phase.FAILED,
        "ConfigInvalid",
        "No such runtime.",
    )


def test_what_a_refused_start_has_made_goes_in_the_same_pass(runtime, make_session, claim_of, monkeypatch):
    def make_half_of_it(session, spec, attempt):
        runtime.runners[session.id] = Observed(attempt=attempt, reason=Reason.POD_LOST)
        raise PermanentError(Reason.OBJECT_NOT_OURS, "It is somebody else's.")

    monkeypatch.setattr(runtime, "apply", make_half_of_it)
    session = make_session()
    assert tasks.run_pass(claim_of("session", session.pk)) == "done"
    session.refresh_from_db()
    assert (session.phase, session.reason, runtime.runners) == (Phase.FAILED, "ObjectNotOurs", {})
    assert not WorkItem.objects.filter(key=session.pk).exists()


def test_an_unforeseen_fault_keeps_the_back_off(runtime, running, claim_of):
    runtime.fault = RuntimeError("surprise")
    assert tasks.run_pass(claim_of("session", running.pk)) == "error"
    assert WorkItem.objects.get(key=running.pk).attempts == 1
    assert WorkItem.objects.get(key=running.pk).last_error == "RuntimeError: surprise"


def test_another_hosts_session_is_left_alone(runtime, running, claim_of):
    before = running.status_version
    runtime.fault = OtherHost("there")
    assert reconcile_session(claim_of("session", running.pk)).requeue_after
    running.refresh_from_db()
    assert running.status_version == before


@pytest.mark.django_db(transaction=True)  # a refused write must really be rolled back
def test_two_passes_with_the_same_key_the_late_one_writes_nothing(running, claim_of):
    late = claim_of("session", running.pk)
    WorkItem.objects.filter(key=running.pk).update(locked_until=None)
    current = claim_of("session", running.pk)
    written = Plan(fields=(("restarts", 2),))
    with pytest.raises(ClaimLost):
        record(late, Session.objects.get(pk=running.pk), written)
    running.refresh_from_db()
    assert running.restarts == 0
    with pytest.raises(ClaimLost):
        take_place(session=Session.objects.get(pk=running.pk), claim=late)
    record(current, Session.objects.get(pk=running.pk), written)
    with pytest.raises(StatusChanged):
        record(current, running, Plan(fields=(("restarts", 3),)))
    running.refresh_from_db()
    assert running.restarts == 2


@pytest.mark.django_db(transaction=True)
def test_a_pass_that_loses_its_claim_ends(runtime, running, claim_of):
    late = claim_of("session", running.pk)
    WorkItem.objects.filter(key=running.pk).update(locked_until=None)
    claim_of("session", running.pk)
    runtime.runners.clear()
    assert tasks.run_pass(late) == "lost"
    running.refresh_from_db()
    assert running.phase == Phase.RUNNING


@pytest.mark.parametrize("scope", ["platform", "project"])
def test_a_limit_makes_the_next_one_wait_and_a_free_place_wakes_it(runtime, make_session, claim_of, scope):
    if scope == "platform":
        Limit.objects.filter(project=None).update(max_running=1)
    else:
        Limit.objects.create(project_id="team-a", max_running=1)
    first, second = make_session(), make_session()
    tasks.run_pass(claim_of("session", first.pk))
    tasks.run_pass(claim_of("session", second.pk))
    second.refresh_from_db()
    assert (second.phase, second.placed_at) == (Phase.PENDING, None)
    assert second.reason_text.startswith("All 1 places of ")
    assert resync.wake_waiting() == []

    first.refresh_from_db()
    waits_until = WorkItem.objects.get(key=second.pk).due_at
    session_stop(session=first)
    tasks.run_pass(claim_of("session", first.pk))
    assert WorkItem.objects.get(key=second.pk).due_at < waits_until
    assert resync.wake_waiting() == [second.pk]
    tasks.run_pass(claim_of("session", second.pk))
    second.refresh_from_db()
    assert second.phase == Phase.RUNNING


def test_a_deleted_project_takes_its_sessions_along(runtime, make_session, claim_of, monkeypatch):
    monkeypatch.setattr("reconciler.projects.BATCH", 2)
    other = Project.objects.create(id="team-b")
    kept = make_session(other)
    gone = [make_session() for _ in range(3)]
    for session in [kept, *gone]:
        tasks.run_pass(claim_of("session", session.pk))
    Project.objects.filter(pk="team-a").update(deleted_at="2026-01-01T00:00:00Z")
    assert resync.wake_projects() == ["team-a"]
    rounds = 0
    while reconcile_project(claim_of("project", "team-a")).requeue_after is not None:
        WorkItem.objects.filter(kind="project", key="team-a").update(locked_until=None)
        rounds += 1
    assert rounds == 2
    for session in gone:
        tasks.run_pass(claim_of("session", session.pk))
        session.refresh_from_db()
        assert (session.phase, session.desired_state) == (Phase.STOPPED, "deleted")
    assert list(runtime.runners) == [kept.pk]


def test_the_pass_of_a_row_that_is_gone_removes_what_is_left(runtime, running, claim_of):
    pk = running.pk
    Session.objects.filter(pk=pk).delete()
    assert tasks.run_pass(claim_of("session", pk)) == "done"
    assert runtime.calls[-1] == ("delete", pk, EVERY_ATTEMPT)


def test_resync_wakes_only_what_needs_a_pass(runtime, running, make_session, claim_of):
    lost = make_session()
    tasks.run_pass(claim_of("session", lost.pk))
    runtime.runners.pop(lost.pk)
    runtime.runners["nobody"] = Observed(exists=True, attempt=1)
    WorkItem.objects.all().delete()
    outcome = resync.reconcile_all(None)
    assert outcome.requeue_after
    assert set(WorkItem.objects.values_list("key", flat=True)) == {lost.pk, "nobody"}


def test_resync_finds_a_runner_of_a_finished_session(runtime, running, claim_of):
    session_delete(session=running)
    tasks.run_pass(claim_of("session", running.pk))
    runtime.runners[running.pk] = Observed(exists=True, attempt=1)
    assert resync.wake_strays(runtime) == [running.pk]


def test_a_stop_before_the_first_pass_starts_nothing(runtime, make_session, claim_of):
    session = make_session()
    session_stop(session=session)
    tasks.run_pass(claim_of("session", session.pk))
    session.refresh_from_db()
    assert session.phase == Phase.STOPPED
    assert not any(call[0] == "apply" for call in runtime.calls)


def test_a_pass_never_writes_outside_the_table(running):
    with pytest.raises(Conflict):
        session_record_status(session=running, phase=Phase.STOPPED)


@pytest.mark.parametrize("name", ["mainframe"])
def test_a_runtime_that_is_not_there_says_so(name):
    with pytest.raises(PermanentError, match=name):
        runtime_for(name)


def test_a_migrated_database_knows_itself(db):
    from reconciler.apps import seed_after_migrate

    seed_after_migrate(sender=None)
    seed_after_migrate(sender=None)
    assert Installation.objects.count() == 1
    assert Limit.objects.filter(project=None).count() == 1
