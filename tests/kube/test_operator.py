"""The runtime operator on a real API server, with a scripted operator and real runners on the other side."""

import secrets
from contextlib import ExitStack
from dataclasses import replace

import pytest

from ambient import env
from projects_app.models import ProjectSettings
from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes.client import Cluster
from reconciler.launch import launch_document
from reconciler.models import Limit
from reconciler.operator import binding
from reconciler.runtimes.base import EVERY_ATTEMPT, SessionRef
from reconciler.runtimes.operator import OperatorRuntime
from reconciler.selectors import ref_of
from sessions_app.choices import Reason
from sessions_app.models import Session
from sessions_app.streams.runner import OtherInstance, Target, Unreachable
from tests.e2e.harness import Stage
from tests.e2e.system import GENEROUS, eventually
from tests.kube.driver import kubeconfig
from tests.kube.operator import IMAGE, PLAIN_RUNNER, ROOT, Operator, install
from tests.kube.runtime.lab import make_session
from tests.kube.runtime.permissions import granted

pytestmark = [pytest.mark.kube, pytest.mark.timeout(600)]

OWN = "ambient-operated"
START_SECONDS = 60 * GENEROUS
GONE_SECONDS = 60 * GENEROUS
AWAY_SECONDS = 90 * GENEROUS


@pytest.fixture(scope="module")
def installed(cluster):
    install(cluster)
    return cluster


@pytest.fixture(scope="module")
def identities(installed):
    """A kubeconfig for each of our processes."""
    return {
        process: str(
            installed.least_privilege(granted(process, OWN, "rbac-operator.yaml"), f"{OWN}/{process}")
        )
        for process in ("worker", "watcher", "control-plane")
    }


@pytest.fixture(scope="module")
def prefix():
    return f"o{secrets.token_hex(3)}-"


@pytest.fixture(scope="module")
def operator(installed, node, prefix):
    node.images[IMAGE] = PLAIN_RUNNER
    operator = Operator(installed, prefix, node.selector)
    operator.start()
    yield operator
    operator.stop()


# What is written, by one runtime alone: nobody looks after it.


@pytest.fixture
def runtime(db, identities, monkeypatch):
    monkeypatch.setattr(env, "RUNTIME", "operator")
    monkeypatch.setattr(env, "NAMESPACE_PREFIX", f"n{secrets.token_hex(3)}-")
    monkeypatch.setattr(env, "NAMESPACE", OWN)
    Limit.objects.update_or_create(project=None, defaults={"max_running": 50})
    return OperatorRuntime(Cluster(identities["worker"]))


@pytest.fixture
def session(runtime):
    return make_session(runner_type="claude", environment_variables='{"COLOUR": "blue"}', timeout=60)


def apply(runtime, session, attempt=1):
    """As a pass does it: the attempt is written down first."""
    Session.objects.filter(pk=session.pk).update(attempt=attempt, observed_generation=1, phase="Creating")
    session.refresh_from_db()
    runtime.apply(ref_of(session), launch_document(session, generation=1, attempt=attempt), attempt)
    return replace(ref_of(session), attempt=attempt)


def path_of(session, plural="agenticsessions", name=None):
    namespace = f"{env.NAMESPACE_PREFIX}{session.project_id}"
    return f"{ROOT}/namespaces/{namespace}/{plural}/{name or session.pk.lower()}"


def ours(found):
    """Its annotations of ours, without the domain."""
    notes = found["metadata"].get("annotations", {})
    return {name.removeprefix("ambient-code.io/"): text for name, text in notes.items()}


def report(api, session, **status):
    """As the operator."""
    api.merge(f"{path_of(session)}/status", {"status": status})


def test_a_session_is_a_resource_that_the_schema_takes_whole(runtime, api, session):
    session.mcp_servers = '{"docs": {"command": "docs", "args": ["-v"]}}'
    session.repos = '[{"url": "https://git.example/a.git"}]'
    session.workflow_id = '{"git_url": "https://git.example/w.git", "branch": "b", "path": "p"}'
    session.save()
    ref = apply(runtime, session)
    found = api.get(path_of(session))
    assert found["spec"] == {
        "displayName": "s",
        "repos": [{"url": "https://git.example/a.git", "branch": "main", "autoPush": False}],
        "userContext": {"userId": "ann"},
        "llmSettings": {"model": session.llm_model, "temperature": 0.7, "maxTokens": 4000},
        "timeout": 60,
        "inactivityTimeout": 0,
        "stopOnRunFinished": False,
        "environmentVariables": {"COLOUR": "blue", "RUNNER_TYPE": "claude-agent-sdk"},
        "mcpServers": {"custom": {"docs": {"command": "docs", "args": ["-v"]}}},
        "activeWorkflow": {"gitUrl": "https://git.example/w.git", "branch": "b", "path": "p"},
    }
    assert "status" not in found
    assert ours(found) | {"start-requested-at": ""} == {
        "created-by": "ann",
        "desired-phase": "Running",
        "start-requested-at": "",
        "start-time-before": "",
    }
    managers = {entry["manager"]: entry["operation"] for entry in found["metadata"]["managedFields"]}
    assert managers == {"ambient-control-plane": "Apply", "ambient-control-plane-wish": "Apply"}
    namespace = api.get(f"/api/v1/namespaces/{found['metadata']['namespace']}")["metadata"]
    assert namespace["labels"]["ambient-code.io/managed"] == "true"
    assert not any("pod-security" in name for name in namespace["labels"])
    seen = runtime.observe(ref)
    assert (seen.exists, seen.attempt, seen.generation, seen.reason) == (True, 1, 1, Reason.STARTING)
    assert runtime.observe_many([ref])[ref.id] == seen


