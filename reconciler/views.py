"""POST /token: a runner proves itself and gets a token for its own session (control plane only)."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ambient import env
from ambient.common.exceptions import Forbidden, InvalidField, Unauthenticated, Unavailable
from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes.names import TOKEN_AUDIENCE
from reconciler.launch import runner_secret
from reconciler.runtimes import runtime_for
from reconciler.selectors import ref_of
from sessions_app.models import Session
from sessions_app.tokens import issue_session_token, launch_token, may_not_save, no_longer_wanted

LARGEST_NUMBER = 2**31 - 1
CLUSTER_AWAY_SECONDS = 5
TO_SAVE = "save"
"""The purpose of a runner that is ending: the token that it gets is good for saving its files alone."""


@dataclass(frozen=True)
class TokenRequest:
    """Which attempt of which session asks, what for, and what it shows."""

    session_id: str
    generation: int
    attempt: int
    instance: str
    to_save: bool
    bearer: str = field(repr=False)


Proof = Callable[[TokenRequest, Session], bool]


def shows_launch_token(asked: TokenRequest, session: Session) -> bool:
    """The token that only this attempt was started with."""
    try:
        secret = runner_secret(session)
    except PermanentError:
        return False
    expected = launch_token(secret, session.pk, asked.generation, asked.attempt)
    return hmac.compare_digest(expected.encode(), asked.bearer.encode())


def shows_pod_token(asked: TokenRequest, session: Session) -> bool:
    """The token that the cluster gave to this attempt's pod, for us alone."""
    try:
        ref = replace(ref_of(session), generation=asked.generation)
        return runtime_for().proves(ref, asked.attempt, asked.bearer)
    except (TemporaryError, PermanentError) as exc:
        text = "The cluster cannot say whose token this is, try again"
        raise Unavailable(text, retry_after=CLUSTER_AWAY_SECONDS) from exc


def shows_nothing(asked: TokenRequest, session: Session) -> bool:
    """An operator's runner has no token of ours to begin with, and asks for none."""
    return False


PROOFS: dict[str, Proof] = {
    "process": shows_launch_token,
    "kubernetes": shows_pod_token,
    "operator": shows_nothing,
}
"""What a runner shows, by the runtime. One each: a pod could make a launch token of its secret."""

NEEDED = {
    "process": "the launch token is needed",
    "kubernetes": f"the pod's token for the audience {TOKEN_AUDIENCE} is needed",
    "operator": "an operator's runner gets no token here",
}
"""What it reads that shows nothing."""


class TokenView(APIView):
    """What the runner was started with for a session token; a renewal is the same call.

    With `"purpose": "save"` also after a stop, where workspaces are saved: its token may have ended while
    nobody could be asked.
    """

    authentication_classes: tuple[Any, ...] = ()
    permission_classes: tuple[Any, ...] = ()
    schema = None

    def post(self, request: Request) -> Response:
        asked = token_request(request)
        session = Session.objects.filter(pk=asked.session_id).first()
        if session is None or not PROOFS[env.RUNTIME](asked, session):
            raise Unauthenticated("the token is not valid for this session and attempt")
        refused = may_not_save if asked.to_save and env.WORKSPACE == "snapshot" else no_longer_wanted
        refusal = refused(session, attempt=asked.attempt, generation=asked.generation)
        if refusal:
            raise Forbidden(f"this runner is no longer wanted: {refusal}")
        # Of its own generation: after a stop and a new start it is not wanted for anything else.
        issued = issue_session_token(session, asked.generation)
        end = issued.expires_at.isoformat().replace("+00:00", "Z")
        return Response({"token": issued.token, "expires_at": end}, headers={"Cache-Control": "no-store"})


def token_request(request: Request) -> TokenRequest:
    """The request's parts; raises Unauthenticated without a bearer token, InvalidField for a wrong body."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip():
        raise Unauthenticated(NEEDED[env.RUNTIME])
    body = request.data
    if not isinstance(body, dict):
        raise InvalidField("the body must be a JSON object")
    return TokenRequest(
        session_id=_text(body, "session_id"),
        generation=_number(body, "generation"),
        attempt=_number(body, "attempt"),
        instance=_text(body, "instance"),
        to_save=_is_to_save(body),
        bearer=bearer.strip(),
    )


def _is_to_save(body: dict[str, Any]) -> bool:
    purpose = body.get("purpose")
    if purpose not in (None, TO_SAVE):
        raise InvalidField(f"purpose must be {TO_SAVE} or left out")
    return purpose == TO_SAVE


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise InvalidField(f"{name} must be a text")
    return value


def _number(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_NUMBER:
        raise InvalidField(f"{name} must be a number")
    return value
