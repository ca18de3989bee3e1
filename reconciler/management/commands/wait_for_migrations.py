"""`manage.py wait_for_migrations`: what stands before every process that may start beside the migration."""

import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from ambient.common import health
from reconciler.management.process import end_at_once_on_signal

LOOK_SECONDS = 2.0


class Command(BaseCommand):
    help = "Wait until the database answers and has every migration of this version."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        end_at_once_on_signal()
        told = None
        while problem := health.migrations():
            connection.close()
            if problem != told:
                self.stdout.write(f"migrations: {problem}")
                told = problem
            time.sleep(LOOK_SECONDS)
