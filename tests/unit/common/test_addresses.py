"""Passwords of addresses are hidden, and nothing else is."""

import pytest

from ambient.common.addresses import without_passwords

HIDES = [
    ("https://me:pw@host/r.git", "https://[hidden]@host/r.git"),
    ("https://ghp_token@host/r.git", "https://[hidden]@host/r.git"),
    ("https://token:x-oauth-basic@host", "https://[hidden]@host"),
    ("HTTPS://:pw@host:8443/a@b", "HTTPS://[hidden]@host:8443/a@b"),
    ("https://me:p@ss@host/a", "https://[hidden]@host/a"),
    ("https://me:p/ss@host/a", "https://me:[hidden]@host/a"),
    ("postgresql://u:pw@host/db", "postgresql://u:[hidden]@host/db"),
    ("ssh://git:pw@host/r", "ssh://git:[hidden]@host/r"),
    (
        '[{"url": "https://me:pw@a/r"}, {"url": "https://b/r"}]',
        '[{"url": "https://[hidden]@a/r"}, {"url": "https://b/r"}]',
    ),
    (r'{"url": "https:\/\/me:pw@a\/r"}', r'{"url": "https:\/\/[hidden]@a\/r"}'),
    ("clone https://a:b@c and https://d:e@f", "clone https://[hidden]@c and https://[hidden]@f"),
]
KEEPS = [
    "https://host/r.git",
    "https://host:8443/@scope/pkg@1",
    "https://host/a:b@c",
    "http://[::1]:80/x@y",
    "ssh://git@host/r.git",
    "git@host:team/r.git",
    "mail me@host.example, see https://host",
    '{"a": "https://host", "mail": "me@host"}',
]


CASES = [*HIDES, *((text, text) for text in KEEPS)]


@pytest.mark.parametrize(("text", "shown"), CASES)
def test_what_is_shown_of_an_address(text, shown):
    assert without_passwords(text) == shown
