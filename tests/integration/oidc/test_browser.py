"""People who sign in to the admin with a provider: in, on, and out."""

import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from projects_app.models import BrowserSignIn, ExternalIdentity, User
from projects_app.oidc import provider as providers
from projects_app.oidc import tokens
from projects_app.services import browser_sign_ins
from projects_app.services.identities import identity_link
from projects_app.services.users import user_delete
from tests.fakes.oidc_issuer import rsa_key
from tests.fakes.oidc_provider import CLIENT_ID

pytestmark = pytest.mark.django_db
ADMINS = {"groups": ["platform-admins"]}


@pytest.fixture
def boss(provider, person):
    """Somebody whom the provider calls an administrator, signed in."""
    provider.say = dict(ADMINS)
    assert person.sign_in().status_code == 302
    return person


def time_is_over(seconds=1):
    """The tokens of all sign-ins ended so long ago."""
    ended = timezone.now() - datetime.timedelta(seconds=seconds)
    BrowserSignIn.objects.update(expires_at=ended)


# --- in


def test_the_page_of_the_sign_in_offers_the_provider_beside_the_password(person):
    page = person.client.get("/admin/login/?next=/admin/projects_app/user/").content.decode()
    assert "Sign in with Example ID" in page
    assert "/oidc/sign-in?next=%2Fadmin%2Fprojects_app%2Fuser%2F" in page
    assert 'name="password"' in page


def test_passwords_can_be_switched_off(person, settings, admin):
    admin.set_password("a long password")
    admin.save()
    person.client.login(username="root", password="a long password")
    assert person.username == "root"
    settings.PASSWORD_SIGN_IN = False
    assert person.username is None
    page = person.client.get("/admin/login/").content.decode()
    assert "Sign in with Example ID" in page
    assert 'name="password"' not in page
    form = {"username": "root", "password": "a long password"}
    assert Client().post("/admin/login/", form).status_code == 403


@pytest.mark.parametrize("path", ["/oidc/sign-in", "/oidc/callback?code=a&state=b"])
def test_without_a_client_there_is_no_such_page(person, settings, path):
    settings.OIDC_BROWSER_CLIENT = None
    assert person.client.get(path).status_code == 404
    page = person.client.get("/admin/login/").content.decode()
    assert "Sign in with" not in page
    assert 'name="password"' in page


def test_an_administrator_of_the_provider_is_in(boss, provider):
    answer = boss.admin()
    assert (answer.status_code, answer.redirect_chain) == (200, [])
    user = User.objects.get(username="alice")
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (True, True, False)
    assert ExternalIdentity.objects.get().subject == "subject-1"
    assert provider.asked == ["/.well-known/openid-configuration", "/token", *provider.asked[2:]]


@pytest.mark.parametrize("basic", [True, False], ids=["basic", "in-the-form"])
def test_our_client_proves_itself_as_the_provider_wants_it(provider, person, basic):
    provider.basic = basic
    assert person.sign_in().status_code == 302
    assert ("client_secret" in provider.forms[0]) is not basic


def test_what_the_provider_is_asked_for(person):
    asked = parse_qs(urlsplit(person.begin()).query)
    assert asked["scope"] == ["openid profile"]
    assert asked["redirect_uri"] == ["http://testserver/oidc/callback"]
    assert len(asked["nonce"][0]) >= 32
    assert len(asked["state"][0]) >= 32


def test_first_sight_makes_a_user_without_rights_who_is_told_so_and_can_leave(person, provider):
    assert person.sign_in().status_code == 302
    answer = person.admin()
    assert answer.status_code == 403
    assert len(answer.redirect_chain) == 1
    page = answer.content.decode()
    assert "alice" in page
    assert "no access to the admin" in page
    assert 'action="/admin/logout/"' in page
    assert person.sign_out().status_code == 200
    assert person.username is None


def test_the_groups_of_the_token_that_exist_here_are_joined_and_left(provider, make_person):
    for name in ("team", "other"):
        Group.objects.create(name=name)
    for told in (["team", "unknown"], ["other"], []):
        provider.say = {"groups": told}
        assert make_person().sign_in().status_code == 302
        user = User.objects.get(username="alice")
        assert set(user.groups.values_list("name", flat=True)) == set(told) - {"unknown"}


def test_who_left_the_group_of_administrators_is_none_at_the_next_sign_in(provider, boss, make_person):
    provider.say = {"groups": []}
    assert make_person().sign_in().status_code == 302
    assert boss.admin().status_code == 403


