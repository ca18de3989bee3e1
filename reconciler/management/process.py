"""Becoming a process type: settings depend on it, so it must be known before they are read."""

import os
import sys

from ambient import env


def become(process: str) -> None:
    """Start this command again as the process type, under the same pid.

    Does nothing under `manage.py`, which names the process first; another program may call the command too.
    """
    if env.PROCESS == process:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    environment = os.environ | {"AMBIENT_PROCESS": process}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - ourselves
