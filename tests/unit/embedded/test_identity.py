"""As whom PostgreSQL runs."""

import pytest

from ambient.embedded.errors import EmbeddedError
from ambient.embedded.identity import choose_identity


def choose(uid, known=True, allowed=()):
    return choose_identity(
        uid=uid,
        gid=uid,
        known=lambda _: known,
        works=lambda argv: argv[0] in allowed,
        other=lambda: (65534, 65533),
    )


@pytest.mark.parametrize(
    ("uid", "known", "allowed", "program", "owner", "private"),
    [
        pytest.param(1000, True, {"unshare", "setpriv"}, None, 1000, False, id="ordinary-user-as-is"),
        pytest.param(0, True, {"unshare", "setpriv"}, "unshare", 0, False, id="root-in-a-user-namespace"),
        pytest.param(0, True, {"setpriv"}, "setpriv", 65534, True, id="root-becomes-nobody-without-unshare"),
        pytest.param(4711, False, {"unshare"}, "unshare", 4711, False, id="user-without-name-in-a-namespace"),
    ],
)
def test_identity(uid, known, allowed, program, owner, private):
    identity = choose(uid, known, allowed)
    assert (identity.prefix[0] if identity.prefix else None) == program
    assert (identity.uid, identity.private_folder) == (owner, private)
    assert identity.command(["initdb"])[-1] == "initdb"


@pytest.mark.parametrize(
    ("uid", "known"),
    [
        pytest.param(0, True, id="root-with-neither-tool"),
        pytest.param(4711, False, id="user-without-name-cannot-become-nobody"),
    ],
)
def test_refusal_names_the_way_out(uid, known):
    with pytest.raises(EmbeddedError, match="DATABASE_URL"):
        choose(uid, known, {"setpriv"} if uid else ())