def test_a_used_name_is_linked_by_an_administrator_alone(person, provider):
    alice = User.objects.create_user("alice", "a long password", email="alice@example.org")
    refused = person.sign_in()
    assert refused.status_code == 403
    assert "administrator can link" in refused.content.decode()
    assert "subject-1" in refused.content.decode()
    identity_link(user=alice, issuer=provider.url, subject="subject-1")
    assert person.sign_in().status_code == 302
    assert person.username == "alice"


def test_the_page_that_was_wanted_comes_after_the_sign_in(person):
    assert person.sign_in(next="/admin/projects_app/user/")["Location"] == "/admin/projects_app/user/"


def test_the_browser_has_no_token(boss):
    [row] = BrowserSignIn.objects.all()
    kept = str(boss.client.session.items()) + row.tokens_sealed
    assert "eyJ" not in kept
    assert row.tokens_sealed.startswith("enc:")
    assert set(boss.client.cookies) <= {"sessionid", "csrftoken"}


def test_somebody_who_declines_is_told_and_nobody_is_signed_out(boss, provider):
    answer = provider.authorize(boss.begin())
    declined = boss.come_back(error="access_denied", state=answer["state"])
    assert declined.status_code == 403
    assert "did not sign you in" in declined.content.decode()
    assert boss.username == "alice"
    assert boss.come_back(**answer).status_code == 403  # its state is used up


def test_a_provider_that_is_away_is_said_to_be(person, provider):
    provider.away = True
    answer = person.client.get("/oidc/sign-in")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.content.decode()


# --- on


def test_a_sign_in_is_renewed_when_its_token_ends(boss, provider):
    time_is_over()
    first = BrowserSignIn.objects.get()
    assert boss.username == "alice"
    second = BrowserSignIn.objects.get()
    assert second.expires_at > timezone.now() + datetime.timedelta(seconds=provider.life - 60)
    assert second.tokens_sealed != first.tokens_sealed
    assert provider.forms[-1]["grant_type"] == "refresh_token"
    time_is_over()
    assert boss.username == "alice"  # with the new refresh token
    assert [form["grant_type"] for form in provider.forms][1:] == ["refresh_token"] * 2


def test_nobody_is_asked_while_the_token_lasts(boss, provider):
    before = list(provider.asked)
    assert boss.admin().status_code == 200
    assert boss.username == "alice"
    assert provider.asked == before


def test_a_renewal_brings_what_the_provider_now_says(boss, provider):
    provider.say = {"groups": [], "name": "Alice Other"}
    time_is_over()
    assert boss.admin().status_code == 403
    assert User.objects.get(username="alice").name == "Alice Other"


def test_a_renewal_without_an_id_token_lasts_as_long_as_the_access_token(boss, provider):
    provider.gives_id_tokens = False
    time_is_over()
    assert boss.admin().status_code == 200
    time_is_over()
    assert boss.admin().status_code == 200
    provider.refuses = "invalid_grant"
    time_is_over()
    assert boss.username is None


def without_refresh_tokens(provider):
    provider.gives_refresh_tokens = False


def refused(provider):
    provider.refuses = "invalid_grant"


def another_person(provider):
    provider.say = ADMINS | {"sub": "subject-2", "preferred_username": "mallory"}


def nonce_of_another_sign_in(provider):
    provider.say = ADMINS | {"nonce": "another"}


def for_another_client(provider):
    provider.say = ADMINS | {"aud": "grafana"}


def wrongly_signed(provider):
    provider.sign = lambda claims: provider.token(key=rsa_key(), **claims)


def expired(provider):
    provider.say = ADMINS | {"exp": 1}


@pytest.mark.parametrize(
    "end",
    [refused, another_person, nonce_of_another_sign_in, for_another_client, wrongly_signed, expired],
    ids=lambda end: end.__name__.replace("_", "-"),
)
def test_who_is_not_vouched_for_again_is_out(boss, provider, end):
    end(provider)
    time_is_over()
    answer = boss.admin()
    assert [path for path, _ in answer.redirect_chain] == ["/admin/login/?next=/admin/"]
    assert "Sign in with" in answer.content.decode()
    assert boss.username is None
    assert not BrowserSignIn.objects.exists()
    assert not User.objects.filter(username="mallory").exists()


def test_without_a_refresh_token_a_sign_in_ends_with_its_token(provider, person):
    without_refresh_tokens(provider)
    assert person.sign_in().status_code == 302
    assert person.username == "alice"
    time_is_over()
    assert person.username is None
    assert not BrowserSignIn.objects.exists()


