"""API keys: made once, shown once, kept as a digest."""

import datetime
import secrets

from django.utils import timezone

from ambient.common.database import transactional
from projects_app.authentication import digest_of
from projects_app.models import ApiKey, Project, Role, User

PREFIX = "amb_"
SHOWN = 8


@transactional
def api_key_create(
    *,
    user: User,
    name: str = "",
    project: Project | None = None,
    role: Role | None = None,
    expires_at: datetime.datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can read again."""
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
    return key, text


@transactional
def api_key_revoke(*, key: ApiKey) -> None:
    """The key is refused from now on."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
