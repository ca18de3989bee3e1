"""What settings may be, and that no message quotes a password."""

import pytest

from ambient import setting_types as types

PASSWORD = "pass-word"
KEY = "k" * 32


@pytest.mark.parametrize(
    ("parse", "raw", "value"),
    [
        pytest.param(types.OneOf("a", "b"), "b", "b", id="one-of-a-closed-set"),
        pytest.param(types.names, " a, b,,", ["a", "b"], id="names"),
        pytest.param(types.whole(0), "0", 0, id="whole-number"),
        pytest.param(types.seconds, "0.5", 0.5, id="seconds"),
        pytest.param(types.keys, f"{KEY},{KEY}2", [KEY, f"{KEY}2"], id="keys"),
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
    assert PASSWORD not in str(caught.value)
    assert "\n" not in str(caught.value)
