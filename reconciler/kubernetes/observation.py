"""What a cluster shows of one session, in the words of every runtime: pure.

Containers are found by name. An exit is only told of what cannot come back: a container that ended, a pod
that failed or is being removed, whoever removes it.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ambient.common.logging import HIDDEN, SECRET_VALUES
from ambient.common.processes import signal_name
from reconciler.kubernetes.manifests import PORT
from reconciler.kubernetes.names import ATTEMPT, GENERATION, RUNNER, number
from reconciler.runnerhost.last_words import last_words
from reconciler.state import Exit, Observed
from sessions_app.choices import Reason

LOOK_AGAIN_SECONDS = 5.0
"""While a pod starts: what holds it up may be told by events alone, and nobody watches those."""
TOLD_BY_EVENTS = (Reason.STARTING, Reason.NOT_ANSWERING)
OVERDUE_SECONDS = 10.0
LONGEST = 300
SIGNALS_FROM = 128

NO_IMAGE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
NO_CONTAINER = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
POD_REASONS = {
    "Evicted": Reason.EVICTED,
    "Preempting": Reason.EVICTED,
    "NodeLost": Reason.NODE_LOST,
    "NodeShutdown": Reason.NODE_LOST,
    "Shutdown": Reason.NODE_LOST,
    "Terminated": Reason.NODE_LOST,
    "NodeAffinity": Reason.UNSCHEDULABLE,
    "OutOfcpu": Reason.UNSCHEDULABLE,
    "OutOfmemory": Reason.UNSCHEDULABLE,
    "OutOfpods": Reason.UNSCHEDULABLE,
    "UnexpectedAdmissionError": Reason.UNSCHEDULABLE,
}
DISRUPTIONS = {
    "DeletionByTaintManager": Reason.NODE_LOST,
    "DeletionByPodGC": Reason.NODE_LOST,
    "PreemptionByScheduler": Reason.EVICTED,
    "EvictionByEvictionAPI": Reason.EVICTED,
    "TerminationByKubelet": Reason.EVICTED,
}
TEXTS = {
    Reason.NODE_LOST: "The node {node} does not answer any more.",
    Reason.EVICTED: "The pod was evicted from the node {node}.",
    Reason.POD_LOST: "The pod is gone.",
}

Found = Mapping[str, Any]


def observed(
    accounts: Iterable[Found],
    pods: Iterable[Found],
    events: Sequence[Found] = (),
    instance: str | None = None,
) -> Observed:
    """The newest attempt of one session, from its objects. `instance`: who proved itself for that attempt."""
    by_attempt: dict[int, list[Found | None]] = {}
    for place, kind in enumerate((accounts, pods)):
        for found in kind:
            by_attempt.setdefault(number(found, ATTEMPT), [None, None])[place] = found
    if not by_attempt:
        return Observed(reason=Reason.POD_LOST, message=TEXTS[Reason.POD_LOST])
    newest = max(by_attempt)
    account, pod = by_attempt[newest]
    older = max((attempt for attempt in by_attempt if attempt != newest), default=0)
    objects = tuple(
        f"{kind}/{found['metadata']['name']}"
        for kind, found in (("ServiceAccount", account), ("Pod", pod))
        if found is not None
    )
    if pod is None:
        return Observed(
            attempt=newest,
            reason=Reason.POD_LOST,
            message=TEXTS[Reason.POD_LOST],
            objects=objects,
            older_attempt=older,
        )
    state = state_of(pod, events)
    if state.get("reason") not in TOLD_BY_EVENTS:
        state |= {"look_again": None}
    address = pod.get("status", {}).get("podIP")
    return Observed(
        exists=True,
        generation=number(pod, GENERATION),
        attempt=newest,
        instance=instance,
        endpoint=endpoint(address) if address else None,
        node=pod["spec"].get("nodeName"),
        objects=objects,
        older_attempt=older,
        **state,
    )


def is_overdue(pod: Found, now: datetime.datetime) -> bool:
    """Whether a pod should be gone by now, its grace included: nobody on its node carries that out."""
    until = pod["metadata"].get("deletionTimestamp")
    if until is None:
        return False
    return (now - datetime.datetime.fromisoformat(until)).total_seconds() > OVERDUE_SECONDS


def state_of(pod: Found, events: Sequence[Found] = (), runner: str = RUNNER) -> dict[str, Any]:
    """What a pod says of its runner, the container of that name, in the fields of Observed."""
    status = pod.get("status", {})
    container = next((each for each in status.get("containerStatuses", ()) if each["name"] == runner), {})
    state = container.get("state") or {}
    if state.get("terminated"):
        return _ended(pod, state["terminated"], runner)
    reason = POD_REASONS.get(status.get("reason", ""))
    if reason is None and _leaving(pod):
        reason = _disruption(status) or Reason.POD_LOST
    if reason is None and status.get("phase") in ("Failed", "Succeeded"):
        reason = Reason.POD_LOST
    if reason is not None:
        return {"exit": Exit(reason=reason), "message": _lost(pod, reason)}
    if state.get("running") is not None:
        if container.get("ready"):
            return {"ready": True}
        starts = container.get("started") is False
        return {
            "reason": Reason.STARTING if starts else Reason.NOT_ANSWERING,
            "message": f"The runner does not answer{' yet' if starts else ''}.",
            "look_again": LOOK_AGAIN_SECONDS,
        }
    found, text = _held_up(status, state.get("waiting") or {}, events)
    return {"reason": found, "message": text, "look_again": LOOK_AGAIN_SECONDS}


def _leaving(pod: Found) -> bool:
    return pod["metadata"].get("deletionTimestamp") is not None


def _disruption(status: Found) -> Reason | None:
    for condition in status.get("conditions", ()):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            return DISRUPTIONS.get(condition.get("reason", ""))
    return None


def _lost(pod: Found, reason: Reason) -> str:
    said = pod.get("status", {}).get("message")
    if said and reason != Reason.NODE_LOST:
        return sentence(said)
    text = TEXTS.get(reason, "The pod has failed.")
    return text.format(node=pod["spec"].get("nodeName") or "of the pod")


def _ended(pod: Found, ended: Found, runner: str) -> dict[str, Any]:
    """A container that has ended, with its own last words."""
    code = ended.get("exitCode")
    evicted = POD_REASONS.get(pod.get("status", {}).get("reason", "")) or _disruption(pod.get("status", {}))
    if ended.get("reason") == "OOMKilled":
        return {"exit": Exit(code, reason=Reason.OUT_OF_MEMORY), "message": _out_of_memory(pod, runner)}
    if evicted is not None:
        return {"exit": Exit(code, reason=evicted), "message": _lost(pod, evicted)}
    signal = ended.get("signal") or (code - SIGNALS_FROM if code and code > SIGNALS_FROM else None)
    words = last_words((ended.get("message") or "").encode(), lambda text: SECRET_VALUES.sub(HIDDEN, text))
    if signal:
        return {"exit": Exit(signal=signal_name(signal)), "message": words}
    return {"exit": Exit(code), "message": words}


def _out_of_memory(pod: Found, runner: str) -> str:
    container = next(each for each in pod["spec"]["containers"] if each["name"] == runner)
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    over = f"its limit of {limit}" if limit else "its node has"
    return f"The runner needed more memory than {over}."


def _held_up(status: Found, waiting: Found, events: Sequence[Found]) -> tuple[Reason, str]:
    """Why the container does not run yet."""
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            text = condition.get("message") or "no node has said why"
            return Reason.UNSCHEDULABLE, f"No node can take the pod: {sentence(text)}"
    reason, text = waiting.get("reason", ""), waiting.get("message") or ""
    if reason in NO_IMAGE:
        return Reason.IMAGE_PULL_FAILED, f"The image cannot be fetched: {sentence(text or reason)}"
    if reason in NO_CONTAINER:
        return Reason.CONFIG_INVALID, f"The container cannot be made: {sentence(text or reason)}"
    warnings = [event for event in events if event.get("type") == "Warning" and event.get("message")]
    if warnings:
        newest = max(warnings, key=_event_time)
        return Reason.STARTING, f"The pod is held up ({newest.get('reason')}): {sentence(newest['message'])}"
    return Reason.STARTING, "The pod is being started."


def _event_time(event: Found) -> str:
    """RFC 3339 sorts as text."""
    return event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]


def sentence(text: str) -> str:
    """What a cluster says, on one line and not too long."""
    plain = SECRET_VALUES.sub(HIDDEN, " ".join(text.replace("\0", " ").split()))
    if len(plain) > LONGEST:
        return f"{plain[: LONGEST - 1].rstrip()}…"
    return plain if plain.endswith((".", "!", "?")) else f"{plain}."


def endpoint(address: str) -> str:
    """The URL of a runner at a pod's address."""
    return f"http://[{address}]:{PORT}" if ":" in address else f"http://{address}:{PORT}"
