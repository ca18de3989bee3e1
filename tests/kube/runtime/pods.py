"""All pods that sessions ever had, as the administrator sees them through every outage of the API server."""

import contextlib
import threading
from collections import defaultdict

import httpx

from tests.kube.api import Api, ApiError, Document

PODS = "/api/v1/pods"
SESSION = "ambient-code.io/session-id"
WATCH_SECONDS = 5


class PodHistory:
    """`ever`: the pods of each session by uid; `doubled`: what was ever alive beside another of its session.

    A watch is taken up where it broke off. An API server that started anew may not know that version any
    more; then it is a list again, and nothing is missed but what came and went in the moment before.
    """

    def __init__(self, api: Api) -> None:
        self.ever: dict[str, dict[str, str]] = defaultdict(dict)
        self.doubled: list[tuple[str, ...]] = []
        self._alive: dict[str, dict[str, str]] = defaultdict(dict)
        self._api = api
        self._version = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="pod history", daemon=True)

    def __enter__(self) -> "PodHistory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stopped.wait(0.1):
            try:
                self._take_up()
            except ApiError:
                self._version = ""
            except httpx.HTTPError:
                continue

    def _take_up(self) -> None:
        if not self._version:
            found = self._api.get(PODS, labelSelector=SESSION)
            self._alive.clear()
            for pod in found["items"]:
                self._see("ADDED", pod)
            self._version = found["metadata"]["resourceVersion"]
        query = {"labelSelector": SESSION, "resourceVersion": self._version, "timeoutSeconds": WATCH_SECONDS}
        with contextlib.closing(self._api.watch(PODS, **query)) as events:
            for kind, pod in events:
                self._see(kind, pod)
                self._version = pod["metadata"]["resourceVersion"]

    def _see(self, kind: str, pod: Document) -> None:
        meta = pod["metadata"]
        session, name, uid = meta["labels"][SESSION], meta["name"], meta["uid"]
        self.ever[session][uid] = name
        if kind != "DELETED" and _is_alive(pod):
            self._alive[session][uid] = name
        else:
            self._alive[session].pop(uid, None)
        if len(self._alive[session]) > 1:
            self.doubled.append(tuple(sorted(self._alive[session].values())))


def _is_alive(pod: Document) -> bool:
    finished = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return "deletionTimestamp" not in pod["metadata"] and not finished
