"""What settings may be, and that no message quotes a password."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient import setting_types as types

PASSWORD = "pass-word"
KEY = "k" * 32
ONE, TWO = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
SHORT = base64.b64encode(b"k" * 31).decode()


@pytest.mark.parametrize(
    ("parse", "raw", "value"),
    [
        pytest.param(types.OneOf("a", "b"), "b", "b", id="one-of-a-closed-set"),
        pytest.param(types.names, " a, b,,", ["a", "b"], id="names"),
        pytest.param(types.whole(0), "0", 0, id="whole-number"),
        pytest.param(types.seconds, "0.5", 0.5, id="seconds"),
        pytest.param(types.keys, f"{KEY},{KEY}2", [KEY, f"{KEY}2"], id="keys"),
        pytest.param(types.keyring, json.dumps({"1": ONE}), {1: b"\1" * 32}, id="one-version"),
        pytest.param(
            types.keyring,
            json.dumps({"10": TWO, "2": ONE}),
            {10: b"\2" * 32, 2: b"\1" * 32},
            id="two-versions",
        ),
        pytest.param(types.key_version, " 12", 12, id="version"),
        pytest.param(types.redis_url, "rediss://:p@h:1/2", "rediss://:p@h:1/2", id="redis"),
        pytest.param(types.redis_url, "redis://h", "redis://h", id="redis-without-a-number"),
        pytest.param(types.database_url, "postgres://h/db", "postgres://h/db", id="short-scheme"),
        pytest.param(
            types.database_url,
            "postgresql://u:p%40@/db?host=/run",
            "postgresql://u:p%40@/db?host=/run",
            id="socket-folder",
        ),
    ],
)
def test_right(parse, raw, value):
    assert parse(raw) == value


@pytest.mark.parametrize(
    ("parse", "raw"),
    [
        pytest.param(types.OneOf("a", "b"), "c", id="not-of-the-set"),
        pytest.param(types.whole(1), "0", id="too-small"),
        pytest.param(types.whole(1), "-2", id="negative"),
        pytest.param(types.whole(1), "2.5", id="not-whole"),
        pytest.param(types.seconds, "soon", id="word-as-seconds"),
        pytest.param(types.seconds, "nan", id="not-a-number"),
        pytest.param(types.seconds, "inf", id="for-ever"),
        pytest.param(types.key, PASSWORD, id="short-key"),
        pytest.param(types.keys, f"{KEY},{PASSWORD}", id="one-key-is-short"),
        pytest.param(types.keys, " , ", id="no-key"),
        pytest.param(types.keyring, PASSWORD, id="keyring-is-no-json"),
        pytest.param(types.keyring, json.dumps({"1": ONE})[:-1], id="keyring-is-cut"),
        pytest.param(types.keyring, json.dumps([ONE]), id="keyring-is-an-array"),
        pytest.param(types.keyring, json.dumps(ONE), id="keyring-is-a-text"),
        pytest.param(types.keyring, "{}", id="keyring-is-empty"),
        pytest.param(types.keyring, "[" * 100_000, id="keyring-is-too-deep"),
        pytest.param(types.keyring, json.dumps({"1": SHORT}), id="key-of-31-bytes"),
        pytest.param(types.keyring, json.dumps({"1": ONE, "2": SHORT}), id="second-key-is-short"),
        pytest.param(types.keyring, json.dumps({"1": PASSWORD}), id="key-is-no-base64"),
        pytest.param(types.keyring, json.dumps({"1": ONE + "\n"}), id="key-with-a-line-end"),
        pytest.param(types.keyring, json.dumps({"1": "é" + ONE}), id="key-with-a-letter-beyond-ascii"),
        pytest.param(types.keyring, json.dumps({"1": ""}), id="key-is-empty"),
        pytest.param(types.keyring, json.dumps({"1": None}), id="key-is-null"),
        pytest.param(types.keyring, json.dumps({"1": {"2": ONE}}), id="key-is-an-object"),
        pytest.param(types.keyring, json.dumps({PASSWORD: ONE}), id="version-is-a-word"),
        pytest.param(types.keyring, json.dumps({ONE: "1"}), id="version-and-key-changed-places"),
        pytest.param(types.keyring, json.dumps({"0": ONE}), id="version-0"),
        pytest.param(types.keyring, json.dumps({"-1": ONE}), id="version-below-0"),
        pytest.param(types.keyring, json.dumps({"01": ONE}), id="version-with-a-zero"),
        pytest.param(types.keyring, json.dumps({"v1": ONE}), id="version-with-its-letter"),
        pytest.param(types.keyring, json.dumps({"١": ONE}), id="version-of-other-digits"),
        pytest.param(types.keyring, f'{{"1": "{ONE}", "1": "{TWO}"}}', id="version-comes-twice"),
        pytest.param(types.keyring, json.dumps({"1": ONE, "2": ONE}), id="one-key-of-two-versions"),
        pytest.param(types.key_version, PASSWORD, id="key-in-the-place-of-a-version"),
        pytest.param(types.key_version, "0", id="active-version-0"),
        pytest.param(types.database_url, f"mysql://u:{PASSWORD}@h/db", id="other-database"),
        pytest.param(types.database_url, f"postgresql://u:{PASSWORD}@h", id="no-database-name"),
        pytest.param(types.database_url, f"postgresql://u:{PASSWORD}@/db", id="no-host"),
        pytest.param(types.database_url, f"postgresql://u:{PASSWORD}#x@h/db", id="password-with-a-hash"),
        pytest.param(types.database_url, f"postgresql://u:{PASSWORD}%zz@h/db", id="password-with-a-percent"),
        pytest.param(types.database_url, f"postgresql://u:{PASSWORD}@h:99999/db", id="port-too-large"),
        pytest.param(types.redis_url, f"http://:{PASSWORD}@h", id="not-redis"),
        pytest.param(types.redis_url, f"redis://:{PASSWORD}@h/first", id="database-is-no-number"),
        pytest.param(types.redis_url, f"redis://:{PASSWORD}/x@h", id="password-with-a-slash"),
    ],
)
def test_wrong(parse, raw):
    with pytest.raises(ValueError, match=r".") as caught:
        parse(raw)
    for secret in (PASSWORD, ONE, TWO, SHORT):
        assert secret not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_keyring_does_not_show_its_keys():
    ring = types.keyring(json.dumps({"1": ONE, "2": TWO}))
    shown = f"{ring} {ring!r} {ring[1]} {ring[1]!r} {ring[1]:} {list(ring.values())}"
    assert shown.replace("<key>", "") == "{1: , 2: } {1: , 2: }    [, ]"


@given(st.dictionaries(st.integers(1, 999_999_999), st.binary(min_size=32, max_size=32), min_size=1))
def test_every_ring_of_different_keys_can_be_written(ring):
    keys = set(ring.values())
    text = json.dumps({str(version): base64.b64encode(key).decode() for version, key in ring.items()})
    if len(keys) == len(ring):
        assert types.keyring(text) == ring


@given(st.text())
def test_any_text_is_a_keyring_or_a_value_error(text):
    try:
        assert types.keyring(text)
    except ValueError:
        pass


@pytest.mark.parametrize("raw", ["*", "console.example", "https://x/path", "https://x/", "ftp://x", "null"])
def test_what_is_no_origin(raw):
    with pytest.raises(ValueError, match="https://HOST"):
        types.origins(raw)


def test_origins():
    assert types.origins("https://a.example, http://localhost:3000") == [
        "https://a.example",
        "http://localhost:3000",
    ]
