"""Which usernames there may be, and in which form."""

import pytest

from projects_app.usernames import BLANKS, HIDDEN, MIXED, normalised, username_fault

GOOD = [
    "alice",
    "Alice.B-c_1@example.org",
    "ci:build",
    "session-1",
    "élise",
    "вася-1",
    "山田タロー-dev",
    "김철수",
    "नेहा",
    "a b",
]
BAD = [
    ("al\x00ice", HIDDEN),
    ("alice\n", HIDDEN),
    ("al\x85ice", HIDDEN),
    ("al\u200bice", HIDDEN),  # zero width
    ("al\u200dice", HIDDEN),
    ("\ufeffalice", HIDDEN),
    ("al\u00adice", HIDDEN),  # soft hyphen
    ("\u202eecila", HIDDEN),  # bidi
    ("alice\u2066", HIDDEN),
    ("alice\ufe0f", HIDDEN),  # variation selector
    ("al\u3164ice", HIDDEN),  # a filler
    ("al\u034fice", HIDDEN),
    ("al\U000e0041ice", HIDDEN),  # tag
    ("al\ue000ice", HIDDEN),
    (" alice", BLANKS),
    ("alice\u00a0", BLANKS),
    ("\u0430lice", MIXED),  # Cyrillic a
    ("alic\u03b5", MIXED),  # Greek epsilon
    ("\u0430\u03b1", MIXED),
]


@pytest.mark.parametrize("name", GOOD)
def test_good_names(name):
    assert username_fault(normalised(name)) is None


@pytest.mark.parametrize(("name", "fault"), BAD, ids=[ascii(name) for name, _ in BAD])
def test_bad_names(name, fault):
    assert username_fault(normalised(name)) == fault


@pytest.mark.parametrize(
    ("name", "form"),
    [("e\u0301lise", "élise"), ("\uff41lice", "alice"), ("ci\uff1ax", "ci:x"), ("ﬁn", "fin")],
)
def test_one_form(name, form):
    assert normalised(name) == form
