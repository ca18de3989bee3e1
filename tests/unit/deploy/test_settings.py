"""The settings that the chart gives are those that the code reads."""

import re
import subprocess
import sys

import pytest

from ambient import env
from tests.unit.deploy.chart import CHART, SCHEMA, setting_names

NOT_IN_A_CLUSTER = {
    "AMBIENT_PROCESS": "set by the commands themselves",
    "AMBIENT_API_PORT": "the Service's port",
    "AMBIENT_CONTROL_PLANE_PORT": "the Service's port",
    "AMBIENT_RUNNER_PYTHON": "of the process runtime",
    "AMBIENT_CLAUDE_PYTHON": "of the process runtime",
    "AMBIENT_KUBECONFIG": "our pods have service accounts",
}
SECRETS = {
    *("AMBIENT_SECRET_KEY", "AMBIENT_ENCRYPTION_KEYS", "CREDENTIAL_ENCRYPTION_KEYRING", "ANTHROPIC_API_KEY"),
    *("DATABASE_URL", "DATABASE_DIRECT_URL", "REDIS_URL", "OIDC_CLIENT_SECRET"),
    *("AMBIENT_S3_ACCESS_KEY", "AMBIENT_S3_SECRET_KEY"),
}


def test_the_chart_sets_what_there_is():
    assert setting_names() - set(env.DECLARED) == set()


def test_every_other_setting_may_be_given_by_its_name():
    allowed = set(SCHEMA["properties"]["settings"]["propertyNames"]["enum"])
    wanted = set(env.DECLARED) - setting_names() - set(NOT_IN_A_CLUSTER)
    assert allowed == wanted, "values.schema.json: settings.propertyNames"


def test_production_gets_what_it_insists_on():
    bare = {"PATH": "/usr/bin:/bin", "AMBIENT_MODE": "production"}
    said = subprocess.run(
        [sys.executable, "-m", "ambient.preflight"],
        cwd=env.BASE_DIR,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    needed = set(re.findall(r"[A-Z]+(?:_[A-Z]+)+", said.partition(" needs ")[2]))
    assert len(needed) > 3
    assert needed - setting_names() == set()


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_secrets_come_out_of_secrets(name):
    config = (CHART / "templates/settings.yaml").read_text()
    assert not re.search(rf"^{name}:", config, re.MULTILINE)
    sources = "".join(path.read_text() for path in (CHART / "templates").glob("*"))
    assert f'(list "{name}" ' in sources
