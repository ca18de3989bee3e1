"""User: a person or a service account, known by username."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, Group, PermissionsMixin
from django.db import models

from ambient.common.audit import audited
from ambient.common.models import Entity, ksuid_field
from projects_app.access import allows
from projects_app.querysets import UserQuerySet


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes users; only live ones sign in."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.live().get(username=username)

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(username=self.model.normalize_username(username), **({"name": username} | fields))
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, password, **(fields | {"is_staff": True, "is_superuser": True}))


@audited("User", name="{row}.username", exclude=["last_login"], hidden=["password"])
class User(Entity, AbstractBaseUser, PermissionsMixin):
    """A person or service account. Role bindings name the username, so it never changes hands silently."""

    username = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    email = models.CharField(max_length=320, null=True, blank=True)
    is_staff = models.BooleanField("may use the admin", default=False)
    is_active = models.BooleanField("may sign in", default=True)
    service_account = models.BooleanField(
        default=False, help_text="A program: it comes with API keys or tokens, never with a password."
    )

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["username"], condition=models.Q(deleted_at=None), name="user_username_live"
            ),
            models.CheckConstraint(condition=~models.Q(username=""), name="user_username_not_empty"),
            models.CheckConstraint(
                condition=models.Q(service_account=False) | models.Q(is_staff=False, is_superuser=False),
                name="user_service_account_without_powers",
            ),
        ]
        indexes = [models.Index("created_at", "id", condition=models.Q(deleted_at=None), name="user_live")]

    def __str__(self) -> str:
        return self.username

    def check_password(self, raw_password: str | None) -> bool:
        """No password opens a service account, whoever set one."""
        return not self.service_account and super().check_password(raw_password or "")

    @property
    def is_controller(self) -> bool:
        """Whether this is the controller that the settings name, not a person."""
        name = settings.SERVICE_ACCOUNT
        return bool(name) and self.username in (name, f"service-account-{name}")

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Users belong to nothing: only what holds everywhere reaches them."""
        return {}

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Ours (`resource:verb`) by the access rule alone: a narrowed API key narrows a superuser too."""
        if ":" in perm:
            return self.is_active and allows(self, perm, obj)
        return super().has_perm(perm, obj)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.username


@audited("ExternalIdentity", name="{row}.subject", exclude=["claims_digest", "told_at", "last_seen_at"])
class ExternalIdentity(models.Model):
    """Who a user is at an OpenID Connect provider: issuer and subject, never an e-mail address."""

    id = ksuid_field()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=512, help_text="The provider as its tokens name it (`iss`).")
    subject = models.CharField(max_length=255, help_text="Who it is there (`sub`); never an e-mail address.")
    claims_digest = models.CharField(max_length=64, blank=True)
    """Of what the last token said of the person: the same again needs no write."""
    told_at = models.DateTimeField(
        null=True, help_text="When the newest token was made (`iat`); an older one changes nothing."
    )
    groups = models.JSONField(default=list)
    """Names of the groups that the user is in because the provider said so."""
    made_administrator = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "external identities"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="external_identity_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


@audited("Group", name="{row}.name", object_id="{row}.id::text")
class AuditedGroup(Group):
    """Django's Group, where its triggers are declared."""

    class Meta:
        proxy = True
        default_permissions = ()


@audited(
    "GroupMember",
    name="(SELECT u.username FROM projects_app_user u WHERE u.id = {row}.user_id)",
    object_id="{row}.group_id::text",
)
class AuditedMembership(User.groups.through):  # type: ignore[name-defined]
    """Who is in which group, where its triggers are declared. The object is the group."""

    class Meta:
        proxy = True
        default_permissions = ()


CODENAME = "(SELECT p.codename FROM auth_permission p WHERE p.id = {row}.permission_id)"


@audited("GroupPermission", name=CODENAME, object_id="{row}.group_id::text")
class AuditedGroupPermission(Group.permissions.through):  # type: ignore[name-defined]
    """What a group may do in the admin, where its triggers are declared. The object is the group."""

    class Meta:
        proxy = True
        default_permissions = ()


@audited("UserPermission", name=CODENAME, object_id="{row}.user_id")
class AuditedUserPermission(User.user_permissions.through):  # type: ignore[name-defined]
    """What a person may do in the admin, where its triggers are declared. The object is the person."""

    class Meta:
        proxy = True
        default_permissions = ()
