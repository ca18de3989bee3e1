"""Two issuers that the platform believes."""

import pytest
from django.test import Client

from ambient.issuers import BrowserClient, Issuer
from ambient.setting_types import Secret
from projects_app.models import User
from projects_app.oidc import bearer, browser, keys
from projects_app.oidc import provider as providers
from tests.fakes.oidc_issuer import AUDIENCE, FakeIssuer
from tests.fakes.oidc_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider


def forget_providers():
    """What this process knows of them: another test's may have had the same port."""
    for known in (bearer._verifier, keys.keys_of, providers.provider_of):
        known.cache_clear()


@pytest.fixture
def issuer():
    found = FakeIssuer()
    yield found
    found.close()


@pytest.fixture
def ci():
    """A second issuer, whose people have a prefix."""
    found = FakeIssuer()
    yield found
    found.close()


@pytest.fixture
def trusted(issuer, ci, settings):
    """As OIDC_ISSUER and OIDC_ISSUERS would have it."""
    settings.OIDC_ISSUERS = [
        Issuer(issuer.url, (AUDIENCE,), clients=("cli", "console"), admin_group="platform-admins"),
        Issuer(ci.url, ("ci",), username_prefix="ci:"),
    ]
    forget_providers()
    yield settings.OIDC_ISSUERS
    forget_providers()


@pytest.fixture
def provider(settings):
    """Where people sign in with a browser, as OIDC_ISSUER and OIDC_CLIENT_ID would have it."""
    found = FakeProvider()
    issuer = Issuer(found.url, (AUDIENCE,), admin_group="platform-admins")
    settings.OIDC_ISSUERS = [issuer]
    settings.OIDC_BROWSER_CLIENT = BrowserClient(
        issuer, CLIENT_ID, Secret(CLIENT_SECRET), ("openid", "profile"), "Example ID"
    )
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, browser.PATH]
    forget_providers()
    yield found
    found.close()
    forget_providers()


class Person:
    """Somebody with a browser. `end` is where the last redirect did not lead on."""

    def __init__(self, provider):
        self.provider = provider
        self.client = Client(enforce_csrf_checks=True)

    def begin(self, path="/oidc/sign-in", **query):
        """The provider's address, to which the browser was sent."""
        answer = self.client.get(path, query)
        assert answer.status_code == 302, answer.content
        assert answer["Location"].startswith(f"{self.provider.url}/authorize?")
        return answer["Location"]

    def come_back(self, **query):
        return self.client.get("/oidc/callback", query)

    def sign_in(self, **query):
        return self.come_back(**self.provider.authorize(self.begin(**query)))

    def admin(self):
        """The admin's first page, or where it led."""
        return self.client.get("/admin/", follow=True)

    @property
    def username(self):
        """Who this browser is for the API; None: nobody."""
        answer = self.client.get("/api/ambient/v1/projects")
        pk = self.client.session.get("_auth_user_id")
        return User.objects.get(pk=pk).username if answer.status_code == 200 else None

    def sign_out(self):
        self.client.cookies["csrftoken"] = token = "t" * 32
        return self.client.post("/admin/logout/", {"csrfmiddlewaretoken": token})


@pytest.fixture
def person(db, provider):
    return Person(provider)


@pytest.fixture
def make_person(db, provider):
    return lambda: Person(provider)
