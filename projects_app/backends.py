"""Django's door to `projects_app.access`."""

from typing import Any

from django.contrib.auth.backends import BaseBackend

from projects_app.access import allows


class AccessBackend(BaseBackend):
    """Answers `user.has_perm("resource:verb", obj)`; Django's own permissions are for the next backend."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return ":" in perm and user_obj.is_active and allows(user_obj, perm, obj)
