"""Providers under the test's control, and credentials for them."""

import pytest

from projects_app.credentials import outbound
from projects_app.services.credentials import credential_create
from tests.fakes.provider_api import FakeProviders


@pytest.fixture
def providers(settings, monkeypatch):
    """The fake, which the operator allows although its address is private."""
    settings.CREDENTIAL_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(outbound, "PAUSE_SECONDS", 0)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    fake = FakeProviders()
    yield fake
    fake.close()


@pytest.fixture
def make_credential(user, providers):
    """A credential of alice for the fake."""

    def make(provider, token, **values):
        given = {"name": "c", "provider": provider, "url": providers.url} | values
        return credential_create(actor=user, values=given | ({"token": token} if token else {}))

    return make


@pytest.fixture
def impatient(monkeypatch, request):
    """Gives a provider that hangs up soon; any other has its time, however busy the machine is."""
    if request.node.callspec.params["fault"] == "timeout":
        monkeypatch.setattr(outbound, "READ_SECONDS", 0.2)
