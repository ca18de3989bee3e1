"""The secrets that a platform makes for a session, and the search for secrets where they must not be."""

from collections.abc import Collection, Mapping

from tests.e2e.harness import Stage
from tests.integration.security.canaries import Canary

NAMES = ("runner secret", "agui token", "launch token", "session token")
SECRETS_OF_A_SESSION = """
from reconciler.launch import runner_secret
from sessions_app.models import Session
from sessions_app.runner_identity import agui_token, launch_token
from sessions_app.tokens import issue_session_token
session = Session.objects.get(pk="{session}")
secret = runner_secret(session)
launch = launch_token(secret, session.pk, session.generation, session.attempt)
print(secret, agui_token(secret), launch, issue_session_token(session).token)
"""


def secrets_of(stage: Stage, session: str) -> dict[str, str]:
    """What the platform and the session's runner know of each other."""
    found = stage.manage("shell", "-v", "0", "-c", SECRETS_OF_A_SESSION.format(session=session))
    return dict(zip(NAMES, found.split(), strict=True))


def check(secrets: Mapping[str, str], text: str, *controls: str, but: Collection[str] = ()) -> None:
    """None of the secrets is in the text, all of the words are."""
    assert [word for word in controls if word not in text] == []
    found = [name for name, secret in secrets.items() if name not in but and Canary(secret).found_in(text)]
    assert found == []
