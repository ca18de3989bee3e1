"""What people read when no cluster is where it should be."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from reconciler.errors import TemporaryError
from reconciler.kubernetes import client
from sessions_app.choices import Reason


@pytest.fixture
def silent():
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def plain():
    """A port that answers everybody without TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def closed():
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def kubeconfig(tmp_path):
    def write(server):
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "clusters": [{"name": "x", "cluster": {"server": server}}],
            "users": [{"name": "x", "user": {"token": "t"}}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("http://127.0.0.1:{closed}", "it takes no connection", id="nobody-there"),
        pytest.param("http://127.0.0.1:{silent}", "it is too slow", id="no-answer"),
        pytest.param("http://nobody.invalid", "nobody knows its name", id="no-such-name"),
    ],
)
def test_no_answer(kubeconfig, silent, closed, url, said):
    cluster = client.Cluster(kubeconfig(url.format(silent=silent, closed=closed)))
    with pytest.raises(TemporaryError) as fault:
        cluster.get("/version")
    assert fault.value.reason == Reason.CLUSTER_UNREACHABLE
    assert fault.value.message == f"The cluster does not answer ({said}); trying again."


def test_no_secure_connection(kubeconfig, plain):
    cluster = client.Cluster(kubeconfig(f"https://127.0.0.1:{plain}"))
    with pytest.raises(TemporaryError, match="no secure connection"):
        cluster.get("/version")


def test_no_usable_kubeconfig():
    with pytest.raises(TemporaryError, match="no usable kubeconfig") as fault:
        client.Cluster("/nowhere/kubeconfig").get("/version")
    assert fault.value.reason == Reason.CREDENTIAL_REJECTED
