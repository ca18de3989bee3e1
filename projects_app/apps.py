from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProjectsAppConfig(AppConfig):
    name = "projects_app"
    verbose_name = "Projects and access"

    def ready(self) -> None:
        from projects_app.services.roles import seed_after_migrate

        post_migrate.connect(seed_after_migrate, sender=self)
