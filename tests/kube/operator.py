"""The other side of the runtime operator: a scripted operator on a real API server, with its habits.

It plays the state table of the operator's sessions, sees its own namespaces only, and can be told to
misbehave as the real one does: `never_clears`, `forgets_pods`, `failing`, `away`. What the real one always
does wrong it does too: it does not look at a pod once the session runs, makes a lost pod again without limit,
and lets a stop wait while Creating.
"""

import base64
import contextlib
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.e2e.system import eventually
from tests.kube.access import Access
from tests.kube.api import ApiError, Document, NotFound
from tests.kube.container import Image

CRDS = Path(__file__).with_name("crds")
ROOT = "/apis/vteam.ambient-code/v1alpha1"
OWN = "ambient-operated"
"""The namespace of a platform beside it."""
IMAGE = "plain-runner"
PLAIN_RUNNER = Image(
    entrypoint=("python3", "/opt/plain/runner.py"),
    files={"/opt/plain/runner.py": Path(__file__).with_name("plain_runner.py")},
)
CONTAINER = "ambient-code-runner"
PREFIX = "ambient-code.io/"
STOPS = ("desired-phase", "stop-requested-at", "stop-reason")
NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff", "CreateContainerConfigError")
TICK_SECONDS = 0.1
KIND = {"apiVersion": "vteam.ambient-code/v1alpha1", "kind": "AgenticSession"}


def install(access: Access) -> None:
    """Have the operator's two kinds in a cluster."""
    api = access.api()

    def is_served(plural: str) -> bool:
        try:
            return api.exists(f"{ROOT}/{plural}")
        except ApiError:  # 429 while its storage is made
            return False

    for file in sorted(CRDS.glob("*.yaml")):
        document = yaml.safe_load(file.read_text())
        plural = document["spec"]["names"]["plural"]
        api.apply(document)
        eventually(lambda plural=plural: is_served(plural), f"{plural} are served")
    api.close()