@pytest.mark.parametrize("spec", [{"repos": [{}]}, {"inactivityTimeout": -1}, {"timeout": "long"}])
def test_what_the_schema_does_not_take_ends_the_session(runtime, session, monkeypatch, spec):
    made = "reconciler.operator.resources.agentic_session"
    from reconciler.operator.resources import agentic_session

    monkeypatch.setattr(made, lambda wanted: agentic_session(wanted) | {"spec": spec})
    with pytest.raises(PermanentError, match="spec") as refused:
        apply(runtime, session)
    assert refused.value.reason == Reason.CONFIG_INVALID


def test_applied_twice_nothing_is_asked_again(runtime, api, session):
    apply(runtime, session)
    api.merge(path_of(session), {"metadata": {"annotations": {"ambient-code.io/desired-phase": None}}})
    report(api, session, phase="Creating", startTime="2026-01-01T00:00:00Z")
    before = api.get(path_of(session))
    apply(runtime, session)
    assert api.get(path_of(session)) == before


def test_an_operator_that_is_faster_than_the_wish_has_begun_with_this_start(
    runtime, api, session, monkeypatch
):
    start = runtime._start

    def overtaken(path, *arguments):
        report(api, session, phase="Pending", startTime="2026-01-01T00:00:00Z")
        start(path, *arguments)

    monkeypatch.setattr(runtime, "_start", overtaken)
    ref = apply(runtime, session)
    assert ours(api.get(path_of(session)))["start-time-before"] == ""
    report(api, session, phase="Completed")
    seen = runtime.observe(ref)
    assert (seen.attempt, seen.exit.code) == (1, 0)


def test_a_wish_that_the_operator_takes_off_with_the_stop_before_is_made_again(runtime, api, session):
    ref = apply(runtime, session)
    report(api, session, phase="Running", startTime="2026-01-01T00:00:00Z")
    runtime.delete(ref, 1)
    report(api, session, phase="Stopped", stoppedReason="user")
    second = apply(runtime, session, 2)  # between the two writes with which it ends a stop
    clear = {f"ambient-code.io/{name}": None for name in ("desired-phase", "stop-requested-at")}
    api.merge(path_of(session), {"metadata": {"annotations": clear}})
    seen = runtime.observe(second)
    assert (seen.exists, seen.attempt, seen.left) == (False, 2, True)
    runtime.delete(second, 2)
    third = apply(runtime, session, 3)
    assert ours(api.get(path_of(session)))["desired-phase"] == "Running"
    seen = runtime.observe(third)
    assert (seen.exists, seen.attempt, seen.exit) == (True, 3, None)


def test_what_others_own_stays_through_a_stop_and_a_start(runtime, api, session):
    ref = apply(runtime, session)
    theirs = {"metadata": {"annotations": {"example.com/note": "n", "ambient-code.io/desired-phase": None}}}
    api.merge(path_of(session), theirs | {"spec": {"llmSettings": {"model": "theirs"}}})
    report(api, session, phase="Running", startTime="2026-01-01T00:00:00Z", lastActivityTime=None)
    runtime.delete(ref, 1)
    found = api.get(path_of(session))
    assert (ours(found)["desired-phase"], "stop-requested-at" in ours(found)) == ("Stopped", True)
    assert found["spec"]["llmSettings"]["model"] == "theirs"  # a stop says nothing of the spec
    clear = {f"ambient-code.io/{name}": None for name in ("desired-phase", "stop-requested-at")}
    api.merge(path_of(session), {"metadata": {"annotations": clear}})
    report(api, session, phase="Stopped", stoppedReason="user")
    assert not runtime.observe(ref).left
    runtime.delete(ref, 1)
    assert "desired-phase" not in ours(api.get(path_of(session)))
    apply(runtime, session, 2)
    found = api.get(path_of(session))
    assert found["spec"]["llmSettings"]["model"] == session.llm_model
    assert found["status"] == {
        "phase": "Stopped",
        "startTime": "2026-01-01T00:00:00Z",
        "stoppedReason": "user",
    }
    notes = ours(found)
    assert (notes["example.com/note"], notes["desired-phase"]) == ("n", "Running")
    assert notes["start-time-before"] == "2026-01-01T00:00:00Z"
    assert "stop-requested-at" not in notes
    seen = runtime.observe(replace(ref, attempt=2))
    assert (seen.exists, seen.attempt, seen.exit) == (True, 2, None)


