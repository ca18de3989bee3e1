"""Answers against the schema that an agent asks with."""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient.common.exceptions import InvalidField
from sessions_app.services.answers import check_payload

TEXT = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
APPROVAL = {"type": "object", "properties": {"approved": {"type": "boolean"}}, "required": ["approved"]}
NESTED = {"properties": {"items": {"items": {"enum": ["red", "blue"]}}}}


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        pytest.param(None, {"any": "thing"}, id="no-schema"),
        pytest.param(TEXT, {"answer": "Blue"}, id="text"),
        pytest.param(TEXT, {"answer": "Blue", "more": 1}, id="more-than-asked"),
        pytest.param(True, 5, id="everything-is-right"),
        pytest.param({"pattern": "(a+)+$"}, "a" * 64 + "!", id="regular-expressions-are-the-agents"),
        pytest.param({"type": "no such type"}, 5, id="no-valid-schema"),
        pytest.param({"$ref": "https://example.test/schema"}, 5, id="nothing-is-fetched"),
        pytest.param({"$ref": "#"}, 5, id="endless"),
        pytest.param([1, 2], 5, id="schema-is-a-list"),
    ],
)
def test_what_fits_or_cannot_be_checked_is_taken(schema: Any, payload: Any) -> None:
    check_payload(None if schema is None else json.dumps(schema), payload)


@pytest.mark.parametrize(
    ("schema", "payload", "reason"),
    [
        pytest.param(TEXT, {}, "payload does not fit: 'answer' is a required property", id="missing"),
        pytest.param(TEXT, "Blue", "payload does not fit: 'Blue' is not of type 'object'", id="no-object"),
        pytest.param(TEXT, None, "payload does not fit: None is not of type 'object'", id="null"),
        pytest.param(APPROVAL, {"approved": "yes"}, "payload.approved does not fit", id="text-for-bool"),
        pytest.param(NESTED, {"items": ["red", "green"]}, "payload.items[1] does not fit", id="nested"),
        pytest.param(False, 1, "payload does not fit", id="nothing-is-right"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(schema: Any, payload: Any, reason: str) -> None:
    with pytest.raises(InvalidField, match=re.escape(reason)):
        check_payload(json.dumps(schema), payload)


KEYS = st.sampled_from(["type", "properties", "$ref", "$schema", "enum", "items", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(JSON, JSON)
def test_whatever_an_agent_calls_a_schema_is_no_crash(schema: Any, payload: Any) -> None:
    with suppress(InvalidField):
        check_payload(json.dumps(schema), payload)
