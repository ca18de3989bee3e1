from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "ambient.common"
    label = "common"
    verbose_name = "Platform"

    def ready(self) -> None:
        from django.conf import settings

        import ambient.checks  # noqa: F401  registers the system checks

        if settings.SERVES_HTTP:
            from ambient.common import process_metrics

            process_metrics.register()
