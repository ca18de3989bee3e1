"""Our chart, rendered and installed by the real Helm."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import yaml

from tests.kube.api import Document
from tests.unit.deploy.chart import CHART

KUBERNETES = "1.34.2"
RELEASE = "ambient"


class Refused(Exception):
    """What Helm says."""


class Helm:
    """One Helm with a home of its own."""

    def __init__(self, program: Path, home: Path) -> None:
        self._program = program
        self._environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}

    def template(self, *arguments: str, namespace: str, files: Iterable[Path] = ()) -> list[Document]:
        """The documents of the chart; raises Refused."""
        asked = ["template", RELEASE, str(CHART), "--kube-version", KUBERNETES, *_values(files), *arguments]
        text = self._run(*asked, "--namespace", namespace)
        return [document for document in yaml.safe_load_all(text) if document]

    def lint(self, files: Iterable[Path]) -> None:
        """Helm's own checks; raises Refused."""
        self._run("lint", "--strict", str(CHART), "--kube-version", KUBERNETES, *_values(files))

    def on(self, kubeconfig: Path, namespace: str, *arguments: str, files: Iterable[Path] = ()) -> str:
        """A command about the release in a cluster, such as `install`; what it prints."""
        where = ["--kubeconfig", str(kubeconfig), "--namespace", namespace]
        return self._run(*arguments, *_values(files), *where)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._program, *arguments], env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Refused(done.stderr)
        return done.stdout


def _values(files: Iterable[Path]) -> list[str]:
    return [f"--values={file}" for file in files]
