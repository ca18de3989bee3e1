"""The whole platform beside a scripted operator and its real runners."""

import secrets
from contextlib import ExitStack
from dataclasses import replace

import pytest

from reconciler.kubernetes.client import Cluster
from reconciler.operator import binding
from sessions_app.streams.runner import OtherInstance, Target, Unreachable
from tests.e2e.harness import Stage
from tests.e2e.system import GENEROUS, eventually
from tests.kube.driver import kubeconfig
from tests.kube.operator import OWN, ROOT

pytestmark = [pytest.mark.kube, pytest.mark.lengthy, pytest.mark.timeout(600)]

START_SECONDS = 60 * GENEROUS
GONE_SECONDS = 60 * GENEROUS
AWAY_SECONDS = 90 * GENEROUS


@pytest.fixture(scope="module")
def make_stage(tmp_path_factory, installed, operator, prefix):
    with ExitStack() as stages:

        def make(**settings):
            stage = Stage(
                tmp_path_factory.mktemp("platform"),
                AMBIENT_RUNTIME="operator",
                AMBIENT_KUBECONFIG=str(kubeconfig(installed, OWN, "rbac-operator.yaml")),
                AMBIENT_NAMESPACE=OWN,
                AMBIENT_NAMESPACE_PREFIX=prefix,
                **settings,
            )
            stages.callback(stage.stop)
            stage.start()
            return stage

        yield make


@pytest.fixture(scope="module")
def stage(make_stage):
    return make_stage()


@pytest.fixture
def project(stage):
    return stage.client.projects.create(name=f"p{secrets.token_hex(4)}").id


@pytest.fixture
def make(stage, operator, project):
    """A new session; the operator behaves again afterwards."""

    def make(**spec):
        wanted = {"name": "s", "project_id": project, "runner_type": "claude", **spec}
        return stage.client.sessions.create(**wanted).id

    yield make
    operator.behave()


@pytest.fixture
def running(stage, make):
    session = make()
    stage.wait_phase(session, "Running", "Failed", seconds=START_SECONDS)
    return session


@pytest.fixture
def seen(api, prefix, project):
    """What the cluster has of a session: its resource and its pod."""

    class Seen:
        def path(self, session):
            return f"{ROOT}/namespaces/{prefix}{project}/agenticsessions/{session.lower()}"

        def resource(self, session):
            return api.get(self.path(session))

        def pod_path(self, session):
            return f"/api/v1/namespaces/{prefix}{project}/pods/{session.lower()}-runner"

        def has_pod(self, session):
            return api.exists(self.pod_path(session))

    return Seen()


def test_a_session_runs_hears_stops_and_starts_again(stage, seen, make):
    session = make(prompt="Look around.", repos='[{"url": "https://git.example/a.git"}]')
    row = stage.wait_phase(session, "Running", seconds=START_SECONDS)
    found = seen.resource(session)
    assert (row.kube_cr_uid, row.kube_cr_name) == (found["metadata"]["uid"], session)
    assert stage.ask_and_wait(session, "hello", START_SECONDS).delivery == "done"
    said = [str(message.payload) for message in stage.client.sessions.messages(session)]
    assert any("plain runner heard: Look around." in text for text in said)
    assert any("plain runner heard: hello" in text for text in said)
    mirrored = stage.wait_session(session, lambda row: row.reconciled_repos, "its results", START_SECONDS)
    assert "https://git.example/a.git" in mirrored.reconciled_repos
    assert "CredentialsResolved" in mirrored.conditions
    stage.client.sessions.stop(session)
    stage.wait_phase(session, "Stopped", seconds=GONE_SECONDS)
    assert not seen.has_pod(session)
    assert seen.resource(session)["status"]["phase"] == "Stopped"
    stage.client.sessions.start(session)
    row = stage.wait_attempt(session, 2, START_SECONDS)
    assert row.phase == "Running"
    assert seen.resource(session)["metadata"]["uid"] == found["metadata"]["uid"]
    assert stage.ask_and_wait(session, "again", START_SECONDS).delivery == "done"


def test_what_ends_while_it_runs_is_noticed_although_the_operator_does_not_look(
    stage, node, prefix, project, running
):
    node.kill_for_memory(f"{prefix}{project}", f"{running.lower()}-runner")
    assert stage.wait_attempt(running, 2, START_SECONDS).phase == "Running"


