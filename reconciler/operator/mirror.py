"""What the operator's resource and its pod show of one session, in the words of every runtime: pure.

The resource tells what the operator has made of it, the pod whether the runner lives: the operator does not
look at it once it runs. A pod counts for the attempt that its resource names, and by its uid alone.
"""

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kubernetes.names import ATTEMPT, GENERATION, number
from reconciler.kubernetes.observation import endpoint, sentence, state_of
from reconciler.operator.names import (
    BEFORE,
    DESIRED,
    FINAL,
    RUNNER,
    STOP_REQUESTED,
    annotation,
    phase_of,
    start_time_of,
)
from reconciler.runtimes.base import SessionRef
from reconciler.state import Exit, Noted, Observed
from sessions_app.choices import ConditionType, Reason

LOOK_AGAIN_SECONDS = 5.0
AWAY_SECONDS = 30.0
"""A stop that the operator has not carried out by then is carried out without it."""
REASONS = {
    "ImagePullBackOff": Reason.IMAGE_PULL_FAILED,
    "ErrImagePull": Reason.IMAGE_PULL_FAILED,
    "InvalidImageName": Reason.IMAGE_PULL_FAILED,
    "CreateContainerConfigError": Reason.CONFIG_INVALID,
    "CreateFailed": Reason.CONFIG_INVALID,
    "PodCreationFailed": Reason.CONFIG_INVALID,
    "RunnerSecretMissing": Reason.CREDENTIAL_REJECTED,
    "VertexSecretMissing": Reason.CREDENTIAL_REJECTED,
    "VertexSecretError": Reason.CREDENTIAL_REJECTED,
    "SecretCheckFailed": Reason.CREDENTIAL_REJECTED,
    "TokenProvisionFailed": Reason.CREDENTIAL_REJECTED,
    "Unschedulable": Reason.UNSCHEDULABLE,
    "PodMissing": Reason.POD_LOST,
    "PrerequisiteFailed": Reason.CONFIG_INVALID,
    "CrashLoopBackOff": Reason.RUNNER_EXITED,
    "RunnerExit": Reason.RUNNER_EXITED,
    "PodFailed": Reason.RUNNER_EXITED,
}
"""The operator's words for what went wrong, in ours."""
PREREQUISITE_FAILED, PREREQUISITE_CODE = "PrerequisiteFailed", 2
NOTHING_TO_DO = frozenset({"NoRepos", "NotConfigured"})
BEFORE_A_POD = ("SecretsReady", "PodCreated", "PodScheduled")
"""Conditions that hold up a start; the others may still be of an earlier one."""
WORKSPACE = ("ReposReconciled", "WorkflowReconciled")
GONE = "The pod is gone."
REPLACED = "The pod was lost, and the operator has made another."
NOT_TAKEN_UP = "The operator has not taken up the start yet."
DROPPED = "The operator has dropped the start."
"""It takes the wish off together with that of the stop before, when it comes in between: asked again."""

Found = Mapping[str, Any]


def observed(ref: SessionRef, resource: Found | None, pod: Found | None, now: datetime.datetime) -> Observed:
    """The session as it is seen. `pod` is the operator's runner of this session."""
    objects = tuple(
        f"{kind}/{found['metadata']['name']}"
        for kind, found in (("AgenticSession", resource), ("Pod", pod))
        if found is not None
    )
    if resource is None:
        leaves = max(ref.attempt, 1) if pod is not None else 0
        text = "The AgenticSession is gone."
        return Observed(attempt=leaves, reason=Reason.POD_LOST, message=text, objects=objects)
    attempt = number(resource, ATTEMPT)
    if not attempt or resource["metadata"].get("deletionTimestamp"):
        attempt = max(attempt, ref.attempt, 1) if has_left(resource, pod, now) else 0
        return Observed(attempt=attempt, reason=Reason.POD_LOST, message=GONE, objects=objects)
    is_news = start_time_of(resource) not in ("", annotation(resource, BEFORE))
    if not is_news and phase_of(resource) in FINAL and not annotation(resource, DESIRED):
        return Observed(attempt=attempt, reason=Reason.WAITING, message=DROPPED, objects=objects)
    own = pod if pod is not None and _is_of(pod, resource) else None
    return Observed(
        exists=True,
        generation=number(resource, GENERATION),
        attempt=attempt,
        objects=objects,
        results=tuple(_results(resource)),
        conditions=tuple(_conditions(resource)) if is_news else (),
        **_state(ref if ref.attempt == attempt else None, resource, own, is_news=is_news),
    )


def has_left(resource: Found, pod: Found | None, now: datetime.datetime) -> bool:
    """Whether something of a session runs, or may come to run, that is not wanted any more."""
    if pod is not None or resource["metadata"].get("deletionTimestamp"):
        return True
    if annotation(resource, DESIRED) == "Running":
        return True
    return phase_of(resource) not in FINAL and not _is_late(resource, now)


def must_be_stopped(resource: Found) -> bool:
    """Whether the operator has to be asked. A start that it has not taken off is one until we do."""
    asked = annotation(resource, DESIRED)
    if asked == "Running" or number(resource, ATTEMPT):
        return True
    return phase_of(resource) not in FINAL and asked != "Stopped"


def must_lose_its_pod(resource: Found | None, now: datetime.datetime) -> bool:
    """Whether a pod that is not wanted has to be removed by us.

    A stop while Creating waits for a pod that is not there; one that it has forgotten stays for ever.
    """
    if resource is None:
        return True
    return phase_of(resource) == "Creating" or phase_of(resource) in FINAL or _is_late(resource, now)


