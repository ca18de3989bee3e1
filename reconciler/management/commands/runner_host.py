"""`manage.py runner_host`: the parent of the runners of one home."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reconciler.management.process import become, end_at_once_on_signal
from reconciler.runner_host import HomeTaken, run


class Command(BaseCommand):
    help = "Run sessions as processes of this machine (AMBIENT_RUNTIME=process). One per home."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        become("runner-host")
        end_at_once_on_signal()  # while it still waits; serving has its own
        try:
            run()
        except HomeTaken as exc:
            raise CommandError(str(exc)) from exc
