"""Two issuers that the platform believes."""

import pytest

from ambient.issuers import Issuer
from projects_app.oidc import bearer
from tests.fakes.oidc_issuer import AUDIENCE, FakeIssuer


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
    bearer._verifier.cache_clear()
    yield settings.OIDC_ISSUERS
    bearer._verifier.cache_clear()
