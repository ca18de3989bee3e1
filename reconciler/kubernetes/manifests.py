"""What we ask a cluster for, as plain objects: pure, compared whole in the tests.

Everything of one attempt is owned by its ServiceAccount, which itself nobody owns: who removes that removes
all, and a crash in between leaves nothing that the cluster would not collect. A claim on a volume is of the
session, stays through its attempts and is owned by nobody.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.kubernetes.names import (
    DOMAIN,
    MADE,
    RUNNER,
    SESSION,
    TOKEN_AUDIENCE,
    Manifest,
    claim_name,
    object_name,
    project_labels,
    session_labels,
)

PORT = 8001
USER = 1001
LAUNCH_FILE = "launch.json"
LAUNCH_FOLDER = "/var/run/ambient/launch"
TOKEN_FOLDER = "/var/run/ambient/token"  # noqa: S105 - a path
WORKSPACE = "/workspace"
HOME = "/home/runner"
TEMPORARY = "/tmp"  # noqa: S108 - of the pod, a volume of its own
TOKEN_SECONDS = 600  # the least that the cluster gives; the kubelet renews it
NODE_LOST_SECONDS = 30
SERVERS = {"api": 8000, "control-plane": 9080}
"""Which pods of the chart runners talk to, and where."""
CALLERS = ("control-plane", "worker")
"""Which of its pods talk to runners: the worker has each prove itself."""
SERVES_RUNNERS = f"{DOMAIN}/serves-runners"
"""On pods beside them, such as a gateway to the models: without internet runners reach no other."""
NAME_SERVERS = {"k8s-app": "kube-dns"}
"""What a cluster's name servers are called in kube-system, whichever program they are."""
NODE_NAME_SERVERS = "169.254.20.10/32"
"""Where NodeLocal DNSCache answers, which is no pod that a policy could name."""
PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
PRIVATE_NETWORKS_6 = ("fc00::/7", "fe80::/10")


@dataclass(frozen=True)
class Site:
    """What all pods of this installation share."""

    installation: str
    image: str
    own_namespace: str
    grace_seconds: float
    liveness_seconds: float
    start_deadline_seconds: float
    pull_secrets: Sequence[str] = field(default=(), repr=False)  # names
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    workspace_size: str = "10Gi"
    claims: bool = False
    storage_class: str = ""
    bucket_networks: Sequence[str] = ()
    bucket_port: int = 443


@dataclass(frozen=True)
class Wanted:
    """One attempt of one session. `document` and `variables` hold secrets."""

    project_id: str
    session_id: str
    generation: int
    attempt: int
    namespace: str
    document: Mapping[str, Any] = field(repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    resources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    internet: bool = True
    service: bool = False

    @property
    def name(self) -> str:
        return object_name(self.session_id, self.attempt)


def namespace(site: Site, name: str, project_id: str) -> Manifest:
    """A project's namespace, which refuses pods that could reach their node."""
    pods = {f"pod-security.kubernetes.io/{level}": "restricted" for level in ("enforce", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": project_labels(site.installation, project_id) | pods,
            "annotations": {MADE: site.installation},
        },
    }


def service_account(site: Site, wanted: Wanted) -> Manifest:
    """Who the pod is; it may do nothing."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(site, wanted),
        "automountServiceAccountToken": False,
    }


def claim(site: Site, wanted: Wanted) -> Manifest:
    """The volume that the workspace is on, whichever attempt runs."""
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": site.workspace_size}},
    }
    if site.storage_class:
        spec["storageClassName"] = site.storage_class
    labels = project_labels(site.installation, wanted.project_id) | {SESSION: wanted.session_id}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": claim_name(wanted.session_id),
            "namespace": wanted.namespace,
            "labels": labels,
        },
        "spec": spec,
    }


def owned(site: Site, wanted: Wanted, owner_uid: str) -> list[Manifest]:
    """What belongs to the ServiceAccount, in the order in which it is made: the pod comes last."""
    made = [secret(site, wanted), network_policy(site, wanted)]
    if wanted.service:
        made.append(service(site, wanted))
    made.append(pod(site, wanted))
    owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": wanted.name, "uid": owner_uid}
    for each in made:
        each["metadata"]["ownerReferences"] = [owner]
    return made


def secret(site: Site, wanted: Wanted) -> Manifest:
    """The launch document, and variables that are not for everybody's eyes."""
    texts = {LAUNCH_FILE: json.dumps(wanted.document, sort_keys=True), **wanted.secret_variables}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(site, wanted),
        "type": "Opaque",
        "data": {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()},
    }


def network_policy(site: Site, wanted: Wanted) -> Manifest:
    """In: from what of the platform talks to runners. Out: the cluster's names, what of the platform
    serves runners, the bucket of saved files, and the internet where the project may; never else the
    cluster's own networks."""
    out: list[Manifest] = [
        {
            "to": [_in_namespace("kube-system", NAME_SERVERS), {"ipBlock": {"cidr": NODE_NAME_SERVERS}}],
            "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
        }
    ]
    for server, port in SERVERS.items():
        to = platform_pods(site.own_namespace, server)
        out.append({"to": to, "ports": [{"protocol": "TCP", "port": port}]})
    out.append({"to": [_in_namespace(site.own_namespace, {SERVES_RUNNERS: "true"})]})
    if site.bucket_networks:
        to = [{"ipBlock": {"cidr": network}} for network in site.bucket_networks]
        out.append({"to": to, "ports": [{"protocol": "TCP", "port": site.bucket_port}]})
    if wanted.internet:
        everywhere = (("0.0.0.0/0", PRIVATE_NETWORKS), ("::/0", PRIVATE_NETWORKS_6))
        out.append({"to": [{"ipBlock": {"cidr": all_, "except": [*but]}} for all_, but in everywhere]})
    callers = platform_pods(site.own_namespace, *CALLERS)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(site, wanted),
        "spec": {
            "podSelector": {"matchLabels": _own_labels(site, wanted)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": callers, "ports": [{"protocol": "TCP", "port": PORT}]}],
            "egress": out,
        },
    }


