"""Usernames as everybody sees them: one form of each, nothing invisible, no two scripts in one (UTS 39)."""

import unicodedata

from confusable_homoglyphs.categories import unique_aliases

from projects_app.access import RUNNER_PREFIX

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of what is not seen, or steers what is: controls, formats, such as bidi and zero width."""
SEEN_AS_NOTHING = frozenset(
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)]
) | frozenset(range(0xE0100, 0xE01F0))
"""Letters and marks that Unicode ignores by default: fillers and variation selectors."""
NO_SCRIPT = frozenset({"COMMON", "INHERITED"})
TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
"""Scripts that people write in one word: "highly restrictive" of UTS 39, section 5.2."""

HIDDEN = "username has a control, format or other invisible character"
RESERVED = f'username must not start with "{RUNNER_PREFIX}": sessions are named so'
BLANKS = "username begins or ends with a blank"
MIXED = "username mixes scripts that look alike, such as Latin and Cyrillic"


def normalised(username: str) -> str:
    """The one form of a username (NFKC), as Django's own sign-in form makes it."""
    return unicodedata.normalize("NFKC", username)


def username_fault(username: str) -> str | None:
    """Why a normalised username may not be given to anybody; None when it may."""
    if any(unicodedata.category(char) in INVISIBLE or ord(char) in SEEN_AS_NOTHING for char in username):
        return HIDDEN
    if username != username.strip():
        return BLANKS
    scripts = unique_aliases(username) - NO_SCRIPT
    if len(scripts) > 1 and not any(scripts <= allowed for allowed in TOGETHER):
        return MIXED
    return None
