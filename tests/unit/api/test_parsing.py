"""Decoding of bodies and list parameters, without a database."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient.common.exceptions import BadRequest, InvalidField, MalformedRequest, TooLarge
from ambient.common.json_text import strict_object
from ambient.common.pagination import INT64, MAX_SIZE, Page, parse_order
from ambient.common.parsers import decode, decode_object
from ambient.common.search import Column, ColumnType
from ambient.common.wire import Int32, LabelsText, OneOf, Text, Timestamp, WireSerializer
from projects_app.filters import project_of_request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_decode_is_json_without_nul(value):
    raw = json.dumps(value).encode()

    def nul(entry):
        if isinstance(entry, str):
            return "\0" in entry
        if isinstance(entry, list):
            return any(map(nul, entry))
        if isinstance(entry, dict):
            return any(nul(key) or nul(item) for key, item in entry.items())
        return False

    if nul(value):
        with pytest.raises(MalformedRequest):
            decode(raw)
    else:
        assert decode(raw) == value


@given(st.binary(max_size=300))
def test_decode_object_never_fails_otherwise(raw):
    for optional in (False, True):
        try:
            assert isinstance(decode_object(raw, optional=optional), dict)
        except MalformedRequest:
            pass


@pytest.mark.parametrize("raw", [b"", b" ", b"null", b"{}"])
def test_optional_body(raw):
    assert decode_object(raw, optional=True) == {}


def test_oversize(settings):
    settings.MAX_REQUEST_BYTES = 10
    with pytest.raises(TooLarge):
        decode(b" " * 11)


@given(st.text(), st.text())
def test_page_is_always_in_bounds(page, size):
    asked = Page.of({"page": page, "size": size})
    assert 0 <= asked.size <= MAX_SIZE
    assert -INT64 <= asked.page <= INT64
    assert asked.offset >= 0


PATHS = {"id": "id", "name": "name", "since": "phase_since"}
COLUMNS = {name: Column(path, ColumnType.TEXT) for name, path in PATHS.items()}


@given(st.text())
def test_order_is_columns_or_a_refusal(text):
    try:
        order = parse_order(text, COLUMNS)
    except BadRequest:
        return
    assert all(entry.expression.name in PATHS.values() for entry in order)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("name", [("name", False)]),
        ("since desc", [("phase_since", True)]),
        ("name asc, id desc,since", [("name", False), ("id", True), ("phase_since", False)]),
    ],
)
def test_order(text, columns):
    assert [(entry.expression.name, entry.descending) for entry in parse_order(text, COLUMNS)] == columns


class Sample(WireSerializer):
    """A kind of its own."""

    text = Text(limit=3)
    number = Int32(least=0)
    labels = LabelsText()
    when = Timestamp()
    word = OneOf(["a", "b"])
    fixed = Text(create_only=True)
    wanted = Text(required=True, empty=False)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"wanted": "x", "text": "four"}, InvalidField),
        ({"wanted": "x", "number": -1}, InvalidField),
        ({"wanted": "x", "number": 2**31}, MalformedRequest),
        ({"wanted": "x", "when": "2026-13-01T00:00:00Z"}, MalformedRequest),
        ({"wanted": "x", "when": 5}, MalformedRequest),
        ({"wanted": "x", "word": "c"}, InvalidField),
        ({"wanted": "x", "labels": 5}, MalformedRequest),
        ({"wanted": ""}, InvalidField),
        ({"wanted": None}, InvalidField),
        ({}, MalformedRequest),
        ({"wanted": "x", "extra": 1}, MalformedRequest),
        ({"wanted": "x", "id": "mine"}, InvalidField),
    ],
)
def test_create_refuses(body, error):
    with pytest.raises(error):
        Sample().to_internal_value(body)


@pytest.mark.parametrize(
    ("body", "partial", "values"),
    [
        ({"wanted": "x", "text": None, "kind": 1}, False, {"wanted": "x"}),
        ({"wanted": None, "fixed": "y", "extra": 1, "number": 0}, True, {"number": 0}),
        ({"labels": {"b": [1], "a": "ü"}}, True, {"labels": '{"b":[1],"a":"ü"}'}),
        ({"labels": '{ "b":1}'}, True, {"labels": '{ "b":1}'}),
    ],
)
def test_accepted(body, partial, values):
    assert Sample(partial=partial).to_internal_value(body) == values


@pytest.mark.parametrize(
    ("text", "index"),
    [
        (None, None),
        ("", None),
        ("nonsense", None),
        ("[1]", None),
        ('{"a": "b"}', {"a": "b"}),
        ('{"a": "\\u0000"}', None),
        ("[" * 100_000, None),
    ],
)
def test_label_index(text, index):
    assert strict_object(text) == index


class Asked:
    def __init__(self, query, header):
        self.query_params = {"project_id": query} if query is not None else {}
        self.headers = {"X-Ambient-Project": header} if header is not None else {}


@pytest.mark.parametrize(
    ("query", "header", "project"),
    [(None, None, None), ("", "", None), ("a", "b", "a"), (None, "b", "b"), ("", "b", "b"), (None, "_", "_")],
)
def test_project_of_request(query, header, project):
    assert project_of_request(Asked(query, header)) == project


@pytest.mark.parametrize("value", ["a b", "a/b", "ü", "a\n"])
def test_project_format(value):
    with pytest.raises(InvalidField):
        project_of_request(Asked(value, None))