def test_while_the_provider_is_away_nobody_is_believed_and_nobody_is_out(boss, provider):
    provider.away = True
    time_is_over()
    for answer in (boss.client.get("/admin/"), boss.client.get("/api/ambient/v1/projects")):
        assert answer.status_code == 503
        assert answer["Retry-After"]
    provider.away = False
    time_is_over()
    assert boss.username == "alice"


def test_only_one_of_two_requests_asks_the_provider(boss, provider):
    time_is_over()
    pk = BrowserSignIn.objects.get().pk
    claim = browser_sign_ins.browser_sign_in_claim(pk=pk)
    assert claim.tokens.refresh_token
    assert boss.username == "alice"  # while the other asks
    assert len(provider.forms) == 1
    time_is_over(tokens.LEEWAY_SECONDS + 1)
    assert boss.client.get("/admin/").status_code == 503  # it took too long to go on believing
    BrowserSignIn.objects.update(renewing_until=timezone.now())  # the other died
    assert boss.username == "alice"
    assert len(provider.forms) == 2


def deactivate(user):
    User.objects.filter(pk=user.pk).update(is_active=False)


def unlink(user):
    user.identities.get().delete()


@pytest.mark.parametrize(
    "end", [deactivate, lambda user: user_delete(user=user), unlink], ids=["inactive", "deleted", "unlinked"]
)
def test_an_account_that_ended_is_out_at_once(boss, end):
    end(User.objects.get(username="alice"))
    assert boss.username is None
    assert boss.sign_out().status_code == 200


def test_a_sign_in_that_nobody_can_open_ends_with_its_token(boss, provider, settings):
    settings.ENCRYPTION_KEYS = ["another-key-" + "b" * 32]
    assert boss.username == "alice"
    time_is_over()
    assert boss.username is None


def test_old_sign_ins_are_tidied_by_new_ones(boss, make_person, settings):
    [old] = BrowserSignIn.objects.all()
    time_is_over(settings.SESSION_COOKIE_AGE + 1)
    assert make_person().sign_in().status_code == 302
    assert not BrowserSignIn.objects.filter(pk=old.pk).exists()


def test_keys_may_be_rotated_while_somebody_is_signed_in(boss, provider):
    provider.keys["second"] = rsa_key()
    provider.sign = lambda claims: provider.token(kid="second", key=provider.keys["second"], **claims)
    del provider.keys["first"]
    time_is_over()
    assert boss.username == "alice"


# --- out


def test_sign_out_is_here_and_at_the_provider(boss, provider):
    page = boss.sign_out()
    assert page.status_code == 200
    assert page["Cache-Control"].startswith("max-age=0")
    leave = urlsplit(page.context["leave"])
    assert f"{leave.scheme}://{leave.netloc}{leave.path}" == f"{provider.url}/logout"
    query = parse_qs(leave.query)
    assert query["client_id"] == [CLIENT_ID]
    assert query["post_logout_redirect_uri"] == ["http://testserver/admin/login/"]
    assert query["id_token_hint"][0].startswith("eyJ")
    assert boss.username is None
    assert not BrowserSignIn.objects.exists()
    assert not Session.objects.filter(session_data__contains="browser_sign_in").exists()


def test_sign_out_of_a_provider_that_does_not_offer_it_is_here(boss, provider, monkeypatch):
    described = provider.document("/.well-known/openid-configuration")
    del described["end_session_endpoint"]
    provider.documents["/.well-known/openid-configuration"] = described
    providers.provider_of.cache_clear()
    assert "leave" not in boss.sign_out().context
    assert boss.username is None


def test_sign_out_while_the_provider_is_away_is_here(boss, provider):
    provider.away = True
    providers.provider_of.cache_clear()
    assert "leave" not in boss.sign_out().context
    assert boss.username is None


def test_sign_out_with_a_password_is_as_ever(person, admin):
    person.client.force_login(admin)
    answer = person.sign_out()
    assert (answer.status_code, "leave" in answer.context) == (200, False)
    assert person.username is None


def test_a_sign_out_needs_a_page_of_ours(boss):
    assert boss.client.get("/admin/logout/").status_code == 405
    assert boss.client.post("/admin/logout/").status_code == 403
    assert boss.username == "alice"


def test_a_token_endpoint_says_in_one_word_why(provider, person, monkeypatch):
    provider.refuses = "invalid_client"
    answer = person.sign_in()
    assert "refused: invalid_client" in answer.content.decode()
    assert tokens.Refused.status == 401  # over the API; a page is a 403
    assert answer.status_code == 403
