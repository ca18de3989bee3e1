"""Everything that we ask a cluster for, compared whole."""

import base64
import json
from dataclasses import replace

import pytest

from reconciler.kubernetes import manifests
from reconciler.kubernetes.manifests import Site, Wanted

SITE = Site(
    installation="inst",
    image="registry.example/runner:1",
    own_namespace="ambient",
    grace_seconds=5.0,
    liveness_seconds=30.0,
    start_deadline_seconds=120.0,
    pull_secrets=["pull"],
    node_selector={"pool": "agents"},
    tolerations=[{"key": "agents", "operator": "Exists"}],
)
DOCUMENT = {"session_id": "AbC", "runner_secret": "top-secret", "framework": "claude"}
WANTED = Wanted(
    project_id="lab",
    session_id="AbC",
    generation=2,
    attempt=3,
    namespace="team-lab",
    document=DOCUMENT,
    variables={"TRACEPARENT": "00-1-2-01"},
    secret_variables={"ANTHROPIC_API_KEY": "sk-key"},
    resources={"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}},
    service=True,
)
PROJECT_LABELS = {
    "ambient-code.io/managed": "true",
    "ambient-code.io/managed-by": "ambient-control-plane",
    "ambient-code.io/installation": "inst",
    "ambient-code.io/project-id": "lab",
}
LABELS = PROJECT_LABELS | {
    "ambient-code.io/session-id": "AbC",
    "ambient-code.io/generation": "2",
    "ambient-code.io/attempt": "3",
}
META = {"name": "session-abc-3", "namespace": "team-lab", "labels": LABELS}
OWNED = META | {
    "ownerReferences": [
        {"apiVersion": "v1", "kind": "ServiceAccount", "name": "session-abc-3", "uid": "owner-uid"}
    ]
}
PLATFORM = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ambient"}}}
NAMES = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
GATEWAY = {"ambient-code.io/serves-runners": "true"}
HEALTH = {"httpGet": {"path": "/health", "port": 8001}, "timeoutSeconds": 5}


def platform_pods(component):
    labels = {"app.kubernetes.io/name": "ambient", "app.kubernetes.io/component": component}
    return PLATFORM | {"podSelector": {"matchLabels": labels}}


def test_the_namespace_refuses_pods_with_privileges():
    assert manifests.namespace(SITE, "team-lab", "lab") == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "team-lab",
            "labels": PROJECT_LABELS
            | {
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/warn": "restricted",
            },
            "annotations": {"ambient-code.io/made": "inst"},
        },
    }


def test_the_account_may_do_nothing():
    assert manifests.service_account(SITE, WANTED) == {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": META,
        "automountServiceAccountToken": False,
    }


def test_what_the_account_owns():
    secret, policy, service, pod = manifests.owned(SITE, WANTED, "owner-uid")
    assert secret == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": OWNED,
        "type": "Opaque",
        "data": {
            "launch.json": base64.b64encode(json.dumps(DOCUMENT, sort_keys=True).encode()).decode(),
            "ANTHROPIC_API_KEY": base64.b64encode(b"sk-key").decode(),
        },
    }
    assert policy == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": OWNED,
        "spec": {
            "podSelector": {"matchLabels": LABELS},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [platform_pods("control-plane"), platform_pods("worker")],
                    "ports": [{"protocol": "TCP", "port": 8001}],
                }
            ],
            "egress": [
                {
                    "to": [NAMES, {"ipBlock": {"cidr": "169.254.20.10/32"}}],
                    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
                },
                {"to": [platform_pods("api")], "ports": [{"protocol": "TCP", "port": 8000}]},
                {"to": [platform_pods("control-plane")], "ports": [{"protocol": "TCP", "port": 9080}]},
                {"to": [PLATFORM | {"podSelector": {"matchLabels": GATEWAY}}]},
                {
                    "to": [
                        {
                            "ipBlock": {
                                "cidr": "0.0.0.0/0",
                                "except": [
                                    "10.0.0.0/8",
                                    "172.16.0.0/12",
                                    "192.168.0.0/16",
                                    "169.254.0.0/16",
                                    "100.64.0.0/10",
                                ],
                            }
                        },
                        {"ipBlock": {"cidr": "::/0", "except": ["fc00::/7", "fe80::/10"]}},
                    ]
                },
            ],
        },
    }
    assert service == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": OWNED,
        "spec": {
            "type": "ClusterIP",
            "selector": LABELS,
            "ports": [{"name": "agui", "protocol": "TCP", "port": 8001, "targetPort": 8001}],
        },
    }
    assert pod == {"apiVersion": "v1", "kind": "Pod", "metadata": OWNED, "spec": POD}


