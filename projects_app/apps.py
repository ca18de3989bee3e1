from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def seed_after_migrate(sender: Any, **kwargs: Any) -> None:
    """post_migrate receiver: a migrated database always has the roles that its code knows."""
    from projects_app.services.roles import seed_builtin_roles

    seed_builtin_roles()


class ProjectsAppConfig(AppConfig):
    name = "projects_app"
    verbose_name = "Projects and access"

    def ready(self) -> None:
        from projects_app.access import forget_permission_ids

        post_migrate.connect(seed_after_migrate, sender=self)
        post_migrate.connect(forget_permission_ids)
