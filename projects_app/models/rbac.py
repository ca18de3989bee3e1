"""Role: a list of permissions. RoleBinding: gives a role to a user or group within a scope."""

import json

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import models

from ambient.common.audit import audited
from ambient.common.models import Entity
from projects_app.access import SCOPED_MODELS
from projects_app.choices import Scope, expand
from projects_app.models.agent import Agent
from projects_app.models.credential import Credential
from projects_app.models.project import Project
from projects_app.querysets import RoleBindingQuerySet, RoleQuerySet


@audited("Role", name="{row}.name")
class Role(Entity):
    """`permissions` is JSON text: an array of `resource:verb`, either half may be `*`."""

    name = models.CharField(max_length=255, unique=True)
    display_name = models.TextField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    permissions = models.TextField(null=True, blank=True)
    built_in = models.BooleanField(default=False, editable=False)
    level = models.SmallIntegerField(
        null=True, blank=True, help_text="0 is highest; a grant must be of a bigger number than one's own."
    )

    objects = RoleQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="role_name_not_empty")]

    def __str__(self) -> str:
        return self.name

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Roles belong to nothing: only what holds everywhere reaches them."""
        return {}

    def granted(self) -> frozenset[str]:
        """The permissions that the role's entries mean today."""
        return expand(json.loads(self.permissions)) if self.permissions else frozenset()


PROJECT_OF_BINDING = """coalesce({row}.project_id,
  (SELECT a.project_id FROM projects_app_agent a WHERE a.id = {row}.agent_id),
  (SELECT s.project_id FROM sessions_app_session s WHERE s.id = {row}.session_id))"""


@audited(
    "RoleBinding",
    name="(SELECT r.name FROM projects_app_role r WHERE r.id = {row}.role_id)",
    project=PROJECT_OF_BINDING,
)
class RoleBinding(Entity):
    """One role for one subject in one scope. Guardian rows follow from it, in the same transaction.

    A binding without user and group grants nothing by itself: with scope credential it says that the
    credential may be used in that project or by that agent.
    """

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="bindings")
    scope = models.CharField(max_length=16, choices=Scope)
    user_id = models.CharField("username", max_length=255, null=True, blank=True)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="bindings")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, blank=True)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, blank=True)
    session_id = models.CharField(max_length=27, null=True, blank=True, db_collation="C")
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, null=True, blank=True)

    objects = RoleBindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["role", "user_id", "group", "project", "agent", "session_id", "credential"],
                condition=models.Q(deleted_at=None),
                nulls_distinct=False,
                name="rolebinding_live",
            ),
            models.CheckConstraint(
                condition=models.Q(scope__in=Scope.values), name="rolebinding_scope_known"
            ),
            models.CheckConstraint(
                condition=models.Q(user_id=None) | models.Q(group=None), name="rolebinding_one_subject"
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(scope=Scope.GLOBAL)
                    | models.Q(scope=Scope.PROJECT, project__isnull=False)
                    | models.Q(scope=Scope.AGENT, agent__isnull=False)
                    | models.Q(scope=Scope.SESSION, session_id__isnull=False)
                    | models.Q(scope=Scope.CREDENTIAL, credential__isnull=False)
                ),
                name="rolebinding_target_of_scope",
            ),
        ]
        indexes = [
            models.Index(
                "created_at", "id", condition=models.Q(deleted_at=None), name="rolebinding_live_order"
            ),
            models.Index(
                "user_id", "scope", condition=models.Q(deleted_at=None), name="rolebinding_user_live"
            ),
            models.Index("session_id", condition=models.Q(deleted_at=None), name="rolebinding_session_live"),
        ]

    def __str__(self) -> str:
        return f"{self.role_id} for {self.user_id or self.group_id} ({self.scope})"

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Objects whose grants reach this one, nearest first: its target, and what that belongs to."""
        scopes = {"credential": self.credential_id, "agent": self.agent_id, "project": self.project_id}
        if self.scope in (Scope.AGENT, Scope.SESSION):
            targets = apps.get_model(SCOPED_MODELS[self.scope])._default_manager
            target = targets.filter(pk=getattr(self, f"{self.scope}_id")).first()
            if target is not None:
                return target.access_scopes | {"credential": self.credential_id}
        return scopes
