"""Startup and readiness probes as a kubelet runs them."""

import contextlib
import socket
import time

import httpx

from tests.kube.api import Document
from tests.kube.container import ContainerProcess


class Probe:
    """One probe of one container; without one, all is always well."""

    def __init__(self, container: Document, kind: str, address: str) -> None:
        self._probe: Document | None = container.get(kind)
        self._ports = {port.get("name"): port["containerPort"] for port in container.get("ports", [])}
        self._address = address
        self.begin()

    def begin(self) -> None:
        """The container has been started."""
        delay = self._probe.get("initialDelaySeconds", 0) if self._probe else 0
        self._due = time.monotonic() + delay
        self._failures = 0
        self._well = self._probe is None

    @property
    def has_failed(self) -> bool:
        """Whether it has failed as often as it may."""
        return self._probe is not None and self._failures >= self._probe.get("failureThreshold", 3)

    def check(self, process: ContainerProcess) -> bool:
        """Ask when it is time; else what is known."""
        if self._probe is not None and time.monotonic() >= self._due:
            self._due = time.monotonic() + self._probe.get("periodSeconds", 10)
            if self._ask(self._probe, process):
                self._failures, self._well = 0, True
            else:
                self._failures += 1
                self._well = self._well and not self.has_failed
        return self._well

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


class Probes:
    """When a container has started, and when it can be sent work: before it has started nobody asks that."""

    def __init__(self, container: Document, address: str) -> None:
        self._startup = Probe(container, "startupProbe", address)
        self._readiness = Probe(container, "readinessProbe", address)
        self.has_started = False

    def begin(self) -> None:
        """The container has been started."""
        self.has_started = False
        self._startup.begin()
        self._readiness.begin()

    @property
    def have_failed(self) -> bool:
        """Whether it must be killed: it did not start in time."""
        return not self.has_started and self._startup.has_failed

    def check(self, process: ContainerProcess) -> bool:
        """Whether it is ready."""
        self.has_started = self.has_started or self._startup.check(process)
        return self.has_started and self._readiness.check(process)
