"""What stands for images on the fake node."""

from pathlib import Path

from ambient import env
from reconciler.runnerhost.child import RUNNER_SOURCES
from tests.kube.container import Image
from tests.kube.environment import DEFAULT_PATH

RUNNER = "ambient-runner"
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


IMAGES = {"debian": Image(entrypoint=("sh",)), RUNNER: runner_image()}