class Operator:
    """One operator for the namespaces whose names begin with `prefix`."""

    def __init__(self, access: Access, prefix: str, node_selector: dict[str, str]) -> None:
        self.never_clears = False
        self.forgets_pods = False
        self.failing: tuple[str, str] | None = None
        self._away = threading.Event()
        self._stopped = threading.Event()
        self._api = access.api()
        self._prefix = prefix
        self._node_selector = node_selector
        self._thread = threading.Thread(target=self._run, name="operator", daemon=True)

    def start(self) -> None:
        """Begin to look after sessions."""
        self._thread.start()

    def stop(self) -> None:
        """End it; what it made stays."""
        self._stopped.set()
        self._thread.join()
        self._api.close()

    def behave(self) -> None:
        """As it should, from now on."""
        self.never_clears = self.forgets_pods = False
        self.failing = None

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """A time in which nobody looks after sessions."""
        self._away.set()
        try:
            yield
        finally:
            self._away.clear()

    def _run(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            with contextlib.suppress(ApiError, httpx.HTTPError):  # the next look tries again
                for session in self._api.get(f"{ROOT}/agenticsessions")["items"]:
                    if session["metadata"]["namespace"].startswith(self._prefix):
                        with contextlib.suppress(ApiError):  # changed or gone since
                            self._look_at(KIND | session)  # items of a list do not say it

    def _look_at(self, session: Document) -> None:
        if self._away.is_set() or session["metadata"].get("deletionTimestamp"):
            return
        namespace = self._api.get(f"/api/v1/namespaces/{session['metadata']['namespace']}")
        if namespace["metadata"].get("labels", {}).get(f"{PREFIX}managed") != "true":
            return
        phase = session.get("status", {}).get("phase", "")
        looks = {
            "": self._is_new,
            "Pending": self._is_pending,
            "Creating": self._is_creating,
            "Running": self._is_running,
            "Stopping": self._is_stopping,
        }
        looks.get(phase, self._has_ended)(session)

    def _is_new(self, session: Document) -> None:
        self._is_pending(self._report(session, phase="Pending", startTime=_now()))

    def _is_pending(self, session: Document) -> None:
        if _asked(session) == "Stopped":
            self._end(session, "Stopped", "UserStopped", stoppedReason="user")
            self._clear(session)
            return
        if self.failing is not None:
            reason, message = self.failing
            self._end(session, "Failed", reason, message)  # the wish stays: it will be tried again
            return
        with contextlib.suppress(ApiError):  # AlreadyExists: as good as made
            self._make(session)
        made = _condition("PodCreated", "True", "PodCreated")
        secrets = _condition("SecretsReady", "True", "AllRequiredSecretsFound", "All secrets were found")
        generation = session["metadata"]["generation"]
        session = self._report(
            session, phase="Creating", conditions=[secrets, made], observedGeneration=generation
        )
        self._clear(session)

    def _is_creating(self, session: Document) -> None:
        pod = self._pod(session)
        if pod is None:
            self._is_lost(session)
            return
        state = next(
            (one["state"] for one in pod["status"].get("containerStatuses", ()) if one["name"] == CONTAINER),
            {},
        )
        waiting, ended = state.get("waiting", {}).get("reason"), state.get("terminated")
        if waiting in NO_IMAGE:
            self._end(session, "Failed", waiting, state["waiting"].get("message", ""))
        elif ended and ended["exitCode"] == 0:
            self._end(session, "Completed", "Completed")
        elif ended or pod["status"].get("phase") == "Failed":
            self._end(session, "Failed", "RunnerExit", "the runner has ended")
        elif state.get("running"):
            repos = [
                {"url": repo["url"], "status": "Ready"} for repo in session.get("spec", {}).get("repos", ())
            ]
            started = [_condition("RunnerStarted", "True", "ContainerRunning")]
            self._report(session, phase="Running", conditions=started, reconciledRepos=repos)
            return
        else:
            return
        self._remove_pod(session)

    def _is_running(self, session: Document) -> None:
        if self._pod(session) is None:
            self._is_lost(session)
        elif _asked(session) == "Stopped":
            self._report(session, phase="Stopping")
            if not self.forgets_pods:
                self._remove_pod(session)

    def _is_stopping(self, session: Document) -> None:
        if self._pod(session) is not None and not self.forgets_pods:
            return
        inactive = session["metadata"].get("annotations", {}).get(f"{PREFIX}stop-reason") == "inactivity"
        self._end(session, "Stopped", "UserStopped", stoppedReason="inactivity" if inactive else "user")
        self._clear(session)

    def _has_ended(self, session: Document) -> None:
        if _asked(session) == "Running":
            self._is_lost(session)

    def _is_lost(self, session: Document) -> None:
        self._report(session, phase="Pending", startTime=_now(), completionTime=None, stoppedReason=None)

    def _end(self, session: Document, phase: str, reason: str, message: str = "", **more: str) -> None:
        ready = _condition("Ready", "False", reason, message)
        self._report(session, phase=phase, completionTime=_now(), conditions=[ready], **more)

    def _make(self, session: Document) -> None:
        name, namespace = session["metadata"]["name"], session["metadata"]["namespace"]
        owner = _owner(session) | {"controller": True}
        labels = {"agentic-session": name, "app": CONTAINER}
        token = base64.b64encode(str(uuid.uuid4()).encode()).decode()
        secret = {
            "metadata": {"name": f"ambient-runner-token-{name}", "ownerReferences": [owner]},
            "data": {"agui-token": token},
        }
        with contextlib.suppress(ApiError):  # kept when it is there
            self._api.post(f"/api/v1/namespaces/{namespace}/secrets", secret)
        pod = {
            "metadata": {"name": f"{name}-runner", "labels": labels, "ownerReferences": [owner]},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 2,
                "automountServiceAccountToken": False,
                "nodeSelector": self._node_selector,
                "containers": [_container(name, session)],
            },
        }
        made = self._api.post(f"/api/v1/namespaces/{namespace}/pods", pod)
        service = {
            "metadata": {"name": f"session-{name}", "ownerReferences": [_owner(made)]},
            "spec": {"selector": labels, "ports": [{"name": "agui", "port": 8001}]},
        }
        with contextlib.suppress(ApiError):
            self._api.post(f"/api/v1/namespaces/{namespace}/services", service)

    def _pod(self, session: Document) -> Document | None:
        try:
            return self._api.get(self._pod_path(session))
        except NotFound:
            return None

    def _remove_pod(self, session: Document) -> None:
        with contextlib.suppress(NotFound):
            self._api.delete(self._pod_path(session))

    def _pod_path(self, session: Document) -> str:
        meta = session["metadata"]
        return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}-runner"

    def _report(self, session: Document, **status: Any) -> Document:
        if "conditions" in status:  # one of each type
            known = [*session.get("status", {}).get("conditions", ()), *status["conditions"]]
            status["conditions"] = list({one["type"]: one for one in known}.values())
        changed = {"metadata": _version(session), "status": status}
        return self._api.merge(f"{_path(session)}/status", changed)

    def _clear(self, session: Document) -> None:
        if not self.never_clears:
            gone = {f"{PREFIX}{name}": None for name in STOPS}
            self._api.merge(_path(session), {"metadata": {"annotations": gone}})


def _container(name: str, session: Document) -> Document:
    variables = session.get("spec", {}).get("environmentVariables", {}) | {"SESSION_ID": name}
    secret = {"secretKeyRef": {"name": f"ambient-runner-token-{name}", "key": "agui-token"}}
    return {
        "name": CONTAINER,
        "image": f"{IMAGE}:1",
        "env": [
            *({"name": name, "value": value} for name, value in variables.items()),
            {"name": "AGUI_TOKEN", "valueFrom": secret},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "resources": {"limits": {"memory": "8Gi"}},
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8001}, "periodSeconds": 1},
    }


def _owner(found: Document) -> Document:
    version = found.get("apiVersion") or "v1"
    meta = found["metadata"]
    return {"apiVersion": version, "kind": found["kind"], "name": meta["name"], "uid": meta["uid"]}


def _path(session: Document) -> str:
    meta = session["metadata"]
    return f"{ROOT}/namespaces/{meta['namespace']}/agenticsessions/{meta['name']}"


def _version(session: Document) -> Document:
    """What makes a write fail when somebody was faster."""
    return {"resourceVersion": session["metadata"]["resourceVersion"]}


def _asked(session: Document) -> str | None:
    return session["metadata"].get("annotations", {}).get(f"{PREFIX}desired-phase")


def _condition(kind: str, status: str, reason: str, message: str = "") -> Document:
    known = {"type": kind, "status": status, "reason": reason, "message": message}
    return known | {"lastTransitionTime": _now()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
