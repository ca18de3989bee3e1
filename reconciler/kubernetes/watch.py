"""List, then watch: what moves in a cluster becomes due work. Decides and keeps nothing (docs/adr/0005).

Whenever the thread of events is broken it asks for a sweep, which compares everything; so a lost event costs
at most the sweep's period, and a silent cluster is noticed.
"""

import random
import threading
import time

import structlog
from django.db import DatabaseError, connections

from reconciler import resync, workqueue
from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes.client import Cluster, connect
from reconciler.kubernetes.errors import Gone
from reconciler.kubernetes.health import note_heard
from reconciler.kubernetes.names import PROJECT, Manifest, labels_of, selector, session_of
from reconciler.models import Installation
from reconciler.runnerhost.sightings import Sightings
from reconciler.wake import wake

PATH = "/api/v1/pods"
PATHS = {"kubernetes": PATH, "operator": "/apis/vteam.ambient-code/v1alpha1/agenticsessions"}
"""What shows that a session has moved, by the runtime."""
HEARD_EVERY_SECONDS = 1.0
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 5.0

log = structlog.get_logger(__name__)


class ClusterWatch:
    """Follows the objects of this installation, cluster-wide: a watch cannot choose namespaces by label."""

    def __init__(self, cluster: Cluster, sightings: Sightings, path: str = PATH) -> None:
        self._cluster = cluster
        self._path = path
        self._sightings = sightings
        self._version: str | None = None
        self._heard_at = float("-inf")
        self._wait = FIRST_WAIT_SECONDS

    def run(self) -> None:
        """Until the process ends. A fault of the cluster or the database is waited for."""
        while True:
            note_heard(first=True)  # also of a cluster that never answers
            try:
                self.follow()
                continue
            except Gone:
                log.info("the watch is too old, looking at everything again")
                self._version = None
            except (TemporaryError, PermanentError) as exc:
                log.warning("no watch", reason=exc.reason, message=exc.message, next_try_seconds=self._wait)
            except DatabaseError as exc:
                log.warning("the watch waits for the database", error=type(exc).__name__)
                connections.close_all()
            except Exception:  # noqa: BLE001 - the end of this thread would be seen by nobody
                log.exception("the watch failed")
            time.sleep(self._wait * random.uniform(0.8, 1.2))  # noqa: S311 - spreads reconnects
            self._wait = min(self._wait * 2, LONGEST_WAIT_SECONDS)

    def follow(self) -> None:
        """One watch to its end, after a list where there is nothing to go on from."""
        chosen = selector(Installation.objects.values_list("pk", flat=True).get())
        connections.close_all()  # not held while nothing happens
        if self._version is None:
            self._version = self._cluster.version(self._path, labelSelector=chosen)
            self._heard()
            self._look_at_everything()
        for event in self._cluster.watch(self._path, self._version, labelSelector=chosen):
            self._take(event)
        self._heard()

    def _take(self, event: Manifest) -> None:
        found = event["object"]
        self._version = found["metadata"]["resourceVersion"]
        self._heard()
        if event["type"] != "BOOKMARK" and not _is_own_doing(event):
            self._sightings.add(session_of(found), labels_of(found).get(PROJECT, ""))

    def _look_at_everything(self) -> None:
        workqueue.ask(resync.KIND, resync.KEY)
        connections.close_all()
        wake()

    def _heard(self) -> None:
        """The cluster lives: note when, for the metric of any server."""
        self._wait = FIRST_WAIT_SECONDS
        if time.monotonic() - self._heard_at >= HEARD_EVERY_SECONDS:
            self._heard_at = time.monotonic()
            note_heard()


def _is_own_doing(event: Manifest) -> bool:
    """Whether an object was only made: whoever made it knows, and nobody in the cluster has taken it up."""
    return event["type"] == "ADDED" and not (event["object"].get("status") or {}).get("conditions")


def start(runtime: str) -> None:
    """Watch in a thread of this process."""
    sightings = Sightings()
    sightings.start()
    threading.Thread(
        target=ClusterWatch(connect(), sightings, PATHS[runtime]).run, name="cluster-watch", daemon=True
    ).start()
