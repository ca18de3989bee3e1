"""A pod's status as a kubelet reports it, from what its containers do. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.kube.api import Document

OWN = ("Initialized", "Ready", "ContainersReady", "PodReadyToStartContainers")


@dataclass
class Container:
    """What one container does: `state` and `last` as the API spells them."""

    name: str
    image: str
    state: Document = field(default_factory=lambda: waiting("ContainerCreating"))
    last: Document = field(default_factory=dict)
    ready: bool = False
    started: bool = False
    restarts: int = 0
    number: str = ""

    @property
    def runs(self) -> bool:
        return "running" in self.state

    @property
    def exit_code(self) -> int | None:
        """How it ended, when it is at its end and is not started again."""
        return self.state["terminated"]["exitCode"] if "terminated" in self.state else None

    def document(self) -> Document:
        """One entry of `containerStatuses`."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": "" if "waiting" in self.state and not self.last else f"local/{self.image}",
            "containerID": self.number,
            "state": self.state,
            "lastState": self.last,
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
        }


def now() -> str:
    """The time as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def waiting(reason: str, message: str = "") -> Document:
    """Not started, and why."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def running() -> Document:
    """Runs from now on."""
    return {"running": {"startedAt": now()}}


def terminated(state: Document, code: int, *, reason: str = "", message: str = "") -> Document:
    """The end of what ran."""
    end = {
        "exitCode": code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "startedAt": state.get("running", {}).get("startedAt"),
        "finishedAt": now(),
    }
    return {"terminated": end | ({"message": message} if message else {})}


def is_ready_to_end(codes: Sequence[int | None], policy: str) -> bool:
    """Whether nothing more will run."""
    return policy != "Always" and all(code is not None for code in codes)


def phase(init: Sequence[Container], main: Sequence[Container], policy: str) -> str:
    """One word for a pod."""
    if any(one.exit_code != 0 for one in init):
        failed = policy == "Never" and any(one.exit_code for one in init)
        return "Failed" if failed else "Pending"
    codes = [one.exit_code for one in main]
    if is_ready_to_end(codes, policy):
        return "Failed" if any(codes) else "Succeeded"
    started = any(one.runs or one.last or one.exit_code is not None for one in main)
    return "Running" if started else "Pending"


def conditions(
    before: Sequence[Document], init: Sequence[Container], main: Sequence[Container], phase: str
) -> list[Document]:
    """The kubelet's own conditions beside those of others; a time changes when the status does."""
    names = " ".join(one.name for one in main if not one.ready)
    unready = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{names}]"}
    if phase in ("Succeeded", "Failed"):
        unready = {"reason": f"Pod{'Completed' if phase == 'Succeeded' else 'Failed'}"}
    ready = {} if not names else unready
    initialized = all(one.exit_code == 0 for one in init)
    why = {"reason": "ContainersNotInitialized"}
    reached = any("waiting" not in one.state or one.last for one in [*init, *main])
    found = {
        "PodReadyToStartContainers": (reached and phase not in ("Succeeded", "Failed"), {}),
        "Initialized": (initialized, {} if initialized else why),
        "Ready": (not names, ready),
        "ContainersReady": (not names, ready),
    }
    return [*(one for one in before if one["type"] not in OWN), *_changed(before, found)]


def _changed(before: Sequence[Document], found: Mapping[str, tuple[bool, Document]]) -> list[Document]:
    old = {one["type"]: one for one in before}
    result = []
    for kind, (value, why) in found.items():
        status = str(value)
        same = kind in old and old[kind]["status"] == status
        since = old[kind]["lastTransitionTime"] if same else now()
        result.append({"type": kind, "status": status, "lastTransitionTime": since, **why})
    return result


def pod_status(
    pod: Document, address: str, init: Sequence[Container], main: Sequence[Container], started_at: str
) -> Document:
    """The status that a kubelet would write now."""
    reached = phase(init, main, pod["spec"].get("restartPolicy", "Always"))
    before = pod.get("status", {}).get("conditions", [])
    return {
        "phase": reached,
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": started_at,
        "conditions": conditions(before, init, main, reached),
        "initContainerStatuses": [one.document() for one in init],
        "containerStatuses": [one.document() for one in main],
    }
