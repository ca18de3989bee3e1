import secrets
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

PLATFORM_MAX_RUNNING = 50


def seed_after_migrate(sender: Any, **kwargs: Any) -> None:
    """post_migrate receiver: this installation's id and the platform's limit exist once the tables do."""
    from reconciler.models import Installation, Limit

    if not Installation.objects.exists():
        Installation.objects.create(id=secrets.token_hex(8))
    Limit.objects.get_or_create(project=None, defaults={"max_running": PLATFORM_MAX_RUNNING})


class ReconcilerConfig(AppConfig):
    name = "reconciler"
    verbose_name = "Reconciler"

    def ready(self) -> None:
        from django.conf import settings

        post_migrate.connect(seed_after_migrate, sender=self)
        if settings.SERVES_HTTP:
            from reconciler import metrics

            metrics.register()
