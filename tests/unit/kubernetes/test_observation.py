"""Every state of a pod in the words of all runtimes."""

import datetime

import pytest

from reconciler.kubernetes.observation import is_overdue, observed
from reconciler.state import Exit, Observed
from sessions_app.choices import Reason
from tests.unit.kubernetes.objects import account, condition, ended, pod, running, waiting, warning

LEAVING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
NO_NODE = "0/3 nodes are available: 3 Insufficient cpu."
R = Reason


@pytest.mark.parametrize(
    ("found", "events", "ready", "reason", "message"),
    [
        pytest.param(pod(container=running(ready=True)), [], True, None, "", id="answers"),
        pytest.param(
            pod(container=running(ready=False, started=False)),
            [],
            False,
            R.STARTING,
            "The runner does not answer yet.",
            id="runs-and-does-not-answer-yet",
        ),
        pytest.param(
            pod(container=running(ready=False)),
            [],
            False,
            R.NOT_ANSWERING,
            "The runner does not answer.",
            id="answered-once",
        ),
        pytest.param(
            pod(container=running(ready=True), conditions=[condition("Ready", "False")]),
            [],
            True,
            None,
            "",
            id="a-node-that-is-not-ready-says-nothing-of-the-runner",
        ),
        pytest.param(
            pod(conditions=[condition("PodScheduled", "False", "Unschedulable", NO_NODE)]),
            [],
            False,
            R.UNSCHEDULABLE,
            f"No node can take the pod: {NO_NODE}",
            id="unschedulable-with-its-why",
        ),
        pytest.param(
            pod(container=waiting("ErrImagePull", "not found")),
            [],
            False,
            R.IMAGE_PULL_FAILED,
            "The image cannot be fetched: not found.",
            id="image-that-is-not-there",
        ),
        pytest.param(
            pod(container=waiting("ImagePullBackOff")),
            [],
            False,
            R.IMAGE_PULL_FAILED,
            "The image cannot be fetched: ImagePullBackOff.",
            id="image-pull-backs-off",
        ),
        pytest.param(
            pod(container=waiting("CreateContainerConfigError", 'secret "x" not found')),
            [],
            False,
            R.CONFIG_INVALID,
            'The container cannot be made: secret "x" not found.',
            id="secret-that-is-not-there",
        ),
        pytest.param(
            pod(container=waiting("ContainerCreating")),
            [],
            False,
            R.STARTING,
            "The pod is being started.",
            id="on-its-way",
        ),
        pytest.param(
            pod(container=waiting("ContainerCreating")),
            [
                warning("FailedMount", "newest", "2026-01-02T00:00:00Z"),
                warning("FailedMount", "older"),
                {"type": "Normal", "message": "pulled", "metadata": {}},
            ],
            False,
            R.STARTING,
            "The pod is held up (FailedMount): newest.",
            id="held-up-as-events-tell",
        ),
        pytest.param(pod(), [], False, R.STARTING, "The pod is being started.", id="nothing-said-yet"),
    ],
)
def test_a_pod_that_lives(found, events, ready, reason, message):
    seen = observed([account()], [found], events, instance="i")
    assert (seen.exists, seen.ready, seen.reason, seen.message) == (True, ready, reason, message)
    assert seen.exit is None
    # The pod itself, which is watched, tells of the rest.
    assert (seen.look_again is not None) is (reason in (R.STARTING, R.NOT_ANSWERING))


