"""What follows from role bindings: guardian rows per scope, and grants that hold everywhere.

Each table names its object by a real foreign key, so a check is one indexed lookup. Rows stand on the object
of the binding's scope only, never on its children (docs/architecture.md, access).
"""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from projects_app.models.agent import Agent
from projects_app.models.credential import Credential
from projects_app.models.project import Project


class ProjectUserObjectPermission(UserObjectPermissionBase):
    """A user's permission on a project."""

    content_object = models.ForeignKey(Project, on_delete=models.CASCADE)


class ProjectGroupObjectPermission(GroupObjectPermissionBase):
    """A group's permission on a project."""

    content_object = models.ForeignKey(Project, on_delete=models.CASCADE)


class AgentUserObjectPermission(UserObjectPermissionBase):
    """A user's permission on an agent."""

    content_object = models.ForeignKey(Agent, on_delete=models.CASCADE)


class AgentGroupObjectPermission(GroupObjectPermissionBase):
    """A group's permission on an agent."""

    content_object = models.ForeignKey(Agent, on_delete=models.CASCADE)


class CredentialUserObjectPermission(UserObjectPermissionBase):
    """A user's permission on a credential."""

    content_object = models.ForeignKey(Credential, on_delete=models.CASCADE)


class CredentialGroupObjectPermission(GroupObjectPermissionBase):
    """A group's permission on a credential."""

    content_object = models.ForeignKey(Credential, on_delete=models.CASCADE)


class GlobalGrant(models.Model):
    """A permission that a user or group holds everywhere. Groups do not nest, so guardian cannot say this."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True)
    permission = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "permission"], name="globalgrant_user"),
            models.UniqueConstraint(fields=["group", "permission"], name="globalgrant_group"),
            models.CheckConstraint(
                condition=models.Q(user=None) ^ models.Q(group=None), name="globalgrant_one_subject"
            ),
        ]

    def __str__(self) -> str:
        return self.permission
