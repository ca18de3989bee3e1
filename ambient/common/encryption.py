"""Encrypted columns: AES-256-GCM with key ids, bound to the row they belong to (NIST SP 800-38D).

Stored form: `enc:ID:BASE64`, of nonce, ciphertext and tag. The id is `vN` for version N of the keyring, or
the digest of one of AMBIENT_ENCRYPTION_KEYS. The columns themselves are in `ambient.common.sealed`.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

PREFIX = "enc"
NONCE_BYTES, TAG_BYTES = 12, 16
FORM = "^enc:(v[0-9]+|[0-9a-f]{8}):"
"""PostgreSQL finds the key's id by it; an index of every sealed column holds it."""


class DecryptionError(Exception):
    """The ciphertext does not belong to this row, was changed, or its key is gone."""


@cache
def _ring(versions: tuple[tuple[int, bytes], ...], active: int, keys: tuple[str, ...]) -> dict[str, AESGCM]:
    """Key id -> cipher, the one that seals first. A key without a version is known by its digest."""
    ring = {f"v{version}": AESGCM(key) for version, key in sorted(versions, key=lambda one: one[0] != active)}
    for text in keys:
        raw = hashlib.sha256(b"ambient column key\0" + text.encode()).digest()
        ring[hashlib.sha256(raw).hexdigest()[:8]] = AESGCM(raw)
    return ring


def _keys() -> dict[str, AESGCM]:
    versions: Mapping[int, bytes] = settings.ENCRYPTION_KEYRING
    return _ring(tuple(versions.items()), settings.ENCRYPTION_KEY_VERSION, tuple(settings.ENCRYPTION_KEYS))


def key_ids() -> list[str]:
    """Ids of all keys that can open something, the one that seals first."""
    return list(_keys())


def active_key_id() -> str:
    """Id of the key that seals."""
    return key_ids()[0]


def seal(text: str, *, context: str) -> str:
    """Encrypt with the active key. `context` names table, column and row: it must be the same in `unseal`."""
    key_id, cipher = next(iter(_keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    body = nonce + cipher.encrypt(nonce, text.encode(), context.encode())
    return f"{PREFIX}:{key_id}:{base64.b64encode(body).decode()}"


def unseal(sealed: str, *, context: str) -> str:
    """Decrypt what `seal` made; raises DecryptionError without any detail of the content."""
    try:
        prefix, key_id, encoded = sealed.split(":")
        cipher = _keys()[key_id]
        body = base64.b64decode(encoded, validate=True)
        if prefix == PREFIX and len(body) >= NONCE_BYTES + TAG_BYTES and _is_canonical(encoded, body):
            return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], context.encode()).decode()
    except (ValueError, KeyError, InvalidTag):
        pass  # not chained: what is no ciphertext may be a secret, and these quote it
    raise DecryptionError(f"cannot decrypt {context}")


def _is_canonical(encoded: str, body: bytes) -> bool:
    """Base64 has several spellings of the same bytes; we write one."""
    return base64.b64encode(body).decode() == encoded
