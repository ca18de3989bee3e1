"""The database hides passwords of addresses as `ambient/common/addresses.py` does."""

import pytest
from django.db import connection

from projects_app.models import AuditEntry
from tests.factories import AgentFactory
from tests.unit.common.test_addresses import CASES

pytestmark = pytest.mark.django_db


def test_both_rules_say_the_same():
    with connection.cursor() as cursor:
        for text, shown in CASES:
            cursor.execute("SELECT ambient_without_passwords(%s)", [text])
            assert cursor.fetchone()[0] == shown


def test_what_is_cut_is_hidden_before():
    """Else the end of a password's address could be cut off, and the password not be known as one."""
    AgentFactory(prompt="x" * 1970 + " https://me:" + "s3cr3t" * 20 + "@host/r")
    kept = AuditEntry.objects.get(kind="Agent").after["prompt"]
    assert ("s3cr3t" in kept, "https://[hidden]@host" in kept, "characters)" in kept) == (False, True, True)
