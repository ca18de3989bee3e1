"""Every status of the operator, and what it is known to do wrong, in the words of all runtimes."""

import datetime

import pytest

from reconciler.operator.mirror import must_be_stopped, must_lose_its_pod, observed
from reconciler.runtimes.base import SessionRef
from reconciler.state import Exit, Noted
from sessions_app.choices import Reason
from tests.unit.kubernetes.objects import ended, running, waiting
from tests.unit.operator.objects import BEFORE, ID, NAME, POD_UID, UID, condition, pod, resource

R = Reason
NOW = datetime.datetime(2026, 1, 1, 1, tzinfo=datetime.UTC)
REF = SessionRef(ID, "lab", generation=2, attempt=3)
KNOWN = SessionRef(ID, "lab", generation=2, attempt=3, instance=POD_UID)
LEAVING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
AT_REST = (False, 0, None)
LEFT = (False, 3, None)
ON = (True, 3, None)
READY = pod(running(ready=True))


def over(code=None, reason=None):
    return (True, 3, Exit(code, reason=reason))


@pytest.mark.parametrize(
    ("ref", "found", "its_pod", "shape", "reason", "message"),
    [
        # An attempt that was asked for.
        pytest.param(
            REF,
            resource(),
            None,
            ON,
            R.STARTING,
            "The operator has not taken up the start yet.",
            id="away-at-first",
        ),
        pytest.param(
            REF,
            resource("Failed", condition("Ready", "False", "RunnerExit"), startTime=BEFORE, asked="Running"),
            None,
            ON,
            R.STARTING,
            "The operator has not taken up the start yet.",
            id="an-old-failure-is-not-this-attempt's",
        ),
        pytest.param(
            REF,
            resource("Stopped", startTime=BEFORE),
            None,
            LEFT,
            R.WAITING,
            "The operator has dropped the start.",
            id="the-wish-went-with-that-of-the-stop-before",
        ),
        pytest.param(
            REF, resource("Pending"), None, ON, R.STARTING, "The operator makes the pod.", id="pending"
        ),
        pytest.param(
            REF,
            resource("Pending", condition("SecretsReady", "False", "RunnerSecretMissing", "no secret s")),
            None,
            ON,
            R.CREDENTIAL_REJECTED,
            "The operator is held up (RunnerSecretMissing): no secret s.",
            id="pending-for-ever-without-a-secret",
        ),
        pytest.param(
            REF, resource("Creating"), pod(), ON, R.STARTING, "The pod is being started.", id="creating"
        ),
        pytest.param(
            REF,
            resource("Creating"),
            pod(waiting("ErrImagePull", "not found")),
            ON,
            R.IMAGE_PULL_FAILED,
            "The image cannot be fetched: not found.",
            id="creating-without-an-image",
        ),
        pytest.param(
            REF,
            resource("Creating"),
            pod(conditions=[condition("PodScheduled", "False", "Unschedulable", "no cpu")]),
            ON,
            R.UNSCHEDULABLE,
            "No node can take the pod: no cpu.",
            id="creating-without-limit-where-no-node-takes-it",
        ),
        pytest.param(
            REF,
            resource("Running"),
            pod(running(ready=False, started=False)),
            ON,
            R.STARTING,
            "The runner does not answer yet.",
            id="running-is-said-before-it-answers",
        ),
        pytest.param(REF, resource("Running"), READY, ON, None, "", id="running"),
        pytest.param(
            REF, resource("Creating"), READY, ON, None, "", id="answers-before-the-operator-says-so"
        ),
        pytest.param(KNOWN, resource("Running"), READY, ON, None, "", id="still-the-same-pod"),
        # How it ends.
        pytest.param(REF, resource("Completed"), None, over(0), None, "", id="completed"),
        pytest.param(
            REF,
            resource("Failed", condition("Ready", "False", "RunnerExit", "exit code 1")),
            None,
            over(reason=R.RUNNER_EXITED),
            None,
            "exit code 1.",
            id="failed",
        ),
        pytest.param(
            REF,
            resource(
                "Failed",
                condition("Ready", "False", "Stopping", "it failed"),
                condition("RunnerStarted", "False", "ImagePullBackOff", "no image x"),
            ),
            None,
            over(reason=R.IMAGE_PULL_FAILED),
            None,
            "no image x.",
            id="failed-and-the-known-word-counts",
        ),
        pytest.param(
            REF,
            resource(
                "Failed",
                condition("RunnerStarted", "False", "ImagePullBackOff", "old")
                | {"lastTransitionTime": "2025-12-31T23:00:00Z"},
                condition("Ready", "False", "RunnerExit", "new")
                | {"lastTransitionTime": "2026-01-01T00:00:09Z"},
            ),
            None,
            over(reason=R.RUNNER_EXITED),
            None,
            "new.",
            id="failed-and-an-older-condition-is-still-there",
        ),
        pytest.param(
            REF,
            resource("Pending", condition("Ready", "False", "RunnerExit", "old")),
            None,
            ON,
            R.STARTING,
            "The operator makes the pod.",
            id="pending-with-a-condition-of-an-earlier-start",
        ),
        pytest.param(
            REF,
            resource("Failed", condition("Ready", "False", "PrerequisiteFailed", "bad config")),
            None,
            over(2),
            None,
            "bad config.",
            id="failed-for-good",
        ),
        pytest.param(
            REF,
            resource("Failed"),
            None,
            over(reason=R.RUNNER_EXITED),
            None,
            "The operator does not say why.",
            id="failed-without-a-word",
        ),
        pytest.param(
            REF,
            resource(
                "Failed", condition("SecretsReady", "False", "VertexSecretMissing", "no v"), asked="Running"
            ),
            None,
            over(reason=R.CREDENTIAL_REJECTED),
            None,
            "no v.",
            id="failed-and-never-cleared",
        ),
        pytest.param(
            KNOWN,
            resource("Stopped", stoppedReason="inactivity"),
            None,
            over(reason=R.INACTIVITY),
            None,
            "The operator stopped the session: it had nothing to do for too long.",
            id="stopped-by-the-operator",
        ),
        pytest.param(
            KNOWN,
            resource("Stopping"),
            READY,
            over(reason=R.STOPPED_BY_USER),
            None,
            "It was stopped on the cluster.",
            id="stopped-by-a-person-elsewhere",
        ),
        # What the operator does not look at while it runs.
        pytest.param(
            KNOWN,
            resource("Running"),
            pod(ended(137, "OOMKilled")),
            over(137, R.OUT_OF_MEMORY),
            None,
            "The runner needed more memory than its limit of 8Gi.",
            id="dead-of-memory-and-running",
        ),
        pytest.param(
            KNOWN, resource("Running"), pod(ended(0)), over(0), None, "", id="ended-well-and-running"
        ),
        pytest.param(
            KNOWN,
            resource("Running"),
            pod(reason="Evicted", phase="Failed", message="low on memory"),
            over(reason=R.EVICTED),
            None,
            "low on memory.",
            id="evicted-and-running",
        ),
        pytest.param(
            REF,
            resource("Creating"),
            pod(ended(1)),
            ON,
            R.STARTING,
            "The runner has ended.",
            id="ended-early",
        ),
        pytest.param(
            KNOWN, resource("Running"), None, over(reason=R.POD_LOST), None, "The pod is gone.", id="pod-gone"
        ),
        pytest.param(
            KNOWN,
            resource("Creating"),
            pod(running(ready=True), uid="another"),
            over(reason=R.POD_LOST),
            None,
            "The pod was lost, and the operator has made another.",
            id="pod-made-again-without-limit",
        ),
        pytest.param(
            REF,
            resource("Creating"),
            pod(running(ready=True), owner="somebody"),
            ON,
            R.STARTING,
            "The operator makes the pod.",
            id="a-pod-of-an-older-resource",
        ),
        # Without an attempt: stopped, or about to be.
        pytest.param(
            REF,
            resource("Stopped", attempt=None),
            None,
            AT_REST,
            R.POD_LOST,
            "The pod is gone.",
            id="at-rest",
        ),
        pytest.param(
            REF,
            resource("Failed", attempt=None, asked="Stopped"),
            None,
            AT_REST,
            R.POD_LOST,
            "The pod is gone.",
            id="at-rest-and-never-cleared",
        ),
        pytest.param(
            REF, resource("Stopping", attempt=None), None, LEFT, R.POD_LOST, "The pod is gone.", id="stopping"
        ),
        pytest.param(
            REF,
            resource("Stopped", attempt=None),
            READY,
            LEFT,
            R.POD_LOST,
            "The pod is gone.",
            id="pod-forgotten",
        ),
        pytest.param(
            REF,
            resource("Failed", attempt=None, asked="Running"),
            None,
            LEFT,
            R.POD_LOST,
            "The pod is gone.",
            id="would-be-tried-again",
        ),
        pytest.param(
            REF,
            resource("Running", meta=LEAVING),
            None,
            LEFT,
            R.POD_LOST,
            "The pod is gone.",
            id="being-deleted",
        ),
        pytest.param(REF, None, None, AT_REST, R.POD_LOST, "The AgenticSession is gone.", id="nothing-there"),
        pytest.param(
            REF, None, READY, LEFT, R.POD_LOST, "The AgenticSession is gone.", id="only-the-pod-is-left"
        ),
    ],
)
def test_what_is_seen(ref, found, its_pod, shape, reason, message):
    seen = observed(ref, found, its_pod, NOW)
    assert (seen.exists, seen.attempt, seen.exit) == shape
    assert (seen.reason, seen.message) == (reason, message)
    assert seen.ready == (reason is None and shape == ON)


