"""Stock generators read sdk/openapi.yaml, and what they write compiles: oapi-codegen, openapi-typescript,
openapi-python-client, at the versions of tools/generators and requirements/."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.contract.documents import read_yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "sdk" / "openapi.yaml"
LANGUAGES = ["go", "typescript", "python"]

pytestmark = [pytest.mark.generators, pytest.mark.timeout(600)]


def generated(language, document, folder):
    return subprocess.run(
        [ROOT / "tools" / "generators" / "run.sh", language, document, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_generated_compiles(language, tmp_path):
    found = generated(language, DOCUMENT, tmp_path)
    assert found.returncode == 0, found.stdout[-5000:]
    written = "".join(file.read_text() for file in tmp_path.rglob("api*/**/*") if file.is_file())
    written += "".join(file.read_text() for file in tmp_path.glob("api.*"))
    assert "ScheduledSession" in written


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_document_that_points_nowhere_is_refused(language, tmp_path):
    document = read_yaml(DOCUMENT.read_text())
    del document["components"]["schemas"]["ScheduledSession"]
    broken = tmp_path / "broken.yaml"
    broken.write_text(yaml.safe_dump(document))
    found = generated(language, broken, tmp_path / "out")
    assert found.returncode != 0
    assert "ScheduledSession" in found.stdout
