"""`manage.py runner_host`: the parent of the runners of one home."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reconciler.management.process import become
from reconciler.runner_host import HomeTaken, run


def _leave(*args: object) -> None:
    raise SystemExit(0)


class Command(BaseCommand):
    help = "Run sessions as processes of this machine (AMBIENT_RUNTIME=process). One per home."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        become("runner-host")
        for number in (signal.SIGTERM, signal.SIGINT):  # while it still waits; serving has its own
            signal.signal(number, _leave)
        try:
            run()
        except HomeTaken as exc:
            raise CommandError(str(exc)) from exc
