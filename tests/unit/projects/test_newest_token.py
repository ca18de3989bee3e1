"""Which token changes what is kept of a person."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from projects_app.models import ExternalIdentity
from projects_app.oidc.tokens import Identity
from projects_app.services.identities import claims_digest, is_older, is_told

FIRST, SECOND, THIRD = (datetime(2026, 11, 29, 12, 0, second, tzinfo=UTC) for second in (1, 2, 3))
ALICE = Identity("https://idp.example", "s", "alice", "Alice", None, frozenset({"team"}), False, 0.0)
OTHER = replace(ALICE, groups=frozenset())


@pytest.mark.parametrize(
    ("kept", "came", "older", "told"),
    [
        pytest.param(SECOND, (ALICE, SECOND), False, True, id="the-same-again"),
        pytest.param(SECOND, (OTHER, SECOND), False, False, id="another-of-the-same-time"),
        pytest.param(SECOND, (ALICE, THIRD), False, False, id="a-newer-one-that-says-the-same"),
        pytest.param(SECOND, (OTHER, THIRD), False, False, id="a-newer-one"),
        pytest.param(SECOND, (ALICE, FIRST), True, True, id="an-older-one-that-says-the-same"),
        pytest.param(SECOND, (OTHER, FIRST), True, True, id="an-older-one"),
        pytest.param(SECOND, (OTHER, None), True, True, id="one-without-a-time"),
        pytest.param(None, (ALICE, None), False, True, id="the-same-again-without-times"),
        pytest.param(None, (OTHER, None), False, False, id="another-without-times"),
        pytest.param(None, (ALICE, FIRST), False, False, id="the-first-with-a-time"),
    ],
)
def test_which_token_counts(kept, came, older, told):
    link = ExternalIdentity(told_at=kept, claims_digest=claims_digest(ALICE))
    identity = replace(came[0], issued_at=came[1])
    assert (is_older(link, identity), is_told(link, identity)) == (older, told)
