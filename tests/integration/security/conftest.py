"""Addresses and limits of one's own, so that no test meets the counts of another."""

import secrets

import pytest

from ambient.rates import rate


@pytest.fixture
def address():
    """A client's address that nobody else has (of the block for benchmarks)."""
    return f"198.18.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


@pytest.fixture
def limit(settings):
    """Set limits by name: `limit(read="2/hour")`."""

    def put(**limits):
        settings.LIMITS = settings.LIMITS | {
            name.replace("_", "-"): rate(text) for name, text in limits.items()
        }

    return put
