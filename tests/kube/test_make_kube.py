"""`make kube` says how to run the platform on its cluster, and what it says is enough."""

import os
import re
import shlex
import signal
import subprocess
import sys

import pytest

from ambient import env
from reconciler.errors import TemporaryError
from reconciler.kubernetes.client import Cluster
from tests.kube.images import IMAGES

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]


@pytest.fixture
def said(kube_programs, tmp_path):
    """What it prints, up to its last line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kube"],
        cwd=env.BASE_DIR,
        env=os.environ | {"AMBIENT_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.strip() == "make up":
            break
    yield "".join(lines)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_the_command_for_the_platform_names_settings_and_a_kubeconfig_of_little_rights(said):
    [command] = re.findall(r"^  (AMBIENT_RUNTIME=.*?make up)$", said, re.MULTILINE | re.DOTALL)
    *settings, make, target = shlex.split(command.replace("\\\n", " "))
    given = dict(setting.split("=", 1) for setting in settings)
    assert (make, target) == ("make", "up")
    assert set(given) <= set(env.DECLARED)
    assert given["AMBIENT_RUNTIME"] == "kubernetes"
    assert given["AMBIENT_RUNNER_IMAGE"].split(":")[0] in IMAGES
    cluster = Cluster(given["AMBIENT_KUBECONFIG"])
    assert cluster.get("/api/v1/namespaces/default")
    with pytest.raises(TemporaryError, match="lacks a permission"):
        cluster.get("/api/v1/nodes")
