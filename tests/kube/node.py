"""The one fake of the cluster: a node without a kubelet. What runs on it is real.

It registers itself, keeps its lease, and plays the pods that the scheduler gives it as processes in
namespaces of their own (user, mounts, process numbers) with real environment, volumes and tokens. All share
the host's network: each pod has a loopback address of its own (`status.podIP`), and a program must listen on
that one; an argument or variable 0.0.0.0 becomes it. The node holds the rights of a kubelet (Node
authorizer), no more.

It does not do: exec (but see `Pod.inside`) and port-forward, liveness probes, preStop hooks, sidecar init
containers, limits on memory and processor, network policies, names of Services (but see names.py), log
lines' times.
"""

import contextlib
import ipaddress
import random
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.e2e.system import eventually
from tests.kube.access import Access
from tests.kube.api import ApiError, Document, NotFound
from tests.kube.container import Image
from tests.kube.logs import LogServer
from tests.kube.pod import Pod
from tests.kube.status import now

HEARTBEAT_SECONDS = 1.0
WATCH_SECONDS = 5
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "200", "ephemeral-storage": "1Ti"}
NO_PODS = {"pods": "0"}
ADDRESS = "127.0.0.1"


class Node:
    """One node. `images` says what stands for an image, by its name with or without a tag."""

    def __init__(
        self,
        access: Access,
        name: str,
        folder: Path,
        images: Mapping[str, Image],
        capacity: Mapping[str, str] = CAPACITY,
    ) -> None:
        self.name = name
        self.images = dict(images)
        self.capacity = dict(capacity)
        user = f"system:node:{name}"
        self.api = access.api_as(user, ["system:nodes"])
        self._folder = folder
        self._logs = LogServer(ADDRESS, access.authority, user, self._log)
        where = urlsplit(access.url)
        self.service = {"KUBERNETES_SERVICE_HOST": ADDRESS, "KUBERNETES_SERVICE_PORT": str(where.port)}
        self._pods: dict[str, Pod] = {}
        self._addresses = _addresses()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._cut = threading.Event()
        self._held = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"{name} {work.__name__}", daemon=True)
            for work in (self._heartbeats, self._watch)
        ]

    @property
    def path(self) -> str:
        """Where the API has it."""
        return f"/api/v1/nodes/{self.name}"

    @property
    def selector(self) -> dict[str, str]:
        """A pod's `nodeSelector` that leads here: there may be nodes of other tests."""
        return {"kubernetes.io/hostname": self.name}

    @property
    def has_stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def is_cut_off(self) -> bool:
        return self._cut.is_set()

    @property
    def starts_held(self) -> bool:
        return self._held.is_set()

    def start(self) -> None:
        """Register, and play pods from now on."""
        self._logs.start()
        self._register()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all that runs here. The API still has the node; it looks like one that was switched off."""
        self._stopped.set()
        for pod in self.pods():
            pod.forget()
            pod.join()
        self._logs.stop()
        for thread in self._threads:
            thread.join()
        self.api.close()

    def pods(self) -> list[Pod]:
        """Those that are played here."""
        with self._lock:
            return list(self._pods.values())

    def pod(self, namespace: str, name: str) -> Pod:
        """One of them, once it is here."""

        def find() -> Pod | None:
            return next((pod for pod in self.pods() if (pod.namespace, pod.name) == (namespace, name)), None)

        found = eventually(find, f"{name} has come to {self.name}")
        assert found is not None
        return found

    def image(self, name: str) -> Image | None:
        """What stands for an image; None when it cannot be pulled."""
        plain = name.partition("@")[0]
        untagged = plain.rpartition(":")[0] if ":" in plain.rpartition("/")[2] else plain
        return self.images.get(name) or self.images.get(untagged)

    def kill_for_memory(self, namespace: str, name: str, container: str | None = None) -> None:
        """As if a container had used more memory than it may."""
        self.pod(namespace, name).end(container, "OOMKilled")

    def evict(self, namespace: str, name: str) -> None:
        """As if the node were short of something."""
        self.pod(namespace, name).evict("The node was low on resource: memory.")

    @contextlib.contextmanager
    def cut_off(self, *, power: bool = False) -> Iterator[None]:
        """A time in which nothing is heard of the node; without power its processes are gone as well."""
        self._cut.set()
        if power:
            for pod in self.pods():
                pod.kill()
        try:
            yield
        finally:
            self._cut.clear()

    @contextlib.contextmanager
    def holding_starts(self) -> Iterator[None]:
        """A time in which pods come here but their containers do not start."""
        self._held.set()
        try:
            yield
        finally:
            self._held.clear()

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """A time in which no further pod fits."""
        before, self.capacity = self.capacity, self.capacity | NO_PODS
        self._beat()
        try:
            yield
        finally:
            self.capacity = before
            self._beat()

    def event(self, pod: Pod, reason: str, message: str, *, kind: str = "Warning") -> None:
        """Tell the people who look at the pod."""
        document = {
            "metadata": {"generateName": f"{pod.name}."},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": pod.name,
                "namespace": pod.namespace,
                "uid": pod.document["metadata"]["uid"],
            },
            "reason": reason,
            "message": message,
            "type": kind,
            "source": {"component": "kubelet", "host": self.name},
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
        }
        if not self.is_cut_off:
            with contextlib.suppress(ApiError, httpx.HTTPError):  # a namespace that ends takes no events
                self.api.post(f"/api/v1/namespaces/{pod.namespace}/events", document)

    def delete(self, pod: Pod) -> None:
        """The last word on a pod that was asked to go: its containers have ended."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.document["metadata"]["uid"]}}
        with contextlib.suppress(NotFound):
            self.api.delete(pod.path, options)
        pod.forget()

    def _register(self) -> None:
        labels = {"kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux"}
        document = {"metadata": {"name": self.name, "labels": labels}, "status": self._status()}
        try:
            self.api.post("/api/v1/nodes", document)
        except ApiError as exc:
            if exc.reason != "AlreadyExists":
                raise

    def _status(self) -> Document:
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "lastHeartbeatTime": now(),
            "lastTransitionTime": now(),
        }
        return {
            "capacity": self.capacity,
            "allocatable": self.capacity,
            "conditions": [ready],
            "addresses": [
                {"type": "InternalIP", "address": ADDRESS},
                {"type": "Hostname", "address": self.name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._logs.port}},
            "nodeInfo": {"kubeletVersion": "v1.34.2-fake", "operatingSystem": "linux"},
        }

    def _beat(self) -> None:
        """Say that the node lives: status and lease."""
        self.api.merge(f"{self.path}/status", {"status": self._status()})
        renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lease = {"holderIdentity": self.name, "leaseDurationSeconds": 40, "renewTime": renewed}
        try:
            self.api.merge(f"{LEASES}/{self.name}", {"spec": lease})
        except NotFound:
            self.api.post(LEASES, {"metadata": {"name": self.name}, "spec": lease})

    def _heartbeats(self) -> None:
        while not self._stopped.wait(HEARTBEAT_SECONDS):
            if not self.is_cut_off:
                with contextlib.suppress(ApiError, httpx.HTTPError):
                    self._beat()
                for pod in self.pods():
                    with contextlib.suppress(ApiError, httpx.HTTPError):  # it ends, or the cluster is away
                        pod.renew_tokens()

    def _watch(self) -> None:
        """Follow the pods that are bound here, from a fresh list whenever the watch ends."""
        selector = {"fieldSelector": f"spec.nodeName={self.name}"}
        while not self._stopped.wait(0.1):
            if self.is_cut_off:
                continue
            with contextlib.suppress(ApiError, httpx.HTTPError):
                found = self.api.get("/api/v1/pods", **selector)
                self._replace(found["items"])
                version = found["metadata"]["resourceVersion"]
                for kind, pod in self.api.watch(
                    "/api/v1/pods", resourceVersion=version, timeoutSeconds=WATCH_SECONDS, **selector
                ):
                    if self.is_cut_off or self.has_stopped:
                        break
                    self._seen(kind, pod)

    def _replace(self, documents: list[Document]) -> None:
        """The list is the truth: what is not in it is over."""
        known = {document["metadata"]["uid"] for document in documents}
        for uid in [uid for uid in self._pods if uid not in known]:
            self._drop(uid)
        for document in documents:
            self._seen("ADDED", document)

    def _seen(self, kind: str, document: Document) -> None:
        uid = document["metadata"]["uid"]
        if kind == "DELETED":
            self._drop(uid)
        elif uid in self._pods:
            self._pods[uid].update(document)
        elif document.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            pod = Pod(self, document, next(self._addresses), self._folder / uid)
            with self._lock:
                self._pods[uid] = pod
            pod.start()

    def _drop(self, uid: str) -> None:
        with self._lock:
            pod = self._pods.pop(uid, None)
        if pod is not None:
            pod.forget()

    def _log(self, namespace: str, name: str, container: str, previous: bool) -> Path:
        pods = {(pod.namespace, pod.name): pod for pod in self.pods()}
        return pods[namespace, name].log(container, previous=previous)


def _addresses() -> Iterator[str]:
    """Loopback addresses from a random place on: other nodes of this machine take others."""
    network = ipaddress.ip_network("127.0.0.0/8")
    first = random.randrange(2**16, 2**24 - 2**16)
    for number in range(first, first + 2**16):
        if number % 256 not in (0, 255):
            yield str(network[number])
