"""Pods and other objects as a cluster shows them, for the tests of what is made of them."""

from reconciler.kubernetes.names import session_labels

ID = "2NxKpMq7Vb8sYtRwZcDfGhJkLaQ"
LABELS = session_labels("inst", "lab", ID, 2, 3)


def account(attempt=3, **meta):
    labels = LABELS | {"ambient-code.io/attempt": str(attempt)}
    name = f"session-{ID.lower()}-{attempt}"
    return {
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": "lab", "labels": labels, "uid": "u", **meta},
    }


def pod(attempt=3, *, container=None, meta=None, **status):
    """A pod of the attempt; `container` is the state of its runner."""
    found = account(attempt, **(meta or {}))
    found["kind"] = "Pod"
    limits = {"limits": {"memory": "4Gi"}}
    found["spec"] = {"nodeName": "n1", "containers": [{"name": "runner", "resources": limits}]}
    if container is not None:
        status["containerStatuses"] = [{"name": "sidecar", "state": {}}, {"name": "runner", **container}]
    found["status"] = {"podIP": "10.0.0.7", **status}
    return found


def running(*, ready, started=True):
    return {"state": {"running": {}}, "ready": ready, "started": started}


def waiting(reason, message=None):
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def ended(code, reason="Error", **more):
    return {"state": {"terminated": {"exitCode": code, "reason": reason, **more}}}


def condition(type_, status, reason="", message=""):
    return {"type": type_, "status": status, "reason": reason, "message": message}


def warning(reason, message, at="2026-01-01T00:00:00Z"):
    return {"type": "Warning", "reason": reason, "message": message, "lastTimestamp": at, "metadata": {}}
