"""Sealed columns: bound to their row, readable with old keys, silent about their content."""

import base64
import traceback

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from ambient.common.encryption import DecryptionError, active_key_id, key_ids, seal, unseal
from ambient.setting_types import KeyBytes

OLD, NEW = "old-key-" + "a" * 32, "new-key-" + "b" * 32
RING = {version: KeyBytes(bytes([version]) * 32) for version in (1, 2, 10)}
VERSIONED = {"ENCRYPTION_KEYRING": RING, "ENCRYPTION_KEY_VERSION": 2, "ENCRYPTION_KEYS": [OLD]}
FORMS = [
    pytest.param(VERSIONED, id="version-of-a-keyring"),
    pytest.param({"ENCRYPTION_KEYS": [OLD]}, id="key-without-a-version"),
]


@given(st.text(), st.text())
def test_what_was_sealed_can_be_read_in_the_same_context(text: str, context: str) -> None:
    assert unseal(seal(text, context=context), context=context) == text


def test_the_ciphertext_does_not_show_the_text() -> None:
    assert "hunter2" not in seal("hunter2", context="row")


def test_a_new_key_in_front_still_reads_what_the_old_one_wrote(settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = seal("secret", context="row")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert unseal(sealed, context="row") == "secret"
    assert seal("secret", context="row").split(":")[1] != sealed.split(":")[1]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda sealed: sealed[:-8] + "AAAAAAA=", id="changed-bytes"),
        pytest.param(lambda sealed: sealed.replace("enc:", "xyz:"), id="unknown-form"),
        pytest.param(lambda sealed: "enc:00000000:" + sealed.split(":")[2], id="key-that-is-gone"),
        pytest.param(lambda sealed: "", id="empty"),
        pytest.param(lambda sealed: "enc:1:not base64!", id="not-base64"),
    ],
)
def test_damaged_text_is_refused_without_detail(damage) -> None:
    with pytest.raises(DecryptionError) as caught:
        unseal(damage(seal("hunter2", context="row")), context="row")
    assert "hunter2" not in str(caught.value)


def test_text_of_another_row_is_refused() -> None:
    with pytest.raises(DecryptionError):
        unseal(seal("secret", context="session:1"), context="session:2")


@given(st.text(), st.text(), st.sampled_from(sorted(RING)))
def test_any_version_reads_what_another_one_sealed(text: str, context: str, active: int) -> None:
    with override_settings(**VERSIONED):
        sealed = seal(text, context=context)
    with override_settings(**VERSIONED | {"ENCRYPTION_KEY_VERSION": active}):
        assert unseal(sealed, context=context) == text
        assert seal(text, context=context).startswith(f"enc:v{active}:")


def test_the_stored_form_is_the_one_of_the_contract(settings) -> None:
    """`enc:vN:` and base64 of nonce, ciphertext and tag, under the key as it is given."""
    settings.ENCRYPTION_KEYRING, settings.ENCRYPTION_KEY_VERSION = RING, 10
    prefix, version, encoded = seal("secret", context="credential:1:token").split(":")
    body = base64.b64decode(encoded)
    assert (prefix, version, len(body)) == ("enc", "v10", 12 + len("secret") + 16)
    assert AESGCM(bytes(RING[10])).decrypt(body[:12], body[12:], b"credential:1:token") == b"secret"
    assert body[:12] != base64.b64decode(seal("secret", context="c").split(":")[2])[:12]


@pytest.mark.parametrize(
    ("ring", "version", "keys", "ids"),
    [
        pytest.param({}, 0, [NEW, OLD], ["NEW", "OLD"], id="newest-of-the-keys-without-versions"),
        pytest.param(RING, 1, [], ["v1", "v2", "v10"], id="oldest-version"),
        pytest.param(RING, 10, [NEW, OLD], ["v10", "v1", "v2", "NEW", "OLD"], id="a-version-goes-first"),
    ],
)
def test_which_key_seals_and_which_open(settings, ring, version, keys, ids) -> None:
    settings.ENCRYPTION_KEYRING, settings.ENCRYPTION_KEY_VERSION, settings.ENCRYPTION_KEYS = {}, 0, [NEW]
    names = {active_key_id(): "NEW"}
    settings.ENCRYPTION_KEYS = [OLD]
    names[active_key_id()] = "OLD"
    settings.ENCRYPTION_KEYRING, settings.ENCRYPTION_KEY_VERSION, settings.ENCRYPTION_KEYS = (
        ring,
        version,
        keys,
    )
    assert [names.get(key_id, key_id) for key_id in key_ids()] == ids
    assert seal("x", context="row").split(":")[1] == active_key_id()


@pytest.mark.parametrize("form", FORMS)
def test_no_character_can_be_changed(form) -> None:
    """Also the bits of base64 that stand for nothing."""
    with override_settings(**form):
        sealed = seal("hunter2", context="row")
        for place, was in enumerate(sealed):
            for other in {"A", "B", "1", "2", "=", ":", "v", " ", "\n", "é", "\0"} - {was}:
                with pytest.raises(DecryptionError):
                    unseal(sealed[:place] + other + sealed[place + 1 :], context="row")


@given(st.text(min_size=1), st.data())
def test_no_byte_can_be_changed(text: str, data: st.DataObject) -> None:
    with override_settings(**VERSIONED):
        head, encoded = seal(text, context="row").rsplit(":", 1)
        body = bytearray(base64.b64decode(encoded))
        for place in range(len(body)):
            body[place] ^= (flip := data.draw(st.integers(1, 255)))
            with pytest.raises(DecryptionError):
                unseal(f"{head}:{base64.b64encode(body).decode()}", context="row")
            body[place] ^= flip
        assert unseal(f"{head}:{base64.b64encode(body).decode()}", context="row") == text


@given(st.text(), st.text(), st.text())
def test_any_other_context_is_refused(text: str, context: str, other: str) -> None:
    with override_settings(**VERSIONED):
        sealed = seal(text, context=context)
        if other != context:
            with pytest.raises(DecryptionError):
                unseal(sealed, context=other)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{v3}", id="version-that-is-not-there"),
        pytest.param("enc:v1:{body}", id="version-of-another-key"),
        pytest.param("enc:v02:{body}", id="version-with-a-zero"),
        pytest.param("enc:2:{body}", id="version-without-its-letter"),
        pytest.param("enc:V2:{body}", id="capital-letter"),
        pytest.param("enc:v2:{cut}", id="cut-short"),
        pytest.param("enc:v2:", id="nothing-in-it"),
        pytest.param("enc:v2:{body}:", id="one-part-too-many"),
        pytest.param("enc:v2:{body}\n", id="line-end"),
        pytest.param("hunter2", id="plaintext"),
        pytest.param("hunter2:hunter2:hunter2", id="plaintext-of-three-parts"),
        pytest.param("enc:hunter2:hunter2", id="plaintext-that-looks-sealed"),
    ],
)
def test_what_cannot_be_read_is_not_quoted_anywhere(text) -> None:
    with override_settings(**VERSIONED):
        body = seal("hunter2", context="row").split(":")[2]
        text = text.format(body=body, cut=base64.b64encode(b"x" * 27).decode(), v3=f"enc:v3:{body}")
        with pytest.raises(DecryptionError) as caught:
            unseal(text, context="row")
    assert "hunter2" not in "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__context__ is None