def stopped_at(text, phase="Running", **more):
    found = resource(phase, attempt=None, asked="Stopped", **more)
    found["metadata"]["annotations"]["ambient-code.io/stop-requested-at"] = text
    return found


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        pytest.param("2026-01-01T00:59:31Z", True, id="just-now"),
        pytest.param("2026-01-01T00:59:29Z", False, id="long-ago"),
        pytest.param("2026-01-01T00:00:00", True, id="without-a-zone"),
        pytest.param("soon", True, id="no-time"),
    ],
)
def test_a_stop_without_a_pod_is_done_when_the_operator_is_away(asked, left):
    assert observed(REF, stopped_at(asked), None, NOW).left is left


def test_the_runner_is_its_pod():
    seen = observed(REF, resource("Running"), READY, NOW)
    assert (seen.generation, seen.instance, seen.endpoint) == (2, POD_UID, "http://10.0.0.7:8001")
    assert (seen.node, seen.objects) == ("n1", (f"AgenticSession/{NAME}", f"Pod/{NAME}-runner"))


def test_results_are_told_as_they_are():
    found = resource(
        "Running",
        sdkSessionId="s\0x",
        sdkRestartCount=0,
        reconciledRepos=[{"url": "u", "status": "Ready"}],
        reconciledWorkflow={"gitUrl": "w"},
    )
    assert observed(REF, found, READY, NOW).results == (
        ("kube_cr_uid", UID),
        ("sdk_session_id", "sx"),
        ("sdk_restart_count", 0),
        ("reconciled_repos", '[{"status": "Ready", "url": "u"}]'),
        ("reconciled_workflow", '{"gitUrl": "w"}'),
    )


