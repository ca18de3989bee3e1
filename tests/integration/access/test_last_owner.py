"""A project or credential keeps an owner who can act, whatever is done to bindings, people and groups."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from ambient.common.exceptions import Conflict
from projects_app.models import RoleBinding, User
from projects_app.oidc.tokens import Identity
from projects_app.services.groups import group_delete, user_groups_set
from projects_app.services.identities import identity_link, identity_sign_in, identity_unlink
from projects_app.services.owners import ownerless
from projects_app.services.users import user_update
from tests.factories import CredentialFactory, ProjectFactory, UserFactory
from tests.integration.api.test_wire import check_error, fingerprint
from tests.integration.services.cases import bind

IDP = "https://idp.example"


@pytest.fixture
def owned(db):
    """A project that Ann owns by herself, and a credential that she owns in the group `crew`."""
    ann, crew = UserFactory(username="ann"), Group.objects.create(name="crew")
    ann.groups.add(crew)
    credential = CredentialFactory()
    bind("project:owner", ProjectFactory(id="boats"), user_id="ann")
    bind("credential:owner", credential, group_id=crew.pk)
    return {"project": "boats", "credential": credential.pk}


def binding_of(scope):
    return RoleBinding.objects.live().get(scope=scope)


def user_path(name="ann"):
    return f"/users/{User.objects.get(username=name).pk}"


REQUESTS = {
    "a-binding-taken-away": lambda: ("delete", f"/role_bindings/{binding_of('project').pk}", None),
    "a-group's-binding-taken-away": lambda: ("delete", f"/role_bindings/{binding_of('credential').pk}", None),
    "moved-to-a-name-that-nobody-has": lambda: (
        "patch",
        f"/role_bindings/{binding_of('project').pk}",
        {"user_id": "nobody-yet"},
    ),
    "moved-to-a-deactivated-person": lambda: (
        "patch",
        f"/role_bindings/{binding_of('project').pk}",
        {"user_id": "idle"},
    ),
    "moved-to-a-smaller-role": lambda: (
        "patch",
        f"/role_bindings/{binding_of('project').pk}",
        {"role_id": "project:editor"},
    ),
    "moved-to-nobody": lambda: ("patch", f"/role_bindings/{binding_of('project').pk}", {"user_id": None}),
    "a-person-renamed": lambda: ("patch", user_path(), {"username": "anna"}),
    "a-person-deleted": lambda: ("delete", user_path(), None),
}


@pytest.mark.parametrize("beside", ["nobody", "a-waiting-name", "a-deactivated-person", "an-empty-group"])
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_the_last_owner_who_can_act_stays(admin_client_wire, owned, request_, beside):
    """Owners by name only beside them change nothing."""
    UserFactory(username="idle", is_active=False)
    beside_them = {
        "nobody": None,
        "a-waiting-name": {"user_id": "late"},
        "a-deactivated-person": {"user_id": "away"},
        "an-empty-group": {"group_id": Group.objects.create(name="empty").pk},
    }[beside]
    UserFactory(username="away", is_active=False)
    method, path, body = request_()
    if beside_them:
        bind("project:owner", ProjectFactory._meta.model.objects.get(pk="boats"), **beside_them)
        bind(
            "credential:owner",
            CredentialFactory._meta.model.objects.get(pk=owned["credential"]),
            **beside_them,
        )
    before = fingerprint()
    check_error(admin_client_wire.call(method, path, body), 409, "6")
    assert fingerprint() == before


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_with_another_owner_all_of_it_works(admin_client_wire, owned, request_):
    """Also where that is how an administrator repairs: first another owner, then the change."""
    UserFactory(username="idle", is_active=False)
    UserFactory(username="bea")
    method, path, body = request_()
    bind("project:owner", ProjectFactory._meta.model.objects.get(pk="boats"), user_id="bea")
    bind("credential:owner", CredentialFactory._meta.model.objects.get(pk=owned["credential"]), user_id="bea")
    assert admin_client_wire.call(method, path, body).status_code in (200, 204)
    assert ownerless() == []


def test_what_has_lost_its_owner_is_given_to_somebody(admin_client_wire, owned):
    User.objects.filter(username="ann").update(is_active=False)
    UserFactory(username="bea")
    path = f"/role_bindings/{binding_of('project').pk}"
    assert admin_client_wire.call("patch", path, {"user_id": "bea"}).status_code == 200
    assert [target.scope for target in ownerless()] == ["credential"]
    assert admin_client_wire.call("patch", user_path(), {"name": "Ann, retired"}).status_code == 200


def test_a_credential_changes_hands_as_the_docs_say(admin_client_wire, owned):
    """Nobody but its owner gives a role on it, so its owner's binding is moved; then the old one may go."""
    UserFactory(username="bea"), UserFactory(username="cleo")
    body = {"role_id": "credential:owner", "scope": "credential", "credential_id": owned["credential"]}
    check_error(admin_client_wire.call("post", "/role_bindings", body | {"user_id": "bea"}), 403, "4")
    path = f"/role_bindings/{binding_of('credential').pk}"
    refused = admin_client_wire.call("delete", path)
    check_error(refused, 409, "6")
    assert refused.json()["reason"] == "cannot delete the last owner binding"
    for owner in ("bea", "cleo"):  # from the group, then from a person
        assert admin_client_wire.call("patch", path, {"user_id": owner}).json()["user_id"] == owner
        assert binding_of("credential").group_id is None
    assert admin_client_wire.call("delete", user_path("bea")).status_code == 204
    assert ownerless() == []


