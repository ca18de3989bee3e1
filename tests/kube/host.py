"""One control plane for all workers of a test run: a process that lives as long as anybody is connected.

Run as `python -m tests.kube.host FOLDER`. A worker that is killed is no longer connected, so nothing is left.
"""

import fcntl
import selectors
import socket
import subprocess
import sys
from pathlib import Path

from ambient.common import processes
from ambient.embedded.home import CHECKOUT
from tests.kube.cluster import Cluster

FIRST_SECONDS = 60  # for the worker that started us to connect
READY = b"ready\n"


def join(folder: Path) -> socket.socket:
    """Be connected to the cluster of this folder, started by whoever comes first. Close it to leave."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(folder / "socket"))
        except (FileNotFoundError, ConnectionRefusedError):
            _start(folder)
            connection.connect(str(folder / "socket"))
    return connection


def _start(folder: Path) -> None:
    log = folder / "host.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "tests.kube.host", str(folder)]
        host = processes.spawn(command, cwd=CHECKOUT, output=output, die_signal=0)
    while READY not in log.read_bytes():
        try:
            host.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        raise RuntimeError(f"the cluster did not start:\n{log.read_text()}")
    host.returncode = 0  # it may outlive us: nobody waits for it, or warns that nobody did


def main(folder: Path) -> None:
    """Start a cluster and keep it while there are connections."""
    cluster = Cluster(folder)
    cluster.start()
    (folder / "socket").unlink(missing_ok=True)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / "socket"))
            listener.listen()
            print(READY.decode(), end="", flush=True)
            _keep(listener)
    finally:
        cluster.stop()


def _keep(listener: socket.socket) -> None:
    """Until the last connection is closed."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        connections: set[socket.socket] = set()
        while events := selector.select(None if connections else FIRST_SECONDS):
            for key, _ in events:
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    connections.add(connection)
                    selector.register(connection, selectors.EVENT_READ)
                else:  # nobody writes: it was closed
                    assert isinstance(key.fileobj, socket.socket)
                    selector.unregister(key.fileobj)
                    connections.remove(key.fileobj)
                    key.fileobj.close()
            if not connections:
                return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
