"""Session tokens: what a runner calls the API with. Short-lived, for its own session only, stored nowhere."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core import signing
from django.utils import timezone

from ambient import env
from ambient.common.exceptions import InvalidToken
from projects_app.access import RunnerIdentity
from sessions_app.choices import FINAL_PHASES, DesiredState
from sessions_app.models import Session
from sessions_app.runner_identity import launch_token

__all__ = [
    "SessionToken",
    "issue_session_token",
    "launch_token",
    "may_not_save",
    "no_longer_wanted",
    "saving_runner_identity",
    "session_token_identity",
]

PREFIX = "ambs_"
SALT = "ambient.session-token"


@dataclass(frozen=True)
class SessionToken:
    """A token and its end."""

    token: str = field(repr=False)
    expires_at: datetime.datetime


def issue_session_token(session: Session, generation: int | None = None) -> SessionToken:
    """A token for the session's present attempt, and for its present generation or that of its runner."""
    held = session.generation if generation is None else generation
    text = signing.dumps([session.pk, held, session.attempt], salt=SALT)
    end = timezone.now() + datetime.timedelta(seconds=env.SESSION_TOKEN_SECONDS)
    return SessionToken(PREFIX + text, end)


def session_token_identity(token: str) -> RunnerIdentity | None:
    """Who the token speaks for; None when it is another kind of token.

    Raises InvalidToken when it is not valid any more: expired, forged, or its runner is not wanted.
    """
    return _identity(token, no_longer_wanted)


def saving_runner_identity(token: str) -> RunnerIdentity | None:
    """The same of a runner that may be ending, for the one thing that it still does then: save its files."""
    return _identity(token, may_not_save)


def _identity(token: str, refused: Callable[..., str | None]) -> RunnerIdentity | None:
    if not token.startswith(PREFIX):
        return None
    try:
        pk, generation, attempt = signing.loads(
            token.removeprefix(PREFIX),
            salt=SALT,
            max_age=datetime.timedelta(seconds=env.SESSION_TOKEN_SECONDS),
        )
    except signing.SignatureExpired as exc:
        raise InvalidToken("the session token has expired") from exc
    except (signing.BadSignature, ValueError, TypeError) as exc:
        raise InvalidToken("the session token is not valid") from exc
    columns = ("id", "desired_state", "deleted_at", "phase", "attempt", "generation")
    session = Session.objects.filter(pk=pk).only(*columns).first()
    if session is None:
        raise InvalidToken("the session is gone")
    refusal = refused(session, attempt=attempt, generation=generation)
    if refusal:
        raise InvalidToken(refusal)
    return RunnerIdentity(session.pk, attempt)


def may_not_save(session: Session, *, attempt: int, generation: int | None = None) -> str | None:
    """Why a runner of this attempt may save no files any more. A stop or an end is no reason: until the next
    attempt nobody else has the files, and that one begins when this runner is gone."""
    if session.deleted_at is not None or session.desired_state == DesiredState.DELETED:
        return "the session is deleted"
    if session.attempt != attempt:
        return "the session has a newer attempt"
    return None


def no_longer_wanted(session: Session, *, attempt: int, generation: int | None = None) -> str | None:
    """Why a runner of this attempt (and generation) should end, in one sentence; None while it is wanted."""
    if session.deleted_at is not None or session.desired_state == DesiredState.DELETED:
        return "the session is deleted"
    if session.desired_state != DesiredState.RUNNING:
        return "the session is stopped"
    if session.phase in FINAL_PHASES:
        return f"the session is {session.phase}"
    if session.attempt != attempt:
        return "the session has a newer attempt" if session.attempt > attempt else "no such attempt"
    if generation is not None and session.generation != generation:
        return "the session was started again"
    return None
