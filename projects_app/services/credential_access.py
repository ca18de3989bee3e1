"""What a credential gives to whoever may read it: its token as stored, or a fresh one made of it.

A fresh token is made once however many ask: one holds the claim on the credential's state, the others wait
for what it writes. The provider is asked outside of any transaction. A change of the credential deletes the
state, and with it the claim: what was made of the secret before is then not stored.
"""

import datetime
import secrets
import time
from dataclasses import dataclass, field

import structlog
from django.db.models import Q
from django.utils import timezone

from ambient.common.database import transactional
from ambient.common.encryption import seal, unseal
from ambient.common.exceptions import (
    ApplicationError,
    InvalidField,
    NotFound,
    ProviderRefused,
    TooMany,
    Unavailable,
)
from projects_app.credentials.base import PASSING, Access, ProviderError, Reason, Renewable
from projects_app.credentials.secrets import renewable
from projects_app.credentials.trial import Target, try_access, try_token
from projects_app.models import Credential, CredentialState

CLAIM = datetime.timedelta(seconds=60)
"""Longer than a provider may take (`outbound`): after it the claim's holder is taken for dead."""
WAIT_SECONDS, POLL_SECONDS = 25.0, 0.1
NEW_BEFORE_END = datetime.timedelta(minutes=5)
"""So much life a token that is handed out has left; of one that lives shortly, half of its life."""
STILL_GOOD = datetime.timedelta(seconds=30)
FAULT_KEPT = datetime.timedelta(seconds=5)
"""So long a fault is told again without asking the provider again."""
TEST_PAUSE = datetime.timedelta(seconds=10)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Token:
    """A token in the clear, and its end if it is renewed."""

    token: str = field(repr=False)
    expires_at: datetime.datetime | None = None


@dataclass(frozen=True)
class TestResult:
    """Whether a credential works."""

    reason: Reason
    checked_at: datetime.datetime
    expires_at: datetime.datetime | None = None

    @property
    def works(self) -> bool:
        return self.reason == Reason.WORKS


def credential_token(*, credential: Credential, reader: str) -> Token:
    """The token in the clear. Who read it is logged, what was read is not."""
    try:
        found = _token(credential)
    except ProviderError as exc:
        log.warning(
            "credential gives no token", credential=credential.pk, reason=exc.reason.value, reader=reader
        )
        raise _told(exc) from None
    log.info("credential token read", credential=credential.pk, provider=credential.provider, reader=reader)
    return found


def _told(error: ProviderError) -> ApplicationError:
    """As a caller reads it: the reason, and nothing that the provider said."""
    text = f"{error.reason.value}: {error.reason.label}"
    if error.reason in PASSING:
        return Unavailable(text, retry_after=error.retry_after or int(FAULT_KEPT.total_seconds()))
    return ProviderRefused(text)


def _opened(credential: Credential) -> str:
    if credential.token_sealed is None:
        raise NotFound("This Credential has no token")
    return unseal(credential.token_sealed, context=credential.token_context)


def _renewable(credential: Credential, secret: str) -> Renewable | None:
    try:
        return renewable(secret, credential.provider)
    except InvalidField:  # checked when it was written, by rules that have changed since
        raise ProviderError(Reason.INVALID_SECRET) from None


def _token(credential: Credential) -> Token:
    secret = _opened(credential)
    if _renewable(credential, secret) is None:
        return Token(secret)
    access = _fresh(credential, asked_at=timezone.now())
    return Token(access.token, access.expires_at)


