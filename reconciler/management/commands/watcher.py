"""`manage.py watcher`: wakes workers for what is due."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from reconciler.management.process import become, end_at_once_on_signal
from reconciler.watcher import watch


class Command(BaseCommand):
    help = "Listen for new work and wake the workers. Several may run."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        become("watcher")
        end_at_once_on_signal()
        watch(settings.DATABASE_DIRECT_URL)
