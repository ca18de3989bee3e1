"""Which processes a platform has, and where its servers listen."""

import pytest

from ambient.embedded.errors import EmbeddedError
from ambient.embedded.platform import endpoints, process_specs

SIX = ["api", "control-plane", "worker", "beat", "watcher", "runner-host"]


@pytest.mark.parametrize(
    ("env", "names"),
    [
        pytest.param({}, SIX, id="process-runtime-by-default-has-a-runner-host"),
        pytest.param({"AMBIENT_RUNTIME": "process"}, SIX, id="process-runtime"),
        pytest.param({"AMBIENT_RUNTIME": "kubernetes"}, SIX[:-1], id="kubernetes-has-none"),
        pytest.param({"AMBIENT_RUNTIME": "operator"}, SIX[:-1], id="operator-has-none"),
    ],
)
def test_process_types(env, names):
    specs = process_specs(env)
    assert [spec.name for spec in specs] == names
    assert all(env.items() <= dict(spec.env).items() for spec in specs)
    assert all(spec.argv[1].endswith("manage.py") for spec in specs)


@pytest.mark.parametrize(
    ("env", "urls"),
    [
        pytest.param({}, ["http://127.0.0.1:8000", "http://127.0.0.1:9080"], id="defaults"),
        pytest.param(
            {"AMBIENT_API_PORT": "1", "AMBIENT_CONTROL_PLANE_PORT": "2"},
            ["http://127.0.0.1:1", "http://127.0.0.1:2"],
            id="moved-by-variables",
        ),
        pytest.param(
            {"AMBIENT_HOST": "0.0.0.0"},
            ["http://127.0.0.1:8000", "http://127.0.0.1:9080"],
            id="every-address-is-reached-by-loopback",
        ),
    ],
)
def test_endpoints(env, urls):
    assert [endpoint.url for endpoint in endpoints(env)] == urls


@pytest.mark.parametrize(
    "env",
    [
        pytest.param({"AMBIENT_API_PORT": "http"}, id="word"),
        pytest.param({"AMBIENT_API_PORT": "70000"}, id="too-large"),
        pytest.param({"AMBIENT_API_PORT": "9080"}, id="both-the-same"),
    ],
)
def test_wrong_port_names_the_variable(env):
    with pytest.raises(EmbeddedError, match="AMBIENT_API_PORT"):
        endpoints(env)