def platform_pods(namespace: str, *components: str) -> list[Manifest]:
    """Pods of the chart's components, as peers of a network policy."""
    name = {"app.kubernetes.io/name": "ambient"}
    return [_in_namespace(namespace, name | {"app.kubernetes.io/component": each}) for each in components]


def _in_namespace(name: str, labels: Mapping[str, str] | None = None) -> Manifest:
    """Its pods, or those with labels, as a peer of a network policy."""
    peer: Manifest = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
    if labels is not None:
        peer["podSelector"] = {"matchLabels": dict(labels)}
    return peer


def service(site: Site, wanted: Wanted) -> Manifest:
    """A name for the runner's port; we ourselves go by the pod's address."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(site, wanted),
        "spec": {
            "type": "ClusterIP",
            "selector": _own_labels(site, wanted),
            "ports": [{"name": "agui", "protocol": "TCP", "port": PORT, "targetPort": PORT}],
        },
    }


def pod(site: Site, wanted: Wanted) -> Manifest:
    """The runner: a user without privileges, a root that cannot be written, a token for us alone."""
    lost = [
        {
            "key": f"node.kubernetes.io/{taint}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": NODE_LOST_SECONDS,
        }
        for taint in ("not-ready", "unreachable")
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(site, wanted),
        "spec": {
            "serviceAccountName": wanted.name,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            # So that the runner is not the first process, which nobody's signal ends and which must reap
            # what agents leave behind: `pause` is.
            "shareProcessNamespace": True,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": math.ceil(site.grace_seconds),
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "nodeSelector": dict(site.node_selector),
            "tolerations": [*lost, *map(dict, site.tolerations)],
            "imagePullSecrets": [{"name": name} for name in site.pull_secrets],
            "containers": [_container(site, wanted)],
            "volumes": [
                {"name": "workspace", **_workspace(site, wanted)},
                {"name": "home", **_with_the_pod(site)},
                {"name": "tmp", **_with_the_pod(site)},
                {
                    "name": "launch",
                    "secret": {
                        "secretName": wanted.name,
                        "defaultMode": 0o440,
                        "items": [{"key": LAUNCH_FILE, "path": LAUNCH_FILE}],
                    },
                },
                {"name": "token", "projected": {"defaultMode": 0o440, "sources": [_token()]}},
            ],
        },
    }


def _workspace(site: Site, wanted: Wanted) -> Manifest:
    if site.claims:
        return {"persistentVolumeClaim": {"claimName": claim_name(wanted.session_id)}}
    return _with_the_pod(site)


def _with_the_pod(site: Site) -> Manifest:
    """A folder on the node, which no session may fill."""
    return {"emptyDir": {"sizeLimit": site.workspace_size}}


def _container(site: Site, wanted: Wanted) -> Manifest:
    arguments = {
        "--config": f"{LAUNCH_FOLDER}/{LAUNCH_FILE}",
        "--token-file": f"{TOKEN_FOLDER}/token",
        "--workspace": WORKSPACE,
        "--host": "$(POD_IP)",
        "--port": str(PORT),
    }
    variables = {"HOME": HOME, "TMPDIR": TEMPORARY, "PYTHONUNBUFFERED": "1", **wanted.variables}
    health = {"httpGet": {"path": "/health", "port": PORT}, "timeoutSeconds": 5}
    period = max(int(site.liveness_seconds / 3), 1)
    return {
        "name": RUNNER,
        "image": site.image,
        "args": [part for pair in arguments.items() for part in pair],
        "env": [
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            *({"name": name, "value": value} for name, value in variables.items()),
            *(
                {"name": name, "valueFrom": {"secretKeyRef": {"name": wanted.name, "key": name}}}
                for name in wanted.secret_variables
            ),
        ],
        "ports": [{"name": "agui", "containerPort": PORT, "protocol": "TCP"}],
        "resources": {group: dict(amounts) for group, amounts in wanted.resources.items()},
        # Looked at every second until it answers for the first time, then as often as liveness needs.
        "startupProbe": {
            **health,
            "periodSeconds": 1,
            "failureThreshold": math.ceil(2 * site.start_deadline_seconds),
        },
        "readinessProbe": {**health, "periodSeconds": period, "failureThreshold": 3},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "workspace", "mountPath": WORKSPACE},
            {"name": "home", "mountPath": HOME},
            {"name": "tmp", "mountPath": TEMPORARY},
            {"name": "launch", "mountPath": LAUNCH_FOLDER, "readOnly": True},
            {"name": "token", "mountPath": TOKEN_FOLDER, "readOnly": True},
        ],
    }


def _token() -> Manifest:
    return {
        "serviceAccountToken": {
            "audience": TOKEN_AUDIENCE,
            "expirationSeconds": TOKEN_SECONDS,
            "path": "token",
        }
    }


def _metadata(site: Site, wanted: Wanted) -> Manifest:
    return {"name": wanted.name, "namespace": wanted.namespace, "labels": _own_labels(site, wanted)}


def _own_labels(site: Site, wanted: Wanted) -> dict[str, str]:
    return session_labels(
        site.installation, wanted.project_id, wanted.session_id, wanted.generation, wanted.attempt
    )
