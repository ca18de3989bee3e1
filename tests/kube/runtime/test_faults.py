"""A cluster that is away while sessions run, and a project that ends with a hundred of them."""

import pytest

from projects_app.models import Project
from reconciler.errors import TemporaryError
from reconciler.kubernetes.names import object_name
from reconciler.models import WorkItem
from reconciler.projects import reconcile_project
from reconciler.workqueue import ask, claim_next
from sessions_app.models import Session
from tests.e2e.system import GENEROUS, eventually
from tests.kube.cluster import API_SERVER
from tests.kube.runtime.lab import make_session

pytestmark = [pytest.mark.kube, pytest.mark.timeout(600)]

START_SECONDS = 60 * GENEROUS
GONE_SECONDS = 60 * GENEROUS
DEADLINE_SECONDS = 30
MANY = 100


@pytest.fixture
def stage(own_cluster, own_node, make_stage):
    return make_stage(own_cluster, own_node, AMBIENT_RESYNC_SECONDS="2")


def test_without_the_cluster_sessions_go_on_and_their_status_catches_up(stage, own_cluster, project):
    session = stage.client.sessions.create(name="s", project_id=project, prompt="/report").id
    stage.wait_phase(session, "Running", "Failed", seconds=START_SECONDS)
    with own_cluster.without(API_SERVER):
        assert stage.ask_and_wait(session, "/echo still here", START_SECONDS).delivery == "done"
        stage.client.sessions.stop(session)
        seen = stage.wait_session(
            session, lambda row: "ClusterUnreachable" in str(row.conditions), "the fault", START_SECONDS
        )
        assert seen.phase == "Stopping"
        other = stage.client.sessions.create(name="o", project_id=project, prompt="/report").id
        seen = stage.wait_session(
            other, lambda row: "ClusterUnreachable" in str(row.conditions), "the fault", START_SECONDS
        )
        assert (seen.phase, seen.reason) == ("Pending", "ClusterUnreachable")
    stage.wait_phase(session, "Stopped", seconds=GONE_SECONDS)
    stage.wait_phase(other, "Running", seconds=START_SECONDS)
    assert stage.metric(stage.api, "ambient_cluster_silent_seconds") < GONE_SECONDS


def test_an_outage_longer_than_a_start_may_take_restarts_nothing(own_cluster, own_node, make_stage):
    stage = make_stage(own_cluster, own_node, AMBIENT_START_DEADLINE_SECONDS=str(DEADLINE_SECONDS))
    project = stage.client.projects.create(name="late").id

    def is_late():
        sql = "SELECT extract(epoch FROM now() - phase_since) FROM sessions_app_session WHERE id = %s"
        return stage.query(sql, session)[0][0] > DEADLINE_SECONDS

    with own_node.holding_starts():
        session = stage.client.sessions.create(name="s", project_id=project).id
        name = object_name(session, 1)
        eventually(lambda: name in [pod.name for pod in own_node.pods()], "its pod", START_SECONDS)
        with own_cluster.without(API_SERVER):
            stage.wait_session(
                session, lambda row: row.reason == "ClusterUnreachable", "the fault", START_SECONDS
            )
            eventually(is_late, "its time is over", 3 * DEADLINE_SECONDS)
        stage.wait_session(session, lambda row: row.reason != "ClusterUnreachable", "a look", START_SECONDS)
    stage.wait_phase(session, "Running", "Pending", "Failed", seconds=START_SECONDS)
    assert (stage.client.sessions.get(session).phase, stage.attempt(session)) == ("Running", 1)


def test_a_cluster_that_hangs_ends_no_session_and_what_waits_for_it_comes(stage, own_cluster, project):
    session = stage.client.sessions.create(name="s", project_id=project, prompt="/report").id
    stage.wait_phase(session, "Running", "Failed", seconds=START_SECONDS)
    with own_cluster.frozen(API_SERVER):
        other = stage.client.sessions.create(name="o", project_id=project, prompt="/report").id
        seen = stage.wait_session(
            other, lambda row: "ClusterUnreachable" in str(row.conditions), "the fault", START_SECONDS
        )
        assert "does not answer" in str(seen.conditions)
        assert stage.ask_and_wait(session, "/echo still here", START_SECONDS).delivery == "done"
    stage.wait_phase(other, "Running", seconds=START_SECONDS)
    row = stage.client.sessions.get(session)
    assert (row.phase, stage.attempt(session)) == ("Running", 1)


def test_a_project_with_a_hundred_sessions_goes_and_touches_no_other(lab, monkeypatch):
    monkeypatch.setattr("reconciler.projects.runtime_for", lambda: lab.runtime)
    kept = lab.apply(make_session("other"))
    gone = [lab.apply(make_session()) for _ in range(MANY)]
    assert len(lab.names("pods")) == MANY
    Project.objects.filter(pk="lab").update(deleted_at="2026-01-01T00:00:00Z")
    WorkItem.objects.all().delete()
    ask("project", "lab", "lab", urgent=True)
    claim = claim_next()

    def is_done():
        try:
            return reconcile_project(claim).requeue_after is None
        except TemporaryError:
            return False

    eventually(is_done, "the namespace is gone", GONE_SECONDS)
    assert not Session.objects.filter(project_id="lab").exclude(desired_state="deleted").exists()
    found = lab.runtime.observe_many([kept, *gone])
    assert [ref.id for ref in (kept, *gone) if found[ref.id].left] == [kept.id]
