from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "ambient.common"
    label = "common"
    verbose_name = "Platform"

    def ready(self) -> None:
        import ambient.checks  # noqa: F401  registers the system checks