def _fresh(credential: Credential, *, asked_at: datetime.datetime, anew: bool = False) -> Access:
    """The present access token, made now if need be; `anew`: one that was made after it was asked for."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        state, _ = CredentialState.objects.get_or_create(credential_id=credential.pk)
        kept = None if anew else _kept(state, timezone.now())
        if kept is not None:
            return kept
        told_after = asked_at if anew else timezone.now() - FAULT_KEPT
        if state.failed_at is not None and state.failed_at > told_after:
            return _good_still(state, ProviderError(Reason(state.failed_reason)))
        if _claimed(state):
            made = _made(credential, state)
            if made is not None:
                return made
        if time.monotonic() > end:
            return _good_still(state, ProviderError(Reason.TIMED_OUT))
        time.sleep(POLL_SECONDS)


def _kept(state: CredentialState, at: datetime.datetime) -> Access | None:
    """The stored access token while it is not time for a new one."""
    if state.access_sealed is None or state.access_renew_at is None or state.access_renew_at <= at:
        return None
    return _stored(state)


def _stored(state: CredentialState) -> Access:
    token = unseal(state.access_sealed or "", context=state.access_context)
    return Access(token, state.access_expires_at or timezone.now())


def _good_still(state: CredentialState, error: ProviderError) -> Access:
    """The token before while it lasts: a provider that is away for a moment stops nobody."""
    lasts = state.access_expires_at is not None and state.access_expires_at > timezone.now() + STILL_GOOD
    if state.access_sealed is not None and lasts and error.reason in PASSING:
        return _stored(state)
    raise error


def _claimed(state: CredentialState) -> bool:
    """Whether it is us who ask the provider now: nobody does, and nobody has since the state was read."""
    now, claim = timezone.now(), secrets.token_hex(16)
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    as_read = Q(access_renew_at=state.access_renew_at, failed_at=state.failed_at)
    taken = CredentialState.objects.filter(free, as_read, pk=state.pk).update(
        claim=claim, claimed_until=now + CLAIM
    )
    state.claim = claim
    return bool(taken)


def _made(credential: Credential, state: CredentialState) -> Access | None:
    """Ask the provider and store what it gives; None when the credential has changed meanwhile."""
    now = Credential.objects.live().filter(pk=credential.pk).first()
    if now is None:
        raise NotFound("This Credential has no token")
    try:
        source = _renewable(now, _opened(now))
        if source is None:
            raise ProviderError(Reason.INVALID_SECRET)
        access = source.access(now.url)
    except ProviderError as exc:
        credential_access_fail(state=state, reason=exc.reason)
        return _good_still(state, exc)
    return access if credential_access_store(credential=now, state=state, access=access) else None


@transactional
def credential_access_store(*, credential: Credential, state: CredentialState, access: Access) -> bool:
    """Keep a fresh token, and the secret it leaves; False when the credential or the claim is another now."""
    locked = Credential.objects.select_for_update(no_key=True).filter(pk=credential.pk).first()
    now = timezone.now()
    left = access.expires_at - now
    stored = CredentialState.objects.filter(pk=state.pk, claim=state.claim).update(
        access_sealed=seal(access.token, context=state.access_context),
        access_expires_at=access.expires_at,
        access_renew_at=access.expires_at - min(NEW_BEFORE_END, left / 2),
        claim="",
        claimed_until=None,
        failed_reason="",
        failed_at=None,
    )
    if not stored or locked is None:
        return False
    if access.secret is not None:
        locked.token_sealed = seal(access.secret, context=locked.token_context)
        locked.save(update_fields=["token_sealed", "updated_at"])
    log.info("credential renewed", credential=credential.pk, expires_at=access.expires_at.isoformat())
    return True


@transactional
def credential_access_fail(*, state: CredentialState, reason: Reason) -> None:
    """Give the claim back with the fault, which those who wait are told too."""
    CredentialState.objects.filter(pk=state.pk, claim=state.claim).update(
        claim="", claimed_until=None, failed_reason=reason.value, failed_at=timezone.now()
    )


def credential_test(*, credential: Credential, reader: str) -> TestResult:
    """Use the credential once at its provider. TooMany when that was done a moment ago."""
    now = timezone.now()
    state, _ = CredentialState.objects.get_or_create(credential_id=credential.pk)
    free = Q(tested_at=None) | Q(tested_at__lte=now - TEST_PAUSE)
    if not CredentialState.objects.filter(free, pk=state.pk).update(tested_at=now):
        raise TooMany("This Credential was tested a moment ago", retry_after=int(TEST_PAUSE.total_seconds()))
    try:
        result = TestResult(Reason.WORKS, now, _tried(credential, now))
    except ProviderError as exc:
        result = TestResult(exc.reason, now)
    credential_test_store(credential=credential, result=result)
    log.info("credential tested", credential=credential.pk, reason=result.reason.value, reader=reader)
    return result


def _tried(credential: Credential, asked_at: datetime.datetime) -> datetime.datetime | None:
    """Its end, where that is known. Raises ProviderError."""
    if credential.token_sealed is None:
        raise ProviderError(Reason.NO_TOKEN)
    secret = _opened(credential)
    target = Target(credential.provider, credential.url, credential.email)
    source = _renewable(credential, secret)
    if source is None:
        return try_token(target, secret)
    return try_access(target, source, _fresh(credential, asked_at=asked_at, anew=True))


@transactional
def credential_test_store(*, credential: Credential, result: TestResult) -> None:
    """Keep the result of the last test; not of a credential that was changed since: its state is another."""
    CredentialState.objects.filter(credential_id=credential.pk, tested_at=result.checked_at).update(
        works=result.works, test_reason=result.reason.value, test_expires_at=result.expires_at
    )
