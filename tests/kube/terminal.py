"""What docs/kubernetes.md and the chart's notes tell people to type, typed: bash, kubectl, helm.

`kubectl exec` is the one command that the fake node does not serve; it is played by entering the pod.
"""

import contextlib
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from ambient.embedded.home import CHECKOUT
from tests.kube.api import Document
from tests.kube.cluster import programs
from tests.kube.names import is_ready
from tests.kube.node import Node

PAGE = CHECKOUT / "docs/kubernetes.md"
BLOCK = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:helm|kubectl) [^`]+)`")
EXEC = re.compile(r"kubectl -n \S+ exec (?:-it )?deployment/(\S+) -- (.+)")
SECONDS = 600
PROMPT_SECONDS = 180


def blocks(section: str) -> list[str]:
    """The commands that stand apart in a section of the page."""
    return [textwrap.dedent(found[2]) for found in BLOCK.finditer(_section(section))]


def inline(beginning: str) -> str:
    """The one command within the page's sentences that begins so and is whole."""
    found = {each for each in INLINE.findall(PAGE.read_text()) if each.startswith(beginning)}
    [command] = found
    return command


def _section(title: str) -> str:
    text = PAGE.read_text()
    return re.split(r"^## ", text.split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


class Terminal:
    """A person's shell in a folder with `deploy/`, for a namespace that is not called `ambient`."""

    def __init__(self, folder: Path, kubeconfig: Path, namespace: str, node: Node) -> None:
        self.folder = folder
        self.values = folder / "values.yaml"
        self._namespace = namespace
        self._node = node
        path = ":".join([str(Path(sys.executable).parent), str(programs()), "/usr/bin:/bin"])
        self._environment = {"PATH": path, "HOME": str(folder), "KUBECONFIG": str(kubeconfig)}

    def here(self, text: str) -> str:
        """The commands for our namespace."""
        return re.sub(r"(-n|\bnamespace) ambient\b", rf"\1 {self._namespace}", text)

    def type(self, text: str) -> str:
        """Run what the page says; what it prints."""
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", self.here(text)],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def exec(self, text: str, pods: Sequence[Document]) -> str:
        """`kubectl exec` in the first of a Deployment's pods that is ready; what it prints."""
        command, environment = self._inside(text, pods)
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def talk(self, text: str, pods: Sequence[Document], answers: Sequence[tuple[str, str]]) -> str:
        """`kubectl exec -it`: answer each prompt; all that was to be read."""
        command, environment = self._inside(text, pods)
        ours, theirs = pty.openpty()
        with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as child:
            os.close(theirs)
            said = ""
            for prompt, answer in [*answers, ("", "")]:
                with contextlib.suppress(OSError):  # the end of a terminal's other side
                    while not prompt or prompt not in said.rpartition("\n")[2]:
                        assert select.select([ours], [], [], PROMPT_SECONDS)[0], f"no {prompt!r}: {said}"
                        said += os.read(ours, 4096).decode()
                if prompt:
                    assert prompt in said, said
                    os.write(ours, f"{answer}\n".encode())
                    said += "\n"
            assert child.wait(SECONDS) == 0, said
        os.close(ours)
        return said

    def _inside(self, text: str, pods: Sequence[Document]) -> tuple[list[str], dict[str, str]]:
        asked = EXEC.fullmatch(text.strip())
        assert asked, text
        component = asked[1].removeprefix("ambient-")
        of = [
            pod for pod in pods if pod["metadata"]["labels"].get("app.kubernetes.io/component") == component
        ]
        name = next(pod["metadata"]["name"] for pod in of if is_ready(pod))
        return self._node.pod(self._namespace, name).inside(shlex.split(asked[2]))
