"""A real Kubernetes control plane in a throw-away folder: started, killed, frozen, compacted, stopped."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx

from ambient.common import processes
from ambient.embedded.home import CHECKOUT, free_port, write_private
from tests.e2e.system import GENEROUS, eventually
from tests.kube.access import Access, certificate_user, kubeconfig
from tests.kube.pki import Authority, signing_keys

BUILD = CHECKOUT / "tools" / "kube" / "build.sh"
READY_SECONDS = 30 * GENEROUS
ETCD, API_SERVER = "etcd", "kube-apiserver"
CONTROLLERS, SCHEDULER = "kube-controller-manager", "kube-scheduler"
NAMES = (ETCD, API_SERVER, CONTROLLERS, SCHEDULER)
ISSUER = "https://kubernetes.default.svc"


def programs() -> Path:
    """The folder of the built programs; it need not exist."""
    found = subprocess.run([BUILD, "where"], check=True, capture_output=True, text=True)
    return Path(found.stdout.strip())


class Daemon:
    """One program of the cluster. It dies with this process."""

    def __init__(self, argv: Sequence[str], log: Path) -> None:
        self.log = log
        self._argv = argv
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its pid, while it was not stopped."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Run it, unless it runs."""
        if self._process is None or self._process.poll() is not None:
            with self.log.open("ab") as output:
                # A pod may ask for our environment by name; a control plane needs nothing of it.
                self._process = processes.spawn(self._argv, env={"PATH": os.environ["PATH"]}, output=output)

    def send(self, number: int) -> None:
        """A signal to it."""
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGKILL, seconds: float = 5) -> None:
        """End it, in the end by SIGKILL."""
        if self._process is not None:
            processes.stop(self._process, [(number, seconds)])
            self._process = None

    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process is not None and self._process.poll() is not None


class Cluster(Access):
    """A control plane of one's own. Who breaks it, heals it."""

    def __init__(self, folder: Path, server_flags: Mapping[str, object] | None = None) -> None:
        """`server_flags`: more flags of the API server, such as those of its audit log."""
        super().__init__(folder)
        self._server_flags = server_flags or {}
        self._daemons: dict[str, Daemon] = {}

    def start(self) -> None:
        """Start all; returns when it is ready for pods."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port, etcd, peers = free_port(), free_port(), free_port()
        (self.folder / "url").write_text(f"https://127.0.0.1:{port}")
        self._etcd_url = f"http://127.0.0.1:{etcd}"
        self._write_identities()
        binaries = programs()
        tables = _flags(self.folder, port, self._etcd_url, f"http://127.0.0.1:{peers}")
        tables[API_SERVER] |= self._server_flags
        for name, flags in tables.items():
            argv = [str(binaries / name), *(f"--{flag}={value}" for flag, value in flags.items())]
            self._daemons[name] = Daemon(argv, self.folder / f"{name}.log")
        try:
            self.heal()
        except BaseException:
            self.stop()
            raise

    def heal(self) -> None:
        """Start what does not run, and wait until all is well."""
        for name in (ETCD, API_SERVER):
            self._daemons[name].start()
        eventually(self._serves, "the API server is ready", READY_SECONDS)
        for name in (CONTROLLERS, SCHEDULER):
            self._daemons[name].start()
        api = self.api()
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        eventually(lambda: api.exists(account), "controllers work", READY_SECONDS)
        api.close()

    def stop(self) -> None:
        """End all; the folder stays."""
        for daemon in reversed(self._daemons.values()):
            daemon.end()

    def pids(self) -> dict[str, int]:
        """The pid of each program."""
        return {name: daemon.pid for name, daemon in self._daemons.items()}

    @contextlib.contextmanager
    def without(self, name: str) -> Iterator[None]:
        """A time in which one program is dead; afterwards all is well."""
        self._daemons[name].end()
        try:
            yield
        finally:
            self.heal()

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """A time in which one program answers nobody, but is there."""
        self._daemons[name].send(signal.SIGSTOP)
        try:
            yield
        finally:
            self._daemons[name].send(signal.SIGCONT)
            self.heal()

    def compact(self) -> None:
        """Forget old revisions: who watches from one, once the API server starts anew, gets 410."""
        with httpx.Client(base_url=self._etcd_url, trust_env=False) as etcd:
            revision = etcd.post("/v3/maintenance/status", json={}).json()["header"]["revision"]
            etcd.post("/v3/kv/compaction", json={"revision": revision}).raise_for_status()

    def _serves(self) -> bool:
        ended = [daemon.log for daemon in self._daemons.values() if daemon.has_ended()]
        assert not ended, f"{ended[0].name}: {ended[0].read_text(errors='replace')[-2000:]}"
        api = self.api()
        with contextlib.closing(api), contextlib.suppress(Exception):
            return api.text("/readyz") == "ok"
        return False

    def _write_identities(self) -> None:
        authority = Authority.new()
        write_private(self.folder / "authority.json", json.dumps(vars(authority.pair)))
        (self.folder / "ca.crt").write_text(authority.certificate)
        server = authority.issue("kube-apiserver", addresses=["127.0.0.1", "10.0.0.1"])
        server.write(self.folder, "server")
        authority.issue("kube-apiserver-kubelet-client").write(self.folder, "kubelet-client")
        private, public = signing_keys()
        write_private(self.folder / "tokens.key", private)
        (self.folder / "tokens.pub").write_text(public)
        admin = certificate_user(authority.issue("admin", ["system:masters"]))
        write_private(self.kubeconfig, json.dumps(kubeconfig(self.url, authority.certificate, admin)))


def _flags(folder: Path, port: int, etcd: str, peers: str) -> dict[str, dict[str, object]]:
    """How each program is started."""
    etcd_flags = {
        "data-dir": folder / "etcd",
        "listen-client-urls": etcd,
        "advertise-client-urls": etcd,
        "listen-peer-urls": peers,
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }
    server_flags = {
        "etcd-servers": etcd,
        "secure-port": port,
        "bind-address": "127.0.0.1",
        "tls-cert-file": folder / "server.crt",
        "tls-private-key-file": folder / "server.key",
        "client-ca-file": folder / "ca.crt",
        "kubelet-client-certificate": folder / "kubelet-client.crt",
        "kubelet-client-key": folder / "kubelet-client.key",
        "kubelet-certificate-authority": folder / "ca.crt",
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": ISSUER,
        "service-account-key-file": folder / "tokens.pub",
        "service-account-signing-key-file": folder / "tokens.key",
        "service-cluster-ip-range": "10.0.0.0/24",
        "authorization-mode": "Node,RBAC",
        "allow-privileged": "true",  # as clusters have it, so that what keeps such pods out is ours
        "enable-admission-plugins": "NodeRestriction",
        "disable-admission-plugins": "TaintNodesByCondition",  # nodes would come up unschedulable
    }
    controller_flags = {
        "kubeconfig": folder / "kubeconfig",
        "service-account-private-key-file": folder / "tokens.key",
        "root-ca-file": folder / "ca.crt",
        "leader-elect": "false",
        "secure-port": 0,
        "controllers": "*,-nodeipam,-route,-service,-cloud-node-lifecycle,-endpointslice,-endpoint",
        "node-monitor-grace-period": "8s",
        "node-monitor-period": "1s",
        "node-eviction-rate": 10,
    }
    scheduler_flags = {"kubeconfig": folder / "kubeconfig", "leader-elect": "false", "secure-port": 0}
    return {
        ETCD: etcd_flags,
        API_SERVER: server_flags,
        CONTROLLERS: controller_flags,
        SCHEDULER: scheduler_flags,
    }
