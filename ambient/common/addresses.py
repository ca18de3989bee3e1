"""Addresses may carry a password; what is kept and told of them does not.

The audit log has the same rule in SQL (`ambient_without_passwords`, projects_app/0015).
"""

import re
import unicodedata

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


_SCHEME = re.compile(r"(?i)^([a-z][a-z0-9+.-]*:)?[/\\]*")
_LOGIN_NAME = re.compile(r"ssh://[\w.-]+@[^@]*|[\w.-]+@[^@:/]+:[^@]*", re.ASCII)


def may_hold_a_secret(address: str) -> bool:
    """Whether something stands before the host, or after the path, however odd the spelling.

    Only the user's name of SSH may: it is `git` nearly everywhere, and no secret.
    """
    plain = unicodedata.normalize("NFKC", address).strip()
    if re.search(r"[?#]", plain):
        return True
    authority = re.split(r"[/\\]", _SCHEME.sub("", plain, count=1), maxsplit=1)[0]
    return ("@" in authority or without_passwords(plain) != plain) and not _LOGIN_NAME.fullmatch(plain)
