"""KSUID: 27 base62 characters, 4 bytes of seconds and 16 random bytes, sortable by time."""

import secrets
import time

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
EPOCH = 1_400_000_000  # seconds; gives the format its range until 2150
LENGTH = 27


def ksuid() -> str:
    """Make a new id; ids of later seconds sort after those of earlier ones (byte order)."""
    number = ((int(time.time()) - EPOCH) << 128) | secrets.randbits(128)
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
