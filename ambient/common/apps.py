from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "ambient.common"
    label = "common"
    verbose_name = "Platform"
