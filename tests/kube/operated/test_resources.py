"""The runtime operator on a real API server: what it writes, and reads, by itself. Nobody looks after it."""

import secrets
from dataclasses import replace

import pytest

from ambient import env
from projects_app.models import ProjectSettings
from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes.client import Cluster
from reconciler.launch import launch_document
from reconciler.models import Limit
from reconciler.runtimes.base import EVERY_ATTEMPT, SessionRef
from reconciler.runtimes.operator import OperatorRuntime
from reconciler.selectors import ref_of
from sessions_app.choices import Reason
from sessions_app.models import Session
from tests.kube.operator import OWN, ROOT
from tests.kube.runtime.lab import make_session

pytestmark = [pytest.mark.kube, pytest.mark.timeout(600)]


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