def test_a_dead_runner_is_noticed_by_whoever_talks_to_it_without_a_sweep(make_stage, node, prefix):
    stage = make_stage(AMBIENT_RESYNC_SECONDS="3600")
    project = stage.client.projects.create(name=f"p{secrets.token_hex(4)}").id
    session = stage.client.sessions.create(name="s", project_id=project, runner_type="claude").id
    stage.wait_phase(session, "Running", seconds=START_SECONDS)

    def kill():
        node.kill_for_memory(f"{prefix}{project}", f"{session.lower()}-runner")

    kill()
    assert stage.ask_and_wait(session, "hello", START_SECONDS).delivery == "done"
    assert stage.attempt(session) == 2
    sent = stage.client.sessions.send(session, "wait")
    eventually(lambda: "RUN_STARTED" in stored(stage, session, sent.id), "its run has begun")
    kill()
    assert stage.wait_attempt(session, 3, START_SECONDS).phase == "Running"


def test_a_pod_that_the_operator_makes_again_counts_as_a_restart(stage, api, seen, running):
    api.delete(seen.pod_path(running))
    assert stage.wait_attempt(running, 2, START_SECONDS).phase == "Running"


def test_annotations_that_are_never_cleared_do_no_harm(stage, operator, seen, make):
    operator.never_clears = True
    session = make()
    stage.wait_phase(session, "Running", seconds=START_SECONDS)
    stage.client.sessions.stop(session)
    stage.wait_phase(session, "Stopped", seconds=GONE_SECONDS)
    assert not seen.has_pod(session)
    stage.client.sessions.start(session)
    assert stage.wait_attempt(session, 2, START_SECONDS).phase == "Running"


def test_a_pod_that_the_operator_forgets_is_removed(stage, operator, seen, running):
    operator.forgets_pods = True
    stage.client.sessions.stop(running)
    stage.wait_phase(running, "Stopped", seconds=GONE_SECONDS)
    assert not seen.has_pod(running)


def test_a_failure_is_said_and_not_tried_for_ever(stage, operator, seen, make):
    operator.failing = ("VertexSecretMissing", "There is no secret v")
    session = make()
    row = stage.wait_phase(session, "Failed", seconds=AWAY_SECONDS)
    assert row.reason == "CredentialRejected"
    assert "There is no secret v" in row.reason_text
    assert stage.attempt(session) == 4

    def at_rest():
        found = seen.resource(session)
        asked = found["metadata"]["annotations"].get("ambient-code.io/desired-phase")
        return asked != "Running" and found["status"]["phase"] in ("Failed", "Stopped")

    eventually(at_rest, "nothing is asked for any more", GONE_SECONDS)


def test_a_stop_does_not_wait_for_an_operator_that_is_away(stage, operator, seen, running):
    with operator.away():
        stage.client.sessions.stop(running)
        stage.wait_phase(running, "Stopped", seconds=AWAY_SECONDS)
        assert not seen.has_pod(running)
        stage.client.sessions.start(running)
        waits = stage.wait_session(running, lambda row: "not taken up" in str(row.conditions), "it waits")
        assert waits.phase == "Creating"
    assert stage.wait_attempt(running, 2, START_SECONDS).phase == "Running"


def test_a_stop_while_the_pod_starts_is_carried_out(stage, node, seen, make):
    with node.holding_starts():
        session = make()
        eventually(lambda: seen.has_pod(session), "its pod is made", START_SECONDS)
        stage.client.sessions.stop(session)
        stage.wait_phase(session, "Stopped", seconds=GONE_SECONDS)
        assert not seen.has_pod(session)


def test_who_stops_it_on_the_cluster_has_stopped_it(stage, api, seen, running):
    asked = {"ambient-code.io/desired-phase": "Stopped"}
    api.merge(seen.path(running), {"metadata": {"annotations": asked}})
    row = stage.wait_phase(running, "Stopped", seconds=GONE_SECONDS)
    assert (row.reason, stage.attempt(running)) == ("StoppedByUser", 1)


def test_a_resource_that_somebody_deletes_is_made_again(stage, api, seen, running):
    api.delete(seen.path(running))
    assert stage.wait_attempt(running, 2, START_SECONDS).phase == "Running"


