"""`manage.py serve api` and `manage.py serve control-plane`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand, CommandParser

from ambient import env
from reconciler.http_protocol import JsonErrors
from reconciler.management.process import become

GRACE_SECONDS = 5
LONGEST_FRAME = 4 * 1024 * 1024
"""Bytes of a websocket message; one of text is refused with words before that (`FRAME_CHARACTERS`)."""


class Server(uvicorn.Server):
    """Ends with code 0 after a clean stop; uvicorn itself would die of the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take both signals for the time of serving."""
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def server_config(process: str) -> uvicorn.Config:
    """How both servers run."""
    return uvicorn.Config(
        "ambient.asgi:application",
        host=env.HOST,
        port=env.API_PORT if process == "api" else env.CONTROL_PLANE_PORT,
        log_config=None,
        access_log=False,
        server_header=False,
        http=JsonErrors,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=LONGEST_FRAME,
        proxy_headers=bool(env.TRUSTED_PROXIES),
        forwarded_allow_ips=env.TRUSTED_PROXIES,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


class Command(BaseCommand):
    help = "Serve the API (with console and admin) or the control plane."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("process", choices=["api", "control-plane"])

    def handle(self, *args: Any, process: str, **options: Any) -> None:
        become(process)
        server = Server(server_config(process))
        server.run()
        if not server.started:
            raise SystemExit(3)
