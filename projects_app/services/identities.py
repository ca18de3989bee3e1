"""Signing in with a verified identity: whose it is, and what the provider says of the person."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone

from ambient.common.database import transactional
from ambient.common.exceptions import Conflict, InvalidToken
from projects_app.models import ApiKey, ExternalIdentity, User
from projects_app.oidc.tokens import Identity
from projects_app.services.controller import controller_ensure
from projects_app.services.grants import Subject, lock_subjects
from projects_app.services.groups import user_groups_follow, user_groups_set
from projects_app.services.users import name_fault, user_create, user_update

OF_ANOTHER = "The username begins as those of another issuer do"
NOT_LINKED = "The username belongs to another account; an administrator can link this identity to it"


def prefixes_of_others(issuer: str) -> tuple[str, ...]:
    """How names begin that only other issuers give."""
    own = next((each.username_prefix for each in settings.OIDC_ISSUERS if each.url == issuer), "")
    prefixes = {each.username_prefix for each in settings.OIDC_ISSUERS if each.url != issuer}
    return tuple(prefix for prefix in prefixes if prefix and not own.startswith(prefix))


def claims_digest(identity: Identity) -> str:
    """Of all that a token says and that is kept of it."""
    told = [identity.name, identity.email, sorted(identity.groups), identity.is_administrator]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def is_older(link: ExternalIdentity, identity: Identity) -> bool:
    """Whether a newer token has been followed; one without `iat` is older than any that has one."""
    return link.told_at is not None and (identity.issued_at is None or identity.issued_at < link.told_at)


def is_told(link: ExternalIdentity, identity: Identity) -> bool:
    """Whether following a token would write nothing; a newer one that says the same is still noted."""
    noted = (link.told_at, link.claims_digest)
    return is_older(link, identity) or noted == (identity.issued_at, claims_digest(identity))


@transactional
def identity_sign_in(*, identity: Identity) -> User:
    """The identity's user, as the newest token describes them; made at first sight, without rights.

    Raises InvalidToken when the account may not sign in, or the name is somebody else's.
    """
    if identity.username.startswith(prefixes_of_others(identity.issuer)):
        raise InvalidToken(OF_ANOTHER)
    lock_subjects([Subject(username=identity.username)])
    link = _link(identity) or ExternalIdentity.objects.create(
        user=_first_sight(identity), issuer=identity.issuer, subject=identity.subject
    )
    user = link.user
    if not may_sign_in(user):
        raise InvalidToken("The account may not sign in")
    if not is_older(link, identity):
        user = _follow(link, identity)
    controller_ensure(user=user)
    return user


def _follow(link: ExternalIdentity, identity: Identity) -> User:
    """Make the person what the token says. The link is locked: of two tokens at once the newer one stays."""
    user = link.user
    told = {"name": identity.name, "email": identity.email}
    changes: dict[str, Any] = {
        name: value for name, value in told.items() if value and getattr(user, name) != value
    }
    administrator = identity.is_administrator and not user.service_account
    if administrator != link.made_administrator:
        changes |= dict.fromkeys(("is_staff", "is_superuser"), administrator)
    if changes:
        user = user_update(user=user, changes=changes)
    groups = _joined(user, link, identity.groups)
    if groups is not None:
        user_groups_follow(user=user, groups=groups)
    link.made_administrator = administrator
    link.claims_digest = claims_digest(identity)
    link.told_at = identity.issued_at
    link.save()
    return user


@transactional
def identity_link(*, user: User, issuer: str, subject: str) -> ExternalIdentity:
    """Say that this identity is this user: for an administrator. Conflict when it is somebody's already."""
    link, made = ExternalIdentity.objects.get_or_create(
        issuer=issuer, subject=subject, defaults={"user": user}
    )
    if not made and link.user_id != user.pk:
        raise Conflict(f"this identity is linked to {link.user.username}")
    return link


@transactional
def identity_unlink(*, link: ExternalIdentity) -> None:
    """This identity is that user no more: what its provider gave is taken back, its browsers are out."""
    link = ExternalIdentity.objects.select_for_update(of=("self",)).select_related("user").get(pk=link.pk)
    if link.made_administrator:
        user_update(user=link.user, changes={"is_staff": False, "is_superuser": False})
    groups = _joined(link.user, link, [])
    if groups is not None:
        user_groups_set(user=link.user, groups=groups)
    User.objects.filter(pk=link.user_id, last_login=None).update(last_login=timezone.now())
    link.delete()


def may_sign_in(user: User) -> bool:
    """Deleted and deactivated accounts may not."""
    return user.is_active and user.deleted_at is None


def _link(identity: Identity) -> ExternalIdentity | None:
    return (
        ExternalIdentity.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(issuer=identity.issuer, subject=identity.subject)
        .first()
    )


def _first_sight(identity: Identity) -> User:
    """A new user, or the one that an administrator made for exactly this name and nobody has used yet."""
    user = User.objects.live().filter(username=identity.username).first()
    if user is None:
        fault = name_fault(identity.username)
        if fault:
            raise InvalidToken(f"The token's {fault}")
        values = {"username": identity.username, "name": identity.name, "email": identity.email}
        return user_create(values=values)
    if _is_used(user):
        raise InvalidToken(NOT_LINKED)
    return user


def _is_used(user: User) -> bool:
    """Whether somebody has signed in to it or can, or it has powers that a name must not give."""
    return (
        user.has_usable_password()
        or user.last_login is not None
        or user.is_staff
        or user.is_superuser
        or user.is_controller
        or user.service_account
        or user.identities.exists()
        or ApiKey.objects.filter(user=user).exists()
    )


def _joined(user: User, link: ExternalIdentity, names: Iterable[str]) -> list[Group] | None:
    """The groups that the provider names and that exist here, and those that others gave; None: no change."""
    named = {group.name: group for group in Group.objects.filter(name__in=list(names))}
    present = {group.name: group for group in user.groups.all()}
    wanted = {name: group for name, group in present.items() if name not in link.groups} | named
    link.groups = sorted(named)
    return list(wanted.values()) if wanted.keys() != present.keys() else None