CONTAINER = {
    "name": "runner",
    "image": "registry.example/runner:1",
    "args": [
        "--config", "/var/run/ambient/launch/launch.json",
        "--token-file", "/var/run/ambient/token/token",
        "--workspace", "/workspace",
        "--host", "$(POD_IP)", "--port", "8001",
    ],
    "env": [
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "HOME", "value": "/home/runner"},
        {"name": "TMPDIR", "value": "/tmp"},
        {"name": "PYTHONUNBUFFERED", "value": "1"},
        {"name": "TRACEPARENT", "value": "00-1-2-01"},
        {
            "name": "ANTHROPIC_API_KEY",
            "valueFrom": {"secretKeyRef": {"name": "session-abc-3", "key": "ANTHROPIC_API_KEY"}},
        },
    ],
    "ports": [{"name": "agui", "containerPort": 8001, "protocol": "TCP"}],
    "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}},
    "startupProbe": HEALTH | {"periodSeconds": 1, "failureThreshold": 240},
    "readinessProbe": HEALTH | {"periodSeconds": 10, "failureThreshold": 3},
    "terminationMessagePolicy": "FallbackToLogsOnError",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "volumeMounts": [
        {"name": "workspace", "mountPath": "/workspace"},
        {"name": "home", "mountPath": "/home/runner"},
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "launch", "mountPath": "/var/run/ambient/launch", "readOnly": True},
        {"name": "token", "mountPath": "/var/run/ambient/token", "readOnly": True},
    ],
}  # fmt: skip
TOKEN = {"audience": "ambient-control-plane", "expirationSeconds": 600, "path": "token"}
POD = {
    "serviceAccountName": "session-abc-3",
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "shareProcessNamespace": True,
    "restartPolicy": "Never",
    "terminationGracePeriodSeconds": 5,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 1001,
        "runAsGroup": 1001,
        "fsGroup": 1001,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "nodeSelector": {"pool": "agents"},
    "tolerations": [
        {
            "key": "node.kubernetes.io/not-ready",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 30,
        },
        {
            "key": "node.kubernetes.io/unreachable",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 30,
        },
        {"key": "agents", "operator": "Exists"},
    ],
    "imagePullSecrets": [{"name": "pull"}],
    "containers": [CONTAINER],
    "volumes": [
        {"name": "workspace", "emptyDir": {"sizeLimit": "10Gi"}},
        {"name": "home", "emptyDir": {"sizeLimit": "10Gi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "10Gi"}},
        {
            "name": "launch",
            "secret": {
                "secretName": "session-abc-3",
                "defaultMode": 0o440,
                "items": [{"key": "launch.json", "path": "launch.json"}],
            },
        },
        {"name": "token", "projected": {"defaultMode": 0o440, "sources": [{"serviceAccountToken": TOKEN}]}},
    ],
}


@pytest.mark.parametrize(
    ("changes", "kinds", "ways_out"),
    [
        pytest.param({"service": False}, ["Secret", "NetworkPolicy", "Pod"], 5, id="no-service"),
        pytest.param(
            {"service": False, "internet": False}, ["Secret", "NetworkPolicy", "Pod"], 4, id="inside"
        ),
    ],
)
def test_what_is_left_out(changes, kinds, ways_out):
    fields = {name: getattr(WANTED, name) for name in WANTED.__dataclass_fields__}
    made = manifests.owned(SITE, Wanted(**fields | changes), "owner-uid")
    assert [each["kind"] for each in made] == kinds
    assert len(made[1]["spec"]["egress"]) == ways_out


def test_secrets_are_in_the_secret_and_nowhere_else():
    secret, *others = manifests.owned(SITE, WANTED, "owner-uid")
    assert "top-secret" not in json.dumps(others) + repr(WANTED)
    assert "sk-key" not in json.dumps(others) + repr(WANTED)
    assert "top-secret" in base64.b64decode(secret["data"]["launch.json"]).decode()


CLAIMED = replace(SITE, claims=True, workspace_size="20Gi", storage_class="fast")


def test_a_claim_is_of_the_session_and_no_attempts():
    assert manifests.claim(CLAIMED, WANTED) == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "session-abc",
            "namespace": "team-lab",
            "labels": PROJECT_LABELS | {"ambient-code.io/session-id": "AbC"},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fast",
            "resources": {"requests": {"storage": "20Gi"}},
        },
    }
    assert "storageClassName" not in manifests.claim(replace(CLAIMED, storage_class=""), WANTED)["spec"]


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        pytest.param(CLAIMED, {"persistentVolumeClaim": {"claimName": "session-abc"}}, id="claim"),
        pytest.param(
            replace(SITE, workspace_size="1Gi"), {"emptyDir": {"sizeLimit": "1Gi"}}, id="with-the-pod"
        ),
    ],
)
def test_what_the_workspace_is_on(site, expected):
    assert manifests.pod(site, WANTED)["spec"]["volumes"][0] == {"name": "workspace", **expected}


def test_the_bucket_is_reached_on_its_port_alone():
    site = replace(SITE, bucket_networks=["10.1.0.0/16"], bucket_port=9000)
    out = manifests.network_policy(site, replace(WANTED, internet=False))["spec"]["egress"]
    assert out[4:] == [
        {"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "ports": [{"protocol": "TCP", "port": 9000}]}
    ]
