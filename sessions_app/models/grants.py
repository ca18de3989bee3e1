"""Guardian rows of bindings with scope session (see projects_app/models/grants.py)."""

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from sessions_app.models.session import Session


class SessionUserObjectPermission(UserObjectPermissionBase):
    """A user's permission on a session."""

    content_object = models.ForeignKey(Session, on_delete=models.CASCADE)


class SessionGroupObjectPermission(GroupObjectPermissionBase):
    """A group's permission on a session."""

    content_object = models.ForeignKey(Session, on_delete=models.CASCADE)
