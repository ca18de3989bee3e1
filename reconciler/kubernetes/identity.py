"""Who shows a pod's token: the cluster says, and it must be the pod of this very attempt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.kubernetes.client import Cluster
from reconciler.kubernetes.names import (
    ATTEMPT,
    GENERATION,
    INSTALLATION,
    SESSION,
    TOKEN_AUDIENCE,
    labels_of,
    object_name,
)

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
POD_NAME = "authentication.kubernetes.io/pod-name"
POD_UID = "authentication.kubernetes.io/pod-uid"


@dataclass(frozen=True)
class PodIdentity:
    """Which pod a token was given to."""

    namespace: str
    account: str
    pod: str
    uid: str


def reviewed(status: Mapping[str, Any]) -> PodIdentity | None:
    """The pod that a review names; None for a token that is not good, not for us, or not of a pod. Pure."""
    if not status.get("authenticated") or TOKEN_AUDIENCE not in (status.get("audiences") or ()):
        return None
    user = status.get("user") or {}
    extra = user.get("extra") or {}
    pod, uid = extra.get(POD_NAME), extra.get(POD_UID)
    parts = str(user.get("username", "")).split(":")
    if parts[:2] != ["system", "serviceaccount"] or len(parts) != 4 or not pod or not uid:
        return None
    return PodIdentity(namespace=parts[2], account=parts[3], pod=pod[0], uid=uid[0])


def is_pod_of(
    cluster: Cluster,
    token: str,
    *,
    namespace: str,
    installation: str,
    session_id: str,
    generation: int,
    attempt: int,
) -> bool:
    """Whether the token was given to the pod of this attempt, which is still there. Raises TemporaryError."""
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, "audiences": [TOKEN_AUDIENCE]},
    }
    found = reviewed(cluster.create(REVIEWS, review).get("status") or {})
    name = object_name(session_id, attempt)
    if found is None or (found.namespace, found.account, found.pod) != (namespace, name, name):
        return False
    pod = cluster.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
    if pod is None or pod["metadata"]["uid"] != found.uid:
        return False
    wanted = {
        INSTALLATION: installation,
        SESSION: session_id,
        GENERATION: str(generation),
        ATTEMPT: str(attempt),
    }
    return wanted.items() <= labels_of(pod).items()
