"""API keys: made once, shown once, kept as a digest. Logs name them by their first characters."""

import datetime
import secrets
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from ambient.common import hints
from ambient.common.database import transactional
from ambient.common.exceptions import Conflict, Forbidden, InvalidField
from projects_app.access import PersonAccess, access_of
from projects_app.authentication import digest_of
from projects_app.models import ApiKey, Project, Role, User
from projects_app.services.role_bindings import NOT_PERMITTED, require_may_act_for, role_by_reference
from projects_app.usernames import normalised

PREFIX = "amb_"
SHOWN = 8
WIDER = "A narrowed key makes only keys that are as narrow, and end no later"

log = structlog.get_logger(__name__)


def end_of_key(asked: datetime.datetime | None) -> datetime.datetime | None:
    """When a new key ends, by the settings. Raises InvalidField for the past and for too late."""
    now = timezone.now()
    most, usual = settings.API_KEY_MAX_DAYS, settings.API_KEY_DEFAULT_DAYS
    if asked is None:
        days = min(filter(None, (most, usual)), default=0)
        return now + datetime.timedelta(days=days) if days else None
    if asked <= now:
        raise InvalidField("expires_at must be in the future")
    if most and asked > now + datetime.timedelta(days=most):
        raise InvalidField(f"expires_at may be at most {most} days ahead")
    return asked


@transactional
def api_key_create(
    *,
    user: User,
    name: str = "",
    project: Project | None = None,
    role: Role | None = None,
    expires_at: datetime.datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can read again. Asks no rules of access: see `api_key_issue`."""
    _require_room(user)
    text = PREFIX + secrets.token_urlsafe(32)  # 43 characters
    key = ApiKey.objects.create(
        user=user,
        name=name,
        prefix=text[:SHOWN],
        digest=digest_of(text),
        project=project,
        role=role,
        expires_at=expires_at,
    )
    log.info("api key made", prefix=key.prefix, key_id=key.pk, owner=user.username)
    return key, text


def _require_room(user: User) -> None:
    """One key more is allowed. The user's row lock lets no two of the last ones be made at once."""
    most = settings.API_KEYS_PER_USER
    if not most:
        return
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists()
    ends_later = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    if ApiKey.objects.live().filter(ends_later, user=user, revoked_at=None).count() >= most:
        raise Conflict(f"a user may have at most {most} live API keys; revoke one first")


@transactional
def api_key_issue(
    *,
    actor: Any,
    username: str | None = None,
    name: str = "",
    project_id: str | None = None,
    role_id: str | None = None,
    expires_at: datetime.datetime | None = None,
) -> tuple[ApiKey, str]:
    """A key for oneself or for a service account, never wider than what the actor came with."""
    owner = _owner(actor, normalised(username) if username else actor.username)
    project = role = None
    if project_id:
        project = Project.objects.visible_to(actor).filter(pk=project_id).first()
        if project is None:
            raise InvalidField("project_id names nothing that exists")
    if role_id:
        role = role_by_reference(role_id)
        if role is None:
            raise InvalidField("role_id names nothing that exists")
    end = _narrowed(actor, project, role, expires_at)
    return api_key_create(user=owner, name=name, project=project, role=role, expires_at=end)


def _owner(actor: Any, username: str) -> User:
    """Whose key it will be. Keys of other people are made by nobody: they would act in their name."""
    if username == actor.username:
        return User.objects.live().get(pk=actor.pk)
    if not actor.has_perm("api_key:create"):
        raise Forbidden(NOT_PERMITTED)
    account = User.objects.live().filter(username=username, service_account=True, is_active=True).first()
    if account is None:
        raise InvalidField("username names neither yourself nor an active service account")
    require_may_act_for(actor, account)
    return account


def _narrowed(
    actor: Any, project: Project | None, role: Role | None, asked: datetime.datetime | None
) -> datetime.datetime | None:
    """The end of the new key. Forbidden when it would be wider than the key that asks for it."""
    end, access = end_of_key(asked), access_of(actor)
    mine: ApiKey | None = access.api_key if isinstance(access, PersonAccess) else None
    if mine is None or (mine.project_id is None and mine.role is None):
        return end
    if mine.project_id is not None and (project is None or project.pk != mine.project_id):
        raise Forbidden(WIDER)
    if mine.role is not None and (role is None or not role.granted() <= mine.role.granted()):
        raise Forbidden(WIDER)
    if mine.expires_at is None:
        return end
    if asked is not None and asked > mine.expires_at:
        raise Forbidden(WIDER)
    return mine.expires_at if end is None else min(end, mine.expires_at)


@transactional
def api_key_revoke(*, key: ApiKey) -> None:
    """The key is refused from now on, everywhere: its row is read with each request. Open streams end."""
    now = timezone.now()
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now, updated_at=now):
        log.info("api key revoked", prefix=key.prefix, key_id=key.pk, owner=key.user.username)
        hints.publish_on_commit(hints.ACCESS, str(key.user_id))
