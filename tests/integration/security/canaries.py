"""Secrets that are looked for where they must not be, and words that show that the search works."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote

from django.db import connection


def spellings(secret: str) -> set[str]:
    """How a text may be written down."""
    raw = secret.encode()
    coded = {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], raw.hex(), *coded}


@dataclass
class Canary:
    """A secret, and a word that may be seen and takes the same path."""

    secret: str = field(default_factory=lambda: f"hush/{secrets.token_urlsafe(24)}")
    control: str = field(default_factory=lambda: f"seen-{secrets.token_hex(8)}")

    def check(self, text: str) -> None:
        """The word is there, the secret is not."""
        assert self.control in text, "the search would not have found anything"
        assert self.found_in(text) == []

    def found_in(self, text: str) -> list[str]:
        """Spellings of the secret in a text."""
        return [spelling for spelling in spellings(self.secret) if spelling in text]


TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


def whole_database() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        names = [name for (name,) in cursor.fetchall()]
        found = []
        for name in names:
            cursor.execute(f"SELECT t::text FROM {name} t")
            found += [f"{name} {row}" for (row,) in cursor.fetchall()]
    return "\n".join(found)
