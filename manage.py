#!/usr/bin/env python3
"""Entry script of the platform's commands."""

import os
import sys

PROCESSES = {
    "serve api": "api",
    "serve control-plane": "control-plane",
    "worker": "worker",
    "beat": "beat",
    "watcher": "watcher",
    "runner_host": "runner-host",
}


def process_of(arguments: list[str]) -> str | None:
    """The process type that a command line starts; settings depend on it (AMBIENT_PROCESS)."""
    return PROCESSES.get(" ".join(arguments[:2])) or PROCESSES.get(" ".join(arguments[:1]))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ambient.settings")
    if process := process_of(sys.argv[1:]):
        os.environ["AMBIENT_PROCESS"] = process
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        from ambient import env  # noqa: F401  a wrong setting is one line, not a traceback
    except ImproperlyConfigured as exc:
        sys.exit(f"error: {exc}")
    execute_from_command_line(sys.argv)
