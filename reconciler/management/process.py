"""Becoming a process type: settings depend on it, so it must be known before they are read."""

import os
import signal
import sys

from django.core.exceptions import ImproperlyConfigured

from ambient import env
from ambient.common.sealed import require_known_keys

OPENING = ("api", "control-plane", "worker")
"""What reads or writes sealed values."""


def become(process: str) -> None:
    """Start this command again as the process type, under the same pid.

    Does nothing under `manage.py`, which names the process first; another program may call the command too.
    """
    if env.PROCESS == process:
        if process in OPENING:
            _check_keys()
        return
    sys.stdout.flush()
    sys.stderr.flush()
    environment = os.environ | {"AMBIENT_PROCESS": process}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - ourselves


def _check_keys() -> None:
    try:
        require_known_keys(env.MODE == "production")
    except ImproperlyConfigured as exc:
        sys.exit(f"error: {exc}")


def end_at_once_on_signal() -> None:
    """SIGTERM and SIGINT end the process with code 0: for one that holds nothing but its connections.

    An exception out of a handler would not do: one that meets a finaliser or a callback of the garbage
    collector is printed and dropped, and the process stays.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
