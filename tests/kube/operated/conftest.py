"""A cluster with a scripted operator, and who our processes are there."""

import secrets

import pytest

from tests.kube.operator import IMAGE, OWN, PLAIN_RUNNER, Operator, install
from tests.kube.runtime.permissions import granted


@pytest.fixture(scope="module")
def installed(cluster):
    install(cluster)
    return cluster


@pytest.fixture(scope="module")
def identities(installed):
    """A kubeconfig for each of our processes."""
    return {
        process: str(
            installed.least_privilege(granted(process, OWN, "rbac-operator.yaml"), f"{OWN}/{process}")
        )
        for process in ("worker", "watcher", "control-plane")
    }


@pytest.fixture(scope="module")
def prefix():
    return f"o{secrets.token_hex(3)}-"


@pytest.fixture(scope="module")
def operator(installed, node, prefix):
    node.images[IMAGE] = PLAIN_RUNNER
    operator = Operator(installed, prefix, node.selector)
    operator.start()
    yield operator
    operator.stop()
