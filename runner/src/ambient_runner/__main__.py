"""`python -m ambient_runner`: read the launch file, take the socket, serve."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ambient_runner import __version__
from ambient_runner.config import ConfigError, load_config
from ambient_runner.framework import load_framework
from ambient_runner.logs import set_up_logs
from ambient_runner.redaction import Redactor
from ambient_runner.service import EXIT_CONFIG, EXIT_CRASH, RunnerProcess, make_redactor

log = logging.getLogger("ambient_runner")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The launch contract's arguments."""
    parser = argparse.ArgumentParser(prog="ambient-runner", description="Serve one Ambient session.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--config", type=Path, required=True, help="launch file (JSON), deleted when read")
    parser.add_argument("--workspace", type=Path, help="the session's folder, for a launch file without it")
    parser.add_argument("--token-file", type=Path, help="a mounted token to show instead of the launch token")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int, help="an inherited socket that already listens")
    where.add_argument("--port", type=int, help="listen here")
    parser.add_argument("--host", default="127.0.0.1", help="address for --port")
    return parser.parse_args(argv)


def inherited_socket(fd: int) -> socket.socket:
    """The listening TCP socket that the parent left open for us."""
    try:
        found = socket.socket(fileno=fd)
        listening = found.type == socket.SOCK_STREAM and found.getsockopt(
            socket.SOL_SOCKET, socket.SO_ACCEPTCONN
        )
    except OSError as exc:
        raise ConfigError(f"--fd {fd}: no socket ({exc.strerror})") from exc
    if not listening or found.family not in (socket.AF_INET, socket.AF_INET6):
        found.close()
        raise ConfigError(f"--fd {fd}: not a listening TCP socket")
    # The agent's own processes must not inherit the way in.
    found.set_inheritable(False)
    return found


def own_socket(host: str, port: int) -> socket.socket:
    """A new listening socket."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as exc:
        raise ConfigError(f"cannot listen on {host} port {port}: {exc}") from exc


def main(argv: Sequence[str] | None = None) -> None:
    """Run one runner and leave with its exit code."""
    arguments = parse_arguments(argv)
    set_up_logs(Redactor(), "")
    try:
        config = load_config(arguments.config, workspace=arguments.workspace, token_file=arguments.token_file)
        redactor = make_redactor(config)
        set_up_logs(redactor, config.session_id)
        framework = load_framework(config.framework)
        config.workspace.mkdir(parents=True, exist_ok=True)
        listener = (
            inherited_socket(arguments.fd)
            if arguments.fd is not None
            else own_socket(arguments.host, arguments.port)
        )
        process = RunnerProcess(config, framework, redactor)
    except (ConfigError, OSError) as exc:
        log.error("cannot start: %s", exc)
        _leave(EXIT_CONFIG)
    try:
        code = asyncio.run(process.serve(listener))
    except Exception:  # noqa: BLE001 - the last place where a crash can be logged
        log.exception("the runner crashed")
        code = EXIT_CRASH
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End at once: a tool's thread that is still at work must not hold the process."""
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