@pytest.mark.parametrize(
    ("conditions", "noted"),
    [
        pytest.param([], (), id="none"),
        pytest.param(
            [condition("SecretsReady", "True", "AllRequiredSecretsFound")],
            (Noted("CredentialsResolved", "True", R.READY, "AllRequiredSecretsFound."),),
            id="secrets",
        ),
        pytest.param(
            [condition("SecretsReady", "False", "RunnerSecretMissing", "no s")],
            (Noted("CredentialsResolved", "False", R.CREDENTIAL_REJECTED, "no s."),),
            id="no-secrets",
        ),
        pytest.param(
            [
                condition("ReposReconciled", "True", "Reconciled", "two"),
                condition("WorkflowReconciled", "False", "WorkflowReconciliationFailed", "no w"),
            ],
            (Noted("WorkspaceReady", "False", R.REPOSITORY_REFUSED, "no w."),),
            id="half-a-workspace",
        ),
        pytest.param(
            [
                condition("ReposReconciled", "True", "NoRepos"),
                condition("WorkflowReconciled", "True", "NotConfigured"),
                condition("Ready", "True", "Running"),
                condition("SecretsReady", "Unknown"),
            ],
            (),
            id="nothing-to-do-and-nothing-known",
        ),
    ],
)
def test_conditions_that_have_a_place_here(conditions, noted):
    assert observed(REF, resource("Running", *conditions), READY, NOW).conditions == noted
    old = resource("Running", *conditions, startTime=BEFORE)
    assert observed(REF, old, READY, NOW).conditions == ()


@pytest.mark.parametrize(
    ("found", "asked"),
    [
        pytest.param(resource("Running"), True, id="runs"),
        pytest.param(resource("Failed"), True, id="ended-and-still-named"),
        pytest.param(resource("Failed", attempt=None, asked="Running"), True, id="would-be-tried-again"),
        pytest.param(resource("Running", attempt=None), True, id="started-by-somebody-else"),
        pytest.param(resource("Running", attempt=None, asked="Stopped"), False, id="asked-already"),
        pytest.param(resource("Stopped", attempt=None), False, id="at-rest"),
    ],
)
def test_when_a_stop_is_asked_for(found, asked):
    assert must_be_stopped(found) is asked


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        pytest.param(None, True, id="its-resource-is-gone"),
        pytest.param(stopped_at("2026-01-01T00:59:59Z", "Creating"), True, id="creating-waits-for-ever"),
        pytest.param(stopped_at("2026-01-01T00:59:59Z", "Stopped"), True, id="forgotten"),
        pytest.param(stopped_at("2026-01-01T00:59:59Z"), False, id="the-operator-has-a-while"),
        pytest.param(stopped_at("2026-01-01T00:00:00Z"), True, id="the-operator-is-away"),
    ],
)
def test_when_we_remove_a_pod(found, ours):
    assert must_lose_its_pod(found, NOW) is ours
