"""Readiness probes as a kubelet runs them."""

import contextlib
import socket
import time

import httpx

from tests.kube.api import Document
from tests.kube.container import ContainerProcess


class Readiness:
    """Whether one container can be sent work. Without a probe it can as soon as it runs."""

    def __init__(self, container: Document, address: str) -> None:
        self._probe: Document | None = container.get("readinessProbe")
        self._ports = {port.get("name"): port["containerPort"] for port in container.get("ports", [])}
        self._address = address
        self._due = 0.0
        self._failures = 0
        self._ready = False

    def begin(self) -> None:
        """It has been started."""
        delay = self._probe.get("initialDelaySeconds", 0) if self._probe else 0
        self._due, self._failures, self._ready = time.monotonic() + delay, 0, self._probe is None

    def check(self, process: ContainerProcess) -> bool:
        """Ask it when it is time; else what is known."""
        if self._probe is not None and time.monotonic() >= self._due:
            self._due = time.monotonic() + self._probe.get("periodSeconds", 10)
            if self._ask(self._probe, process):
                self._failures, self._ready = 0, True
            else:
                self._failures += 1
                self._ready = self._ready and self._failures < self._probe.get("failureThreshold", 3)
        return self._ready

    def _ask(self, probe: Document, process: ContainerProcess) -> bool:
        seconds = probe.get("timeoutSeconds", 1)
        if "exec" in probe:
            return process.run_inside(probe["exec"]["command"], seconds)
        if "tcpSocket" in probe:
            with contextlib.suppress(OSError):
                socket.create_connection((self._address, self._port(probe["tcpSocket"])), seconds).close()
                return True
            return False
        get = probe["httpGet"]
        scheme = get.get("scheme", "HTTP").lower()
        url = f"{scheme}://{self._address}:{self._port(get)}{get.get('path', '/')}"
        headers = {header["name"]: header["value"] for header in get.get("httpHeaders", [])}
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(url, headers=headers, timeout=seconds, verify=False, trust_env=False)
            return 200 <= answer.status_code < 400
        return False

    def _port(self, where: Document) -> int:
        port = where["port"]
        return port if isinstance(port, int) else self._ports[port]