@pytest.mark.parametrize(
    ("found", "end", "message"),
    [
        pytest.param(pod(container=ended(0, "Completed")), Exit(0), "", id="ended-well"),
        pytest.param(
            pod(container=ended(2, message="first\nwrong launch file\n")),
            Exit(2),
            "wrong launch file.",
            id="ended-badly-with-its-last-words",
        ),
        pytest.param(
            pod(container=ended(1, message="key ambs_abcdefgh12")),
            Exit(1),
            "key [hidden].",
            id="last-words-without-secrets",
        ),
        pytest.param(pod(container=ended(143)), Exit(signal="SIGTERM"), "", id="ended-by-a-signal"),
        pytest.param(pod(container=ended(0, signal=9)), Exit(signal="SIGKILL"), "", id="signal-told"),
        pytest.param(
            pod(container=ended(137, "OOMKilled")),
            Exit(137, reason=R.OUT_OF_MEMORY),
            "The runner needed more memory than its limit of 4Gi.",
            id="out-of-memory-names-the-limit",
        ),
        pytest.param(
            pod(container=ended(137), reason="Evicted", message="The node was low on memory"),
            Exit(137, reason=R.EVICTED),
            "The node was low on memory.",
            id="evicted-by-the-kubelet",
        ),
        pytest.param(
            pod(phase="Failed", reason="Evicted", message="Pod ephemeral local storage usage exceeds 10Gi"),
            Exit(reason=R.EVICTED),
            "Pod ephemeral local storage usage exceeds 10Gi.",
            id="evicted-before-it-began",
        ),
        pytest.param(
            pod(
                meta=LEAVING,
                container=running(ready=True),
                conditions=[condition("DisruptionTarget", "True", "DeletionByTaintManager")],
            ),
            Exit(reason=R.NODE_LOST),
            "The node n1 does not answer any more.",
            id="node-lost",
        ),
        pytest.param(
            pod(
                meta=LEAVING,
                container=running(ready=True),
                conditions=[condition("DisruptionTarget", "True", "EvictionByEvictionAPI")],
            ),
            Exit(reason=R.EVICTED),
            "The pod was evicted from the node n1.",
            id="drained",
        ),
        pytest.param(
            pod(meta=LEAVING, container=running(ready=True)),
            Exit(reason=R.POD_LOST),
            "The pod is gone.",
            id="deleted-by-hand",
        ),
        pytest.param(pod(phase="Failed"), Exit(reason=R.POD_LOST), "The pod is gone.", id="failed"),
        pytest.param(
            pod(phase="Failed", reason="OutOfcpu", message="Node didn't have enough cpu"),
            Exit(reason=R.UNSCHEDULABLE),
            "Node didn't have enough cpu.",
            id="its-node-was-full-after-all",
        ),
    ],
)
def test_a_pod_that_has_ended(found, end, message):
    seen = observed([account()], [found])
    assert (seen.exists, seen.ready, seen.exit, seen.message) == (True, False, end, message)


@pytest.mark.parametrize(
    ("accounts", "pods", "expected"),
    [
        pytest.param([], [], Observed(reason=R.POD_LOST, message="The pod is gone."), id="nothing"),
        pytest.param(
            [account(4)],
            [],
            Observed(
                attempt=4,
                reason=R.POD_LOST,
                message="The pod is gone.",
                objects=(f"ServiceAccount/{account(4)['metadata']['name']}",),
            ),
            id="an-account-without-its-pod-is-what-is-left",
        ),
        pytest.param(
            [account(2), account(3)],
            [pod(2, container=running(ready=True)), pod(3, container=running(ready=True))],
            Observed(
                exists=True,
                generation=2,
                attempt=3,
                instance="i",
                ready=True,
                endpoint="http://10.0.0.7:8001",
                node="n1",
                objects=(
                    f"ServiceAccount/{account()['metadata']['name']}",
                    f"Pod/{pod()['metadata']['name']}",
                ),
                older_attempt=2,
            ),
            id="the-newest-counts-and-the-older-is-told",
        ),
    ],
)
def test_which_attempt_counts(accounts, pods, expected):
    assert observed(accounts, pods, instance="i") == expected


def test_an_address_of_version_6():
    found = pod(container=running(ready=True), podIP="fd00::7")
    assert observed([], [found]).endpoint == "http://[fd00::7]:8001"


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        pytest.param({}, False, id="stays"),
        pytest.param({"deletionTimestamp": "2026-01-01T00:00:55Z"}, False, id="in-its-grace"),
        pytest.param({"deletionTimestamp": "2026-01-01T00:00:45Z"}, True, id="nobody-carries-it-out"),
    ],
)
def test_when_a_pod_is_overdue(meta, expected):
    now = datetime.datetime(2026, 1, 1, 0, 1, tzinfo=datetime.UTC)
    assert is_overdue(pod(meta=meta), now) is expected