def test_a_start_waits_for_what_still_runs(runtime, api, session):
    ref = apply(runtime, session)
    report(api, session, phase="Running", startTime="2026-01-01T00:00:00Z")
    runtime.delete(ref, 1)
    with pytest.raises(TemporaryError, match="still being stopped"):
        apply(runtime, session, 2)


def test_a_late_apply_is_refused_and_a_late_delete_does_nothing(runtime, api, session):
    apply(runtime, session, 2)
    before = api.get(path_of(session))
    with pytest.raises(TemporaryError, match="overtaken"):
        runtime.apply(ref_of(session), launch_document(session, generation=1, attempt=1), 1)
    runtime.delete(ref_of(session), 1)
    assert api.get(path_of(session)) == before


def test_a_framework_that_the_operator_lacks_is_said(runtime, session):
    session.runner_type = "demo"
    session.save()
    with pytest.raises(PermanentError, match="no runner for the framework demo; it has claude"):
        apply(runtime, session)


def test_a_foreign_resource_of_the_same_name_is_left_alone(runtime, api, session):
    apply(runtime, make_session(runner_type="claude"))  # the namespace is there
    api.post(path_of(session).rpartition("/")[0], KIND | {"metadata": {"name": session.pk.lower()}})
    with pytest.raises(PermanentError, match="is not this session's") as refused:
        apply(runtime, session)
    assert refused.value.reason == Reason.OBJECT_NOT_OURS
    assert "labels" not in api.get(path_of(session))["metadata"]
    assert not runtime.observe(ref_of(session)).left
    runtime.delete(replace(ref_of(session), purge=True), EVERY_ATTEMPT)
    assert api.exists(path_of(session))


KIND = {"apiVersion": "vteam.ambient-code/v1alpha1", "kind": "AgenticSession"}


@pytest.mark.parametrize("project", ["lab", pytest.param("", id="whose-project-nobody-knows")])
def test_a_deleted_session_is_gone_and_no_other(runtime, api, session, project):
    other = make_session(runner_type="claude")
    ref, kept = apply(runtime, session), apply(runtime, other)
    runtime.delete(SessionRef(ref.id, project, purge=True), EVERY_ATTEMPT)
    assert not api.exists(path_of(session))
    assert not runtime.observe(ref).left
    assert runtime.observe(kept).exists
    assert [found.session_id for found in runtime.existing() if found.session_id == other.pk] == [other.pk]


def test_project_settings_are_written_beside_what_others_set(runtime, api, session):
    settings = ProjectSettings.objects.create(
        project_id="lab",
        group_access='[{"groupName": "devs", "role": "edit"}, {"groupName": 1}]',
        repositories='[{"url": "https://git.example/a.git", "provider": "gitlab"}]',
        inactivity_timeout=0,
    )
    apply(runtime, session)
    path = path_of(session, "projectsettings", "projectsettings")
    assert api.get(path)["spec"] == {
        "groupAccess": [{"groupName": "devs", "role": "edit"}],
        "repositories": [{"url": "https://git.example/a.git", "provider": "gitlab"}],
        "inactivityTimeoutSeconds": 0,
    }
    api.merge(path, {"spec": {"runnerSecretsName": "theirs"}})
    api.merge(f"{path}/status", {"status": {"groupBindingsCreated": 1}})
    ProjectSettings.objects.filter(pk=settings.pk).update(group_access=None, repositories=None)
    apply(runtime, make_session(runner_type="claude"))
    found = api.get(path)
    assert found["spec"]["groupAccess"] == [{"groupName": "devs", "role": "edit"}]
    assert found["spec"]["runnerSecretsName"] == "theirs"
    assert "repositories" not in found["spec"]
    assert found["status"] == {"groupBindingsCreated": 1}


def test_without_the_operators_kinds_it_is_said(own_cluster, runtime, session):
    bare = OperatorRuntime(Cluster(str(own_cluster.kubeconfig)))
    with pytest.raises(TemporaryError, match="kinds are not installed") as refused:
        apply(bare, session)
    assert refused.value.reason == Reason.CONFIG_INVALID


# The whole platform, with an operator on the other side.


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