def deactivate(ann, crew):
    user_update(user=ann, changes={"is_active": False})


def leave_the_group(ann, crew):
    user_groups_set(user=ann, groups=[])


def delete_the_group(ann, crew):
    group_delete(group=crew)


def take_the_link_away(ann, crew):
    link = identity_link(user=ann, issuer=IDP, subject="1")
    link.groups = ["crew"]
    link.save()
    identity_unlink(link=link)


@pytest.mark.parametrize(
    "act", [deactivate, leave_the_group, delete_the_group, take_the_link_away], ids=lambda act: act.__name__
)
def test_the_admin_refuses_it_too(owned, act):
    ann, crew = User.objects.get(username="ann"), Group.objects.get(name="crew")
    with pytest.raises(Conflict, match="last owner"):
        act(ann, crew)
    ann.refresh_from_db()
    assert (ann.is_active, list(ann.groups.all())) == (True, [crew])
    assert ownerless() == []


def identity(groups):
    return Identity(
        issuer=IDP,
        subject="1",
        username="ann",
        name="Ann",
        email=None,
        groups=frozenset(groups),
        is_administrator=False,
        expires=0.0,
    )


def test_a_provider_that_takes_the_group_away_is_believed_and_it_is_told(owned, caplog):
    """What the provider says cannot be refused: who it threw out must be out."""
    ann = User.objects.get(username="ann")
    ann.groups.clear()
    identity_link(user=ann, issuer=IDP, subject="1")
    identity_sign_in(identity=identity({"crew"}))
    assert ownerless() == []
    assert "nobody who can act owns this" not in caplog.text
    identity_sign_in(identity=identity(()))
    assert [target.pk for target in ownerless()] == [owned["credential"]]
    assert "nobody who can act owns this" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_two_last_owners_cannot_both_go_on_different_ways(project):
    """One is deactivated, the other leaves the group that owns it, at the same moment."""
    ann, bea, crew = (
        UserFactory(username="ann"),
        UserFactory(username="bea"),
        Group.objects.create(name="crew"),
    )
    bea.groups.add(crew)
    bind("project:owner", project, user_id="ann")
    bind("project:owner", project, group_id=crew.pk)
    outcomes, barrier = [], threading.Barrier(2)

    def run(act):
        barrier.wait(timeout=20)
        try:
            act()
            outcomes.append("gone")
        except Conflict:
            outcomes.append("kept")
        finally:
            connection.close()

    acts = [
        lambda: user_update(user=ann, changes={"is_active": False}),
        lambda: user_groups_set(user=bea, groups=[]),
    ]
    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["gone", "kept"]
    assert ownerless() == []
