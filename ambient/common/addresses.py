"""Addresses may carry a password; what is kept and told of them does not.

The audit log has the same rule in SQL (`ambient_without_passwords`, projects_app/0015).
"""

import re

HIDDEN = "[hidden]"
_SLASHES = r":\\?/\\?/"  # JSON may write them with a backslash
_RULES = (
    # Of web addresses all before the host: a token may stand there as the user, too.
    (re.compile(rf'(?i)(https?{_SLASHES})[^/?#\s"\\]+@'), rf"\g<1>{HIDDEN}@"),
    (re.compile(rf'({_SLASHES}[^:/?#\s"\\@]*:)[^/?#\s"\\]*@'), rf"\g<1>{HIDDEN}@"),
    # A password with a slash, which it should not have as it is; no port.
    (re.compile(rf'({_SLASHES}[^:/?#\s"\\@\[]*:)(?!\d{{1,5}}\\?[/?#])[^\s"@]*@'), rf"\g<1>{HIDDEN}@"),
)


def without_passwords(text: str) -> str:
    """The text with the password of every address in it hidden."""
    if "@" not in text:
        return text
    for pattern, shown in _RULES:
        text = pattern.sub(shown, text)
    return text
