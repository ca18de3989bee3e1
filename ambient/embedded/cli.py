"""`python -m ambient.embedded up | down | status | run -- COMMAND`."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from ambient.common.processes import is_alive
from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import Home
from ambient.embedded.platform import LOCK, Platform, endpoints, readiness_problem
from ambient.embedded.postgres import binaries
from ambient.embedded.services import LOCK as SERVICES_LOCK
from ambient.embedded.services import running_services, start_services
from ambient.embedded.signals import STOP_SIGNALS, StopRequest

DOWN_SECONDS = 20.0


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, call, and turn an error into one line."""
    parser = argparse.ArgumentParser(prog="python -m ambient.embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start everything and stay up")
    commands.add_parser("down", help="stop the platform of this home")
    commands.add_parser("status", help="say what runs on this home")
    run = commands.add_parser("run", help="run a command with PostgreSQL and Valkey up")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND")
    args = parser.parse_args(argv)
    home = Home.from_env(os.environ)
    try:
        if args.command == "up":
            return up(home)
        if args.command == "down":
            return down(home)
        if args.command == "status":
            return status(home)
        return run_with_services(home, args.argv[1:] if args.argv[:1] == ["--"] else args.argv)
    except EmbeddedError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1


def up(home: Home) -> int:
    """Start the platform and keep it until a signal; exit code 1 if a process had to be given up."""
    platform = Platform(home, reaper=True)
    stop = StopRequest(platform)
    stop.install()
    given_up: list[str] = []
    try:
        platform.start()
        platform.wait_ready()
        api, control_plane = endpoints(platform.env)
        _say(f"\nAPI            {api.url}/api/ambient/v1")
        _say(f"its document   {api.url}/api/ambient/v1/openapi.html")
        kept = home.path / "admin.password"  # a restored home has none: its users have their passwords
        words = f", first password in {kept}" if kept.exists() else ""
        _say(f"admin          {api.url}/admin/  (user admin{words})")
        _say(f"control plane  {control_plane.url}")
        _say(f"key            {home}/admin.key, for programs")
        _say("Ctrl-C or `make down` stops it.")
        supervisor = platform.supervisor
        while not stop.asked and supervisor and len(supervisor.given_up()) < len(supervisor.specs):
            time.sleep(0.5)
    except KeyboardInterrupt:
        _say("stopping (again to kill at once)")
    finally:
        stop.begin_stop()
        platform.stop()
    if platform.supervisor is not None:
        given_up = platform.supervisor.given_up()
    if given_up:
        raise EmbeddedError(f"stopped; given up after too many crashes: {', '.join(given_up)}")
    _say("stopped")
    return 0


def down(home: Home) -> int:
    """Stop the platform of this home, wherever it was started."""
    pid = home.holder(LOCK)
    if pid is None:
        other = home.holder(SERVICES_LOCK)
        if other is not None:
            raise EmbeddedError(f"no platform runs on {home}; pid {other} has its services, end that")
        _say(f"no platform runs on {home}")
        return 0
    if pid == 0:
        raise EmbeddedError(f"the platform on {home} is just starting, try again")
    for number, seconds in ((signal.SIGTERM, DOWN_SECONDS), (signal.SIGKILL, 5.0)):
        if is_alive(pid) and home.holder(LOCK) == pid:
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if home.holder(LOCK) != pid:
                _say(f"stopped the platform on {home}" + (" by force" if number == signal.SIGKILL else ""))
                return 0
            time.sleep(0.05)
    raise EmbeddedError(f"pid {pid} does not end")


def status(home: Home) -> int:
    """Say what runs; exit code 0 when the platform is ready, 3 when it is not there."""
    pid = home.holder(LOCK)
    served = running_services(home)
    _say(f"home           {home}")
    names = {"database_url": "PostgreSQL", "redis_url": "Valkey"}
    _say(f"services       {', '.join(names[key] for key in served) if served else 'none of ours'}")
    if pid is None:
        _say("platform       not running")
        return 3
    _say(f"platform       running, pid {pid}")
    ready = True
    for endpoint in endpoints(os.environ):
        problem = readiness_problem(endpoint)
        ready = ready and problem is None
        _say(f"{endpoint.name:<14} {endpoint.url} {problem or 'ready'}")
    return 0 if ready else 1


def run_with_services(home: Home, argv: Sequence[str]) -> int:
    """Run one command with the services up, those of a running platform too, and PostgreSQL's programs."""
    if not argv:
        raise EmbeddedError("run needs a command: run -- COMMAND")
    served = running_services(home)
    if served is not None:
        env = {**os.environ, "AMBIENT_HOME": str(home)}
        for key, url in served.items():
            env.setdefault(key.upper(), url)
        return _run(argv, env)
    for number in STOP_SIGNALS[1:]:
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    services = start_services(home)
    try:
        return _run(argv, {**os.environ, **services.environment()})
    finally:
        services.stop()


def _run(argv: Sequence[str], env: dict[str, str]) -> int:
    """Run in the foreground: the terminal's Ctrl-C is the command's, and its exit code is ours."""
    with suppress(EmbeddedError):  # not installed where DATABASE_URL is set: the command may not need them
        env["PATH"] = f"{binaries()}{os.pathsep}{env.get('PATH', os.defpath)}"
    try:
        child = subprocess.Popen(argv, env=env)
    except OSError as exc:
        raise EmbeddedError(f"cannot run {argv[0]}: {exc.strerror}") from exc
    for number in STOP_SIGNALS[1:]:
        signal.signal(number, lambda number, frame: child.send_signal(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
