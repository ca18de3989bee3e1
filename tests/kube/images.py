"""What stands for images on the fake node."""

from ambient import env
from reconciler.runnerhost.child import RUNNER_SOURCES
from tests.kube.container import Image
from tests.kube.environment import DEFAULT_PATH

RUNNER = "ambient-runner"
ENVIRONMENT = "/opt/runner"


def runner_image() -> Image:
    """Our runner with the framework demo, from this checkout and its `.venv-runner`."""
    sources = {f"/opt/ambient/{number}": source for number, source in enumerate(RUNNER_SOURCES)}
    return Image(
        entrypoint=(f"{ENVIRONMENT}/bin/python", "-m", "ambient_runner"),
        environment={"PATH": f"{ENVIRONMENT}/bin:{DEFAULT_PATH}", "PYTHONPATH": ":".join(sources)},
        files={ENVIRONMENT: env.RUNNER_PYTHON.parent.parent, **sources},
    )


IMAGES = {"debian": Image(entrypoint=("sh",)), RUNNER: runner_image()}
