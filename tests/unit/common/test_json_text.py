"""Members of a JSON object with their values as they are written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient.common.json_text import members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SPACE = st.text(" \t\r\n", max_size=2)


@given(st.lists(st.tuples(st.text(), VALUES, st.booleans()), max_size=5), st.data())
def test_each_value_is_the_text_between_the_spaces(entries, data):
    space = lambda: data.draw(SPACE)  # noqa: E731
    written = [(key, json.dumps(value, ensure_ascii=plain)) for key, value, plain in entries]
    inside = ",".join(
        f"{space()}{json.dumps(key)}{space()}:{space()}{value}{space()}" for key, value in written
    )
    assert members(f"{space()}{{{inside or space()}}}{space()}") == dict(written)


@pytest.mark.parametrize(
    "text", ["", "x", "[1]", "1", "null", '"{}"', "{", '{"a":1', '{"a":1}}', "[" * 100_000]
)
def test_anything_else_has_none(text):
    assert members(text) is None