def test_a_deleted_project_leaves_nothing(stage, api, prefix, project, running):
    stage.client.projects.delete(project)
    path = f"/api/v1/namespaces/{prefix}{project}"
    eventually(lambda: not api.exists(path), "the namespace is gone", GONE_SECONDS)


# What its agent is asked beside messages.


@pytest.fixture
def waiting(stage, running):
    """Tell the agent to wait; the message, once it does."""

    def waiting(text="wait"):
        sent = stage.client.sessions.send(running, text)
        stage.wait_delivery(running, sent.id, "running", seconds=START_SECONDS)
        eventually(lambda: "RUN_STARTED" in stored(stage, running, sent.id), "its run has begun")
        return sent

    return waiting


def stored(stage, session, message):
    """The types of the events of a message's run."""
    sql = """SELECT event.type FROM sessions_app_sessionevent event JOIN sessions_app_run run
             ON run.id = event.run WHERE run.session_id = %s AND run.message_id = %s"""
    return [found for (found,) in stage.query(sql, session, message)]


def test_an_interrupt_reaches_the_agent(stage, running, waiting):
    sent = waiting()
    assert stage.request("POST", f"/sessions/{running}/agui/interrupt").status_code == 200
    stage.wait_delivery(running, sent.id, "done", seconds=START_SECONDS)
    assert "TEXT_MESSAGE_CONTENT" in stored(stage, running, sent.id)
    assert stage.ask_and_wait(running, "hello", START_SECONDS).delivery == "done"


def test_an_agent_that_is_deaf_to_it_is_left_alone_and_hears_the_next_message(stage, running, waiting):
    sent = waiting("wait deaf")
    assert stage.request("POST", f"/sessions/{running}/agui/interrupt").status_code == 200
    stage.wait_delivery(running, sent.id, "cancelled", seconds=START_SECONDS)
    assert stage.ask_and_wait(running, "hello", START_SECONDS).delivery == "done"


def test_a_run_is_not_taken_up_again_by_another_control_plane(stage, running, waiting):
    sent = waiting("wait deaf")
    stage.kill("control-plane")
    failed = stage.wait_delivery(running, sent.id, "failed", seconds=START_SECONDS)
    assert failed.reason == "StreamLost"
    assert stage.ask_and_wait(running, "hello", START_SECONDS).delivery == "done"
    assert stage.attempt(running) == 1


def test_its_answers_come_through_and_what_it_does_not_offer_is_said(stage, running):
    def ask(method, path, **options):
        answer = stage.request(method, f"/sessions/{running}/{path}", **options)
        return answer.status_code, answer.json()

    assert ask("GET", "agui/capabilities") == (200, {"framework": "plain"})
    assert ask("GET", "workspace") == (200, {"files": []})
    assert ask("GET", "git/branches") == (200, [])
    assert ask("PUT", "workspace/a.txt", content=b"a")[0] == 404


# Who a runner is: asked as the control plane.


@pytest.fixture
def target(stage, running, identities, monkeypatch):
    monkeypatch.setattr(binding, "cluster", lambda: Cluster(identities["control-plane"]))
    [(endpoint, instance)] = stage.query(
        "SELECT runner_endpoint, runner_instance FROM sessions_app_session WHERE id = %s", running
    )
    return Target(running, endpoint, instance, "s")


def test_a_runner_is_opened_by_the_token_of_its_pod(target):
    assert len(binding.bound_token(target)) == 36


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"instance": "another"}, id="another-pod"),
        pytest.param({"endpoint": "http://127.0.0.9:8001"}, id="another-address"),
        pytest.param({"session": "2another"}, id="another-session"),
    ],
)
def test_nobody_else_hears_its_words(target, change):
    with pytest.raises(OtherInstance):
        binding.bound_token(replace(target, **change))


def test_without_its_token_the_runner_is_not_called(api, target, prefix, project):
    secret = f"/api/v1/namespaces/{prefix}{project}/secrets/ambient-runner-token-{target.session.lower()}"
    api.delete(secret)
    with pytest.raises(Unreachable):
        binding.bound_token(target)


def test_without_a_cluster_the_runner_is_not_called(target, monkeypatch):
    monkeypatch.setattr(binding, "cluster", lambda: Cluster("/nowhere/kubeconfig"))
    with pytest.raises(Unreachable):
        binding.bound_token(target)
