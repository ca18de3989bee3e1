"""One pod on the fake node: a thread that starts, watches and ends its containers, and reports."""

import contextlib
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.kube import status
from tests.kube.api import ApiError, Document, NotFound
from tests.kube.container import ContainerProcess, Image
from tests.kube.environment import MissingKey, command, environment
from tests.kube.probes import Probes
from tests.kube.volumes import CannotMount, forget, make_volumes, mounts, renew_tokens

if TYPE_CHECKING:
    from tests.kube.node import Node

TICK_SECONDS = 0.1
RETRY_SECONDS = 1.0
LONGEST_BACK_OFF = 10.0
VOLUMES, DEADLINE = "/volumes", "/deadline"  # what is due beside containers, whose names have no slash
MESSAGE_BYTES = 2048
TERMINATION_FILE = "/dev/termination-log"
EVERY_ADDRESS = "0.0.0.0"
DONE = ("Succeeded", "Failed")


class Pod:
    """What this node knows of one pod, until the API has forgotten it."""

    def __init__(self, node: "Node", document: Document, address: str, folder: Path) -> None:
        self.document = document
        self.address = address
        self.folder = folder
        self._node = node
        spec = document["spec"]
        self._policy: str = spec.get("restartPolicy", "Always")
        self._specs = {one["name"]: one for one in [*spec.get("initContainers", []), *spec["containers"]]}
        self._init = [status.Container(one["name"], one["image"]) for one in spec.get("initContainers", [])]
        self._main = [status.Container(one["name"], one["image"]) for one in spec["containers"]]
        for one in self._main if self._init else []:
            one.state = status.waiting("PodInitializing")
        self._probes = {name: Probes(one, address) for name, one in self._specs.items()}
        self._processes: dict[str, ContainerProcess] = {}
        self._due: dict[str, float] = {}
        self._volumes: dict[str, Path] | None = None
        self._started_at = status.now()
        self._verdict: Document = {}  # what the node has decided over it: evicted
        self._reported: Document = {}
        self._is_gone = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.RLock()  # tests break pods from their own threads
        self._thread = threading.Thread(target=self._run, name=f"pod {self.name}", daemon=True)

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.document["metadata"]["namespace"])

    @property
    def path(self) -> str:
        """Where the API has it."""
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    def start(self) -> None:
        """Begin to play it."""
        self._thread.start()

    def update(self, document: Document) -> None:
        """The API has a newer version."""
        self.document = document
        self._wake.set()

    def forget(self) -> None:
        """The API has it no more: it ends at once."""
        self._is_gone.set()
        self._wake.set()

    def join(self) -> None:
        """Wait until nothing of it is left."""
        self._thread.join()

    def pid(self, container: str | None = None) -> int:
        """The program of a container; of the first one, if none is named."""
        with self._lock:
            pid = self._processes[container or self._main[0].name].pid
        assert pid is not None, f"{self.name} does not run"
        return pid

    def pids(self) -> list[int]:
        """The program of each container that runs, also of none."""
        with self._lock:
            return [pid for process in self._processes.values() if (pid := process.pid) is not None]

    def inside(self, argv: Sequence[str], container: str | None = None) -> tuple[list[str], dict[str, str]]:
        """Command and environment that run a program in a container, as `kubectl exec` would."""
        with self._lock:
            return self._processes[container or self._main[0].name].inside(argv)

    def volume(self, name: str) -> Path:
        """The folder behind one of its volumes."""
        return (self._volumes or {})[name]

    def renew_tokens(self) -> None:
        """Give it new tokens before those that it has are worth nothing."""
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            if self._volumes is not None:
                renew_tokens(self._node.api, self.document, self._volumes)

    def log(self, container: str, *, previous: bool = False) -> Path:
        """The file with what a container has printed."""
        known = next(one for one in [*self._init, *self._main] if one.name == container)
        return self._log(known, known.restarts - previous)

    def end(self, container: str | None, reason: str) -> None:
        """Kill a container for a reason that is reported with its exit code 137."""
        with self._lock:
            known = next(one for one in self._main if container in (None, one.name))
            self._ended(known, self._processes.pop(known.name).kill(), reason=reason)
        self._wake.set()

    def kill(self) -> None:
        """Kill all its containers."""
        with self._lock:
            for process in self._processes.values():
                process.kill()

    def evict(self, message: str) -> None:
        """The node cannot keep it."""
        with self._lock:
            self._verdict = {"phase": "Failed", "reason": "Evicted", "message": message}
            self.kill()
        self._node.event(self, "Evicted", message)
        self._wake.set()

    def _run(self) -> None:
        while not self._is_over():
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
        self.kill()
        forget(self.folder)

    def _is_over(self) -> bool:
        """One look at everything; true when there is nothing more to do for it."""
        if self._is_gone.is_set() or self._node.has_stopped:
            return True
        with contextlib.suppress(ApiError, httpx.HTTPError):  # the next look tries again
            with self._lock:
                self._collect()
                if self._is_deleted():
                    return self._end_and_delete()
                if not self._verdict and self._reported.get("phase") not in DONE:
                    self._advance()
            self._report()
        return False

    def _is_deleted(self) -> bool:
        return "deletionTimestamp" in self.document["metadata"]

    def _collect(self) -> None:
        for known in [*self._init, *self._main]:
            process = self._processes.get(known.name)
            if process is not None and (code := process.ended()) is not None:
                del self._processes[known.name]
                self._ended(known, code)
            elif process is not None:
                self._ask(known, process)

    def _ask(self, known: status.Container, process: ContainerProcess) -> None:
        probes = self._probes[known.name]
        known.ready = probes.check(process)
        known.started = probes.has_started
        if probes.have_failed:
            message = f"Container {known.name} failed startup probe, will be killed"
            self._node.event(self, "Killing", message, kind="Normal")
            process.kill()

    def _ended(self, known: status.Container, code: int, *, reason: str = "") -> None:
        known.ready = known.started = False
        known.state = status.terminated(
            known.state, code, reason=reason, message=self._last_words(known, code)
        )
        again = self._policy == "Always" or (self._policy == "OnFailure" and code != 0)
        if known in self._init:
            again = self._policy != "Never" and code != 0
        if again and not self._is_deleted() and not self._verdict:
            delay = min(2.0 ** (known.restarts - 1), LONGEST_BACK_OFF) if known.restarts else 0.0
            self._due[known.name] = time.monotonic() + delay
            known.last = known.state
            known.state = status.waiting(
                "CrashLoopBackOff", f"back-off {delay:g}s restarting failed container"
            )
            known.restarts += 1

    def _last_words(self, known: status.Container, code: int) -> str:
        spec = self._specs[known.name]
        text = (self.folder / known.name / "termination").read_bytes()
        if not text and code != 0 and spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            text = self._log(known, known.restarts).read_bytes()
        return text[-MESSAGE_BYTES:].decode(errors="replace")

    def _advance(self) -> None:
        """Start what is to be started now."""
        if self._node.starts_held:
            return
        if self._volumes is None and not self._is_due(VOLUMES):
            return
        if self._volumes is None:
            try:
                self._volumes = make_volumes(
                    self._node.api, self.document, self.folder / "volumes", self._read
                )
            except CannotMount as exc:
                self._node.event(self, "FailedMount", str(exc))
                self._due[VOLUMES] = time.monotonic() + RETRY_SECONDS
                return
        for known in self._init:
            if known.exit_code != 0:
                self._start(known, self._volumes)
                return
        for known in self._main:
            self._start(known, self._volumes)

    def _is_due(self, name: str) -> bool:
        return time.monotonic() >= self._due.get(name, 0.0)

    def _start(self, known: status.Container, volumes: Mapping[str, Path]) -> None:
        """Run a container, unless it runs, has ended for good or must wait."""
        if "waiting" not in known.state or not self._is_due(known.name):
            return
        self._due[known.name] = time.monotonic() + RETRY_SECONDS
        image = self._node.image(known.image)
        if image is None:
            self._cannot_pull(known)
            return
        spec = self._specs[known.name]
        try:
            values = environment(
                self._with_address(), spec, image.environment, self._node.service, self._read
            )
        except MissingKey as exc:
            known.state = status.waiting("CreateContainerConfigError", str(exc))
            self._node.event(self, "Failed", f"Error: {exc}")
            return
        folder = self.folder / known.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "termination").write_bytes(b"")
        self._processes[known.name] = ContainerProcess(
            folder, self._log(known, known.restarts), self._launch(spec, image, values, volumes, folder)
        )
        known.number = f"process://{self.document['metadata']['uid']}/{known.name}/{known.restarts}"
        known.state = status.running()
        self._probes[known.name].begin()
        self._node.event(self, "Started", f"Started container {known.name}", kind="Normal")

    def _launch(
        self,
        spec: Document,
        image: Image,
        values: Mapping[str, str],
        volumes: Mapping[str, Path],
        folder: Path,
    ) -> dict[str, Any]:
        security = {**self.document["spec"].get("securityContext", {}), **spec.get("securityContext", {})}
        words = {
            "source": str(folder / "termination"),
            "target": spec.get("terminationMessagePath", TERMINATION_FILE),
            "read_only": False,
        }
        argv = command(spec, image.entrypoint, values)
        # All pods are on the host's network: who would listen on every address gets the pod's.
        own = {EVERY_ADDRESS: self.address}
        return {
            "argv": [own.get(part, part) for part in argv],
            "environment": {name: own.get(value, value) for name, value in values.items()},
            "mounts": [*image.mounts(), *mounts(spec, volumes), words],
            "workdir": spec.get("workingDir") or image.workdir,
            "user": security.get("runAsUser", 0),
            "group": security.get("runAsGroup", security.get("runAsUser", 0)),
            "read_only": security.get("readOnlyRootFilesystem", False),
            "shared_processes": self.document["spec"].get("shareProcessNamespace", False),
        }

    def _cannot_pull(self, known: status.Container) -> None:
        """The first try says why, the waiting for the next one says that it waits."""
        if known.state["waiting"]["reason"] == "ErrImagePull":
            message = f'Back-off pulling image "{known.image}"'
            known.state = status.waiting("ImagePullBackOff", message)
            self._node.event(self, "BackOff", message)
        else:
            message = f'failed to pull and unpack image "{known.image}": not found'
            known.state = status.waiting("ErrImagePull", message)
            self._node.event(self, "Failed", f'Failed to pull image "{known.image}": {message}')

    def _end_and_delete(self) -> bool:
        """SIGTERM, the grace, SIGKILL, then the last word to the API. Looks again until it is over."""
        if not self._processes:
            if self._report():
                self._node.delete(self)
            return False
        if DEADLINE not in self._due:
            grace = self.document["metadata"]["deletionGracePeriodSeconds"]
            self._due[DEADLINE] = time.monotonic() + grace
            for process in self._processes.values():
                process.send(signal.SIGTERM)
        elif self._is_due(DEADLINE):
            self.kill()
        return False

    def _report(self) -> bool:
        """Tell the API what has changed; true when it knows all."""
        if self._node.is_cut_off:
            return False
        found = status.pod_status(self.document, self.address, self._init, self._main, self._started_at)
        found |= self._verdict
        if found == self._reported:
            return True
        body = {"metadata": {"uid": self.document["metadata"]["uid"]}, "status": found}
        with contextlib.suppress(NotFound):
            answer = self._node.api.merge(f"{self.path}/status", body)
            self.document["status"] = answer["status"]
        self._reported = found
        return True

    def _with_address(self) -> Document:
        return {
            **self.document,
            "status": {"podIP": self.address, "podIPs": self.address, "hostIP": "127.0.0.1"},
        }

    def _read(self, kind: str, name: str) -> Document:
        """An object that the pod names. A refusal is asked again: the API may not know yet what is here."""
        try:
            return self._node.api.get(f"/api/v1/namespaces/{self.namespace}/{kind}/{name}")
        except NotFound as exc:
            raise LookupError(f'{kind} "{name}" not found') from exc

    def _log(self, known: status.Container, number: int) -> Path:
        return self.folder / known.name / f"{number}.log"
