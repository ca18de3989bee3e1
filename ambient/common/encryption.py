"""Encrypted columns: AES-256-GCM with key ids, bound to the row they belong to (NIST SP 800-38D)."""

import base64
import hashlib
import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12


class DecryptionError(Exception):
    """The ciphertext does not belong to this row, was changed, or its key is gone."""


@cache
def _keyring(keys: tuple[str, ...]) -> dict[str, AESGCM]:
    """Key id -> cipher, newest first. The id is a digest of the key, so that it never needs keeping."""
    ring = {}
    for key in keys:
        raw = hashlib.sha256(b"ambient column key\0" + key.encode()).digest()
        ring[hashlib.sha256(raw).hexdigest()[:8]] = AESGCM(raw)
    return ring


def seal(text: str, *, context: str) -> str:
    """Encrypt with the newest key. `context` names table, column and row: it must be the same in `unseal`."""
    key_id, cipher = next(iter(_keyring(tuple(settings.ENCRYPTION_KEYS)).items()))
    nonce = os.urandom(NONCE_BYTES)
    body = nonce + cipher.encrypt(nonce, text.encode(), context.encode())
    return f"enc:{key_id}:{base64.b64encode(body).decode()}"


def unseal(sealed: str, *, context: str) -> str:
    """Decrypt what `seal` made; raises DecryptionError without any detail of the content."""
    try:
        prefix, key_id, encoded = sealed.split(":")
        cipher = _keyring(tuple(settings.ENCRYPTION_KEYS))[key_id]
        body = base64.b64decode(encoded, validate=True)
        if prefix != "enc":
            raise ValueError(prefix)
        return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], context.encode()).decode()
    except (ValueError, KeyError, InvalidTag) as exc:
        raise DecryptionError(f"cannot decrypt {context}") from exc
