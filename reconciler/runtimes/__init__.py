"""The runtimes by the name that the settings use."""

import functools
from collections.abc import Callable

from ambient import env
from reconciler.errors import PermanentError
from reconciler.runtimes.base import Runtime
from sessions_app.choices import Reason


def _process() -> Runtime:
    from reconciler.runtimes.process import ProcessRuntime

    return ProcessRuntime()


def _kubernetes() -> Runtime:
    from reconciler.runtimes.kubernetes import KubernetesRuntime

    return KubernetesRuntime()


RUNTIMES: dict[str, Callable[[], Runtime]] = {"process": _process, "kubernetes": _kubernetes}


@functools.cache
def _made(name: str) -> Runtime:
    if name not in RUNTIMES:
        raise PermanentError(
            Reason.CONFIG_INVALID,
            f"Sessions cannot run on {name!r} here; AMBIENT_RUNTIME may be {', '.join(RUNTIMES)}.",
        )
    return RUNTIMES[name]()


def runtime_for(name: str | None = None) -> Runtime:
    """The runtime that sessions run on."""
    return _made(name or env.RUNTIME)
