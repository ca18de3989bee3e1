"""Of all tokens of a person the newest says what they are; older ones still let them in (docs/access.md)."""

import threading
import time

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from projects_app.models import ExternalIdentity, User
from projects_app.oidc.bearer import oidc_user
from tests.integration.oidc.test_identities import caller, status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("trusted")]

NOW = int(time.time())
ADMIN, TEAM, NONE = ["platform-admins"], ["team"], []


@pytest.fixture(autouse=True)
def team(db):
    Group.objects.create(name="team")


def is_now():
    """The groups and powers of alice."""
    user = User.objects.get(username="alice")
    assert user.is_staff == user.is_superuser
    return (ADMIN if user.is_superuser else []) + list(user.groups.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("told", "left"),
    [
        pytest.param([(-60, ADMIN), (0, NONE), (-60, ADMIN)], NONE, id="an-older-one-gives-no-powers-back"),
        pytest.param([(-60, TEAM), (0, NONE), (-60, TEAM)], NONE, id="an-older-one-gives-no-group-back"),
        pytest.param([(0, TEAM), (-60, NONE)], TEAM, id="an-older-one-takes-nothing"),
        pytest.param(
            [(-60, NONE), (0, NONE), (-30, ADMIN)], NONE, id="the-newest-may-say-what-the-oldest-did"
        ),
        pytest.param([(-60, TEAM), (0, ADMIN)], ADMIN, id="a-newer-one-counts"),
        pytest.param([(-0.5, TEAM), (-0.25, NONE), (-0.5, TEAM)], NONE, id="parts-of-a-second-count"),
        pytest.param([(0, TEAM), (0, NONE)], NONE, id="the-same-second-counts"),
        pytest.param([(0, NONE), (None, ADMIN)], NONE, id="without-a-time-it-is-older"),
        pytest.param([(None, TEAM), (None, NONE)], NONE, id="without-any-times-each-counts"),
        pytest.param([(None, TEAM), (-60, NONE), (None, TEAM)], NONE, id="the-first-time-counts"),
    ],
)
def test_the_newest_token_says_what_somebody_is(issuer, told, left):
    for age, groups in told:
        issued = None if age is None else NOW + age
        assert status(caller(issuer, iat=issued, groups=groups)) == 200
    assert is_now() == left


def test_an_older_token_writes_nothing(issuer):
    old = caller(issuer, iat=NOW - 60, name="Old", email="old@example.org", groups=ADMIN)
    assert status(old) == 200
    assert status(caller(issuer, iat=NOW, groups=NONE)) == 200
    kept, user = ExternalIdentity.objects.values().get(), User.objects.values().get(username="alice")
    assert status(old) == 200
    assert ExternalIdentity.objects.values().get() == kept
    assert User.objects.values().get(username="alice") == user


def test_an_older_token_does_not_let_in_who_is_deactivated(issuer):
    old = caller(issuer, iat=NOW - 60)
    assert [status(old), status(caller(issuer, iat=NOW))] == [200, 200]
    User.objects.filter(username="alice").update(is_active=False)
    assert status(old) == 401


@pytest.mark.django_db(transaction=True)
def test_of_tokens_that_come_together_the_newest_stays(issuer):
    """Each reads the row before another has written it; the lock makes them compare with what is there."""
    assert status(caller(issuer, iat=NOW - 60, groups=ADMIN)) == 200
    ages = [5, 0, 3, 1, 4, 2]
    tokens = [issuer.token(iat=NOW - age, groups=ADMIN if age else TEAM) for age in ages]
    barrier, faults = threading.Barrier(len(tokens)), []

    def come(token):
        barrier.wait(timeout=60)
        try:
            oidc_user(token)
        except Exception as exc:  # noqa: BLE001 - told by the test's thread
            faults.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=come, args=[token]) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert faults == []
    assert is_now() == TEAM
    assert ExternalIdentity.objects.get().told_at.timestamp() == NOW
