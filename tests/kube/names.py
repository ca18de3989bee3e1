"""Names of Services in pods of the fake node: a file of hosts that follows the pods which are ready.

It stands for the cluster's DNS and kube-proxy, so it knows Services whose port is their pods' port.
"""

import contextlib
import threading
from pathlib import Path

import httpx

from tests.kube.access import Access
from tests.kube.api import ApiError, Document

PLACE = "/etc/hosts"
EVERY_SECONDS = 0.5


class ServiceNames:
    """The Services of one namespace. Mount `path` at PLACE in every pod that is to know them."""

    def __init__(self, access: Access, namespace: str, path: Path) -> None:
        self.path = path
        self._root = f"/api/v1/namespaces/{namespace}"
        self._suffix = f"{namespace}.svc"
        self._api = access.api()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="service names", daemon=True)

    def __enter__(self) -> "ServiceNames":
        self._write([])
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._api.close()

    def _follow(self) -> None:
        known: list[str] = []
        while not self._stopped.wait(EVERY_SECONDS):
            with contextlib.suppress(ApiError, httpx.HTTPError):
                if (found := self._look()) != known:
                    self._write(found)
                    known = found

    def _look(self) -> list[str]:
        pods = [pod for pod in self._api.get(f"{self._root}/pods")["items"] if is_ready(pod)]
        return [
            f"{pod['status']['podIP']} {service['metadata']['name']}.{self._suffix}"
            for service in self._api.get(f"{self._root}/services")["items"]
            for pod in pods
            if service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        ]

    def _write(self, lines: list[str]) -> None:
        """Into the same file: it is mounted."""
        self.path.write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))


def is_ready(pod: Document) -> bool:
    """Whether a Service would send somebody there."""
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return "deletionTimestamp" not in pod["metadata"] and conditions.get("Ready") == "True"
