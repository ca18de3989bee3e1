"""A sign-in with a provider that others wrote (`oidc-provider-mock`): its ID tokens name no key."""

import warnings
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import Client

from ambient.issuers import BrowserClient, Issuer
from ambient.setting_types import Secret
from projects_app.models import BrowserSignIn, User
from projects_app.oidc import browser
from tests.integration.oidc.conftest import forget_providers

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its libraries, about each other
    import oidc_provider_mock

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
SUB = "subject-7"


@pytest.fixture
def mock(settings):
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        url = f"http://localhost:{server.server_port}"
        claims = {"preferred_username": "ida", "name": "Ida", "groups": ["platform-admins"]}
        httpx.put(f"{url}/users/{SUB}", json=claims, trust_env=False).raise_for_status()
        issuer = Issuer(url, ("ambient",), admin_group="platform-admins")
        settings.OIDC_ISSUERS = [issuer]
        settings.OIDC_BROWSER_CLIENT = BrowserClient(
            issuer, "web", Secret("s3cr3t"), ("openid", "profile"), "Mock"
        )
        settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, browser.PATH]
        forget_providers()
        yield url
        forget_providers()


def signed_in(client):
    """Through the provider's form and back."""
    form = client.get("/oidc/sign-in")["Location"]
    back = httpx.post(form, data={"sub": SUB}, trust_env=False)
    return client.get("/oidc/callback?" + urlsplit(back.headers["Location"]).query)


def test_in_renewed_and_out(mock):
    client = Client()
    answer = signed_in(client)
    assert answer.status_code == 302, answer.content
    assert User.objects.exclude(identities=None).get().identities.get().subject == SUB
    before = BrowserSignIn.objects.get()
    BrowserSignIn.objects.update(expires_at=before.created_at)
    assert client.get("/admin/login/").status_code in (200, 302, 403)
    assert BrowserSignIn.objects.get().expires_at > before.created_at
    leaving = client.post("/admin/logout/").content.decode()
    assert f"{mock}/oauth2/end_session" in leaving
    assert not BrowserSignIn.objects.exists()


def test_declined_there_is_nobody_here(mock):
    client = Client()
    form = client.get("/oidc/sign-in")["Location"]
    back = httpx.post(form, data={"action": "deny"}, trust_env=False)
    answer = client.get("/oidc/callback?" + urlsplit(back.headers["Location"]).query)
    assert answer.status_code == 403
    assert not User.objects.exists()


def test_tokens_revoked_there_end_the_sign_in_here(mock):
    client = Client()
    assert signed_in(client).status_code == 302
    httpx.post(f"{mock}/users/{SUB}/revoke-tokens", trust_env=False).raise_for_status()
    sign_in = BrowserSignIn.objects.get()
    BrowserSignIn.objects.update(expires_at=sign_in.created_at)
    assert client.get("/api/ambient/v1/users").status_code == 401
