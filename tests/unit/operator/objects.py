"""The operator's resource and pod as a cluster shows them."""

from tests.unit.kubernetes.objects import ID, LABELS

NAME = ID.lower()
UID = "uid-of-the-resource"
POD_UID = "uid-of-the-pod"
BEGAN, BEFORE = "2026-01-01T00:00:05Z", "2025-12-31T00:00:00Z"
ASKED = "2026-01-01T00:00:00Z"


def condition(type_, status, reason="", message=""):
    return {"type": type_, "status": status, "reason": reason, "message": message}


def resource(phase=None, *conditions, attempt=3, asked=None, meta=None, **status):
    """A session's resource that was started when its status was still of BEFORE."""
    labels = dict(LABELS)
    annotations = {"ambient-code.io/start-time-before": BEFORE}
    if attempt is None:
        del labels["ambient-code.io/attempt"], labels["ambient-code.io/generation"]
    if asked:
        annotations["ambient-code.io/desired-phase"] = asked
    found = {
        "kind": "AgenticSession",
        "metadata": {
            "name": NAME,
            "namespace": "lab",
            "uid": UID,
            "resourceVersion": "7",
            "labels": labels,
            "annotations": annotations,
            **(meta or {}),
        },
    }
    if phase is not None:
        found["status"] = {"phase": phase, "startTime": BEGAN, "conditions": [*conditions], **status}
    return found


def pod(container=None, *, owner=UID, uid=POD_UID, meta=None, **status):
    """The operator's runner pod; `container` is the state of its runner beside a sidecar that lives."""
    if container is not None:
        live = {"name": "state-sync", "state": {"running": {}}, "ready": True}
        status["containerStatuses"] = [live, {"name": "ambient-code-runner", **container}]
    limits = {"limits": {"memory": "8Gi"}}
    return {
        "kind": "Pod",
        "metadata": {
            "name": f"{NAME}-runner",
            "namespace": "lab",
            "uid": uid,
            "labels": {"app": "ambient-code-runner", "agentic-session": NAME},
            "ownerReferences": [{"kind": "AgenticSession", "name": NAME, "uid": owner}],
            **(meta or {}),
        },
        "spec": {"nodeName": "n1", "containers": [{"name": "ambient-code-runner", "resources": limits}]},
        "status": {"podIP": "10.0.0.7", **status},
    }
