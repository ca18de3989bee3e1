"""Sealed columns: bound to their row, readable with old keys, silent about their content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient.common.encryption import DecryptionError, seal, unseal

OLD, NEW = "old-key-" + "a" * 32, "new-key-" + "b" * 32


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