def _state(ref: SessionRef | None, resource: Found, pod: Found | None, *, is_news: bool) -> dict[str, Any]:
    phase = phase_of(resource)
    if is_news and phase in ("Stopping", *FINAL):
        return _verdict(resource, phase)
    known = ref.instance if ref is not None else None
    if pod is None:
        if known or (is_news and phase == "Running"):
            return {"exit": Exit(reason=Reason.POD_LOST), "message": GONE}
        return _waiting(resource, is_news=is_news)
    uid = pod["metadata"]["uid"]
    if known and known != uid:
        return {"exit": Exit(reason=Reason.POD_LOST), "message": REPLACED}
    found = state_of(pod, runner=RUNNER)
    if found.get("exit") and phase != "Running" and not known:  # the operator will say more of it
        found = {"reason": Reason.STARTING, "message": "The runner has ended.", "look_again": 2.0}
    address = (pod.get("status") or {}).get("podIP")
    return found | {
        "instance": uid,
        "endpoint": endpoint(address) if address else None,
        "node": pod["spec"].get("nodeName"),
        "ready": bool(found.get("ready") and address),
    }


def _verdict(resource: Found, phase: str) -> dict[str, Any]:
    """How the operator says that it ended."""
    if phase == "Completed":
        return {"exit": Exit(code=0)}
    if phase != "Failed":
        if resource["status"].get("stoppedReason") == "inactivity":
            text = "The operator stopped the session: it had nothing to do for too long."
            return {"exit": Exit(reason=Reason.INACTIVITY), "message": text}
        return {"exit": Exit(reason=Reason.STOPPED_BY_USER), "message": "It was stopped on the cluster."}
    word, text = _trouble(resource)
    message = sentence(text or word or "The operator does not say why")
    if word == PREREQUISITE_FAILED:
        return {"exit": Exit(code=PREREQUISITE_CODE), "message": message}
    return {"exit": Exit(reason=REASONS.get(word, Reason.RUNNER_EXITED)), "message": message}


def _waiting(resource: Found, *, is_news: bool) -> dict[str, Any]:
    reason, text = Reason.STARTING, "The operator makes the pod."
    if not is_news:
        text = NOT_TAKEN_UP
    else:
        word, said = _trouble(resource, BEFORE_A_POD)
        if word in REASONS:
            reason, text = REASONS[word], f"The operator is held up ({word}): {sentence(said or word)}"
    return {"reason": reason, "message": text, "look_again": LOOK_AGAIN_SECONDS}


def _trouble(resource: Found, kinds: tuple[str, ...] = ()) -> tuple[str, str]:
    """The condition that says most of what is wrong: of a known reason, of this start, `Ready` last."""
    false = [
        each
        for each in _all_conditions(resource)
        if each.get("status") == "False" and (not kinds or each.get("type") in kinds)
    ]
    began = start_time_of(resource)
    false.sort(
        key=lambda each: (
            each.get("reason") not in REASONS,
            str(each.get("lastTransitionTime") or "") < began,
            each.get("type") == "Ready",
        )
    )
    worst = false[0] if false else {}
    return str(worst.get("reason") or ""), str(worst.get("message") or "")


def _conditions(resource: Found) -> Iterator[Noted]:
    """The operator's conditions that ours have a place for; of the runner we know ourselves."""
    by_type = {each["type"]: each for each in _all_conditions(resource)}
    secrets = by_type.get("SecretsReady")
    if secrets and secrets["status"] != "Unknown":
        yield _noted(ConditionType.CREDENTIALS_RESOLVED, [secrets], Reason.CREDENTIAL_REJECTED)
    steps = [by_type[name] for name in WORKSPACE if name in by_type]
    steps = [
        each for each in steps if each["status"] != "Unknown" and each.get("reason") not in NOTHING_TO_DO
    ]
    if steps:
        yield _noted(ConditionType.WORKSPACE_READY, steps, Reason.REPOSITORY_REFUSED)


def _noted(kind: ConditionType, steps: list[Found], trouble: Reason) -> Noted:
    worst = next((each for each in steps if each["status"] == "False"), None)
    said = worst or steps[0]
    text = said.get("message") or said.get("reason") or ""
    status, reason = ("False", trouble) if worst else ("True", Reason.READY)
    return Noted(kind, status, reason, sentence(text) if text else "")


def _results(resource: Found) -> Iterator[tuple[str, object]]:
    """What the operator found out, by our columns."""
    status = resource.get("status") or {}
    yield "kube_cr_uid", resource["metadata"]["uid"]
    if status.get("sdkSessionId"):
        yield "sdk_session_id", str(status["sdkSessionId"]).replace("\0", "")
    if status.get("sdkRestartCount") is not None:
        yield "sdk_restart_count", status["sdkRestartCount"]
    for name, column in (
        ("reconciledRepos", "reconciled_repos"),
        ("reconciledWorkflow", "reconciled_workflow"),
    ):
        if status.get(name):
            yield column, json.dumps(status[name], sort_keys=True)


def _all_conditions(resource: Found) -> list[Found]:
    return list((resource.get("status") or {}).get("conditions") or ())


def _is_of(pod: Found, resource: Found) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == resource["metadata"]["uid"] for owner in owners)


def _is_late(resource: Found, now: datetime.datetime) -> bool:
    """Whether a stop was asked for long ago. What is not a time was set by somebody else, and is none."""
    try:
        asked = datetime.datetime.fromisoformat(annotation(resource, STOP_REQUESTED))
        return (now - asked).total_seconds() > AWAY_SECONDS
    except (ValueError, TypeError):
        return False
