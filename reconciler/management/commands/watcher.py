"""`manage.py watcher`: wakes workers for what is due."""

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from reconciler.management.process import become
from reconciler.watcher import watch


def _leave(*args: object) -> None:
    raise SystemExit(0)


class Command(BaseCommand):
    help = "Listen for new work and wake the workers. Several may run."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        become("watcher")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)
        watch(settings.DATABASE_DIRECT_URL)
