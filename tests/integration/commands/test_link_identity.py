"""link_identity: an administrator says whose account an identity is."""

import pytest
from django.core.management import CommandError

from projects_app.models import ExternalIdentity
from tests.factories import UserFactory

WHO = ("--issuer", "https://idp.example", "--subject", "s-1")


def test_links_once_and_again_is_the_same(run, db):
    user = UserFactory(username="alice")
    for _ in range(2):
        code, out, _ = run("link_identity", "--user", "alice", *WHO)
        assert (code, out.strip()) == (0, "s-1 at https://idp.example is alice")
    assert ExternalIdentity.objects.get().user == user


def test_an_identity_of_somebody_else_is_left_alone(run, db):
    UserFactory(username="bob")
    UserFactory(username="alice")
    run("link_identity", "--user", "bob", *WHO)
    with pytest.raises(CommandError, match="linked to bob"):
        run("link_identity", "--user", "alice", *WHO)
    assert ExternalIdentity.objects.get().user.username == "bob"


def test_an_unknown_user_is_named(run, db):
    with pytest.raises(CommandError, match="'nobody'"):
        run("link_identity", "--user", "nobody", *WHO)
