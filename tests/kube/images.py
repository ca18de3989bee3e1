"""What stands for images on the fake node."""

import shlex
from pathlib import Path

from ambient import env
from reconciler.runnerhost.child import RUNNER_SOURCES
from tests.kube.container import Image
from tests.kube.environment import DEFAULT_PATH
from tests.unit.deploy.containerfile import copy, parse

RUNNER = "ambient-runner"
SERVER = "ambient-server"
ENVIRONMENT = "/opt/runner"


def runner_image(python: Path | None = None) -> Image:
    """Our runner from this checkout, with the framework claude where `make setup-claude` has installed it.

    `python`: of another virtual environment.
    """
    python = python or (env.CLAUDE_PYTHON if env.CLAUDE_PYTHON.exists() else env.RUNNER_PYTHON)
    sources = {f"/opt/ambient/{number}": source for number, source in enumerate(RUNNER_SOURCES)}
    return Image(
        entrypoint=(f"{ENVIRONMENT}/bin/python", "-m", "ambient_runner"),
        environment={"PATH": f"{ENVIRONMENT}/bin:{DEFAULT_PATH}", "PYTHONPATH": ":".join(sources)},
        files={ENVIRONMENT: python.parent.parent, **sources},
    )


def server_image() -> Image:
    """Our server as its recipe builds it, the installed packages from this checkout's environment."""
    build, last = parse(env.BASE_DIR / "deploy/images/server/Containerfile").stages
    [workdir] = build.texts("WORKDIR")
    files = {"/opt/ambient/venv": env.BASE_DIR / ".venv"}
    for copied in map(copy, build.texts("COPY")):
        if copied.target.startswith("./"):
            for source in map(env.BASE_DIR.joinpath, copied.sources):
                target = f"{workdir}/{copied.target.removeprefix('./')}".rstrip("/")
                files[target if source.is_dir() else f"{target}/{source.name}"] = source
    variables = (part.split("=", 1) for text in last.texts("ENV") for part in shlex.split(text))
    return Image(environment=dict(variables), files=files, workdir=last.texts("WORKDIR")[-1])


IMAGES = {"debian": Image(entrypoint=("sh",)), RUNNER: runner_image(), SERVER: server_image()}
