"""The search language's grammar: what it takes, what it refuses and where."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient.common.search import SearchError, parse
from ambient.common.search.parser import MAX_CHARACTERS
from ambient.common.search.tree import And, Arithmetic, Between, Compare, In, Is, IsNull, Like, Name, Not, Or
from tests.searching import trees, written


def name(*parts):
    return Name(parts)


A, B, C = (Compare(name(x), "=", "1") for x in "abc")

TAKEN = {
    "name = 'x'": Compare(name("name"), "=", "x"),
    "provider='github'": Compare(name("provider"), "=", "github"),
    "a = 'it''s'": Compare(name("a"), "=", "it's"),
    r"a = '\'": Compare(name("a"), "=", "\\"),
    "a = ''": Compare(name("a"), "=", ""),
    "a <> 5": Compare(name("a"), "!=", Decimal(5)),
    "a != -5.25": Compare(name("a"), "!=", Decimal("-5.25")),
    "a <= 1e3": Compare(name("a"), "<=", Decimal(1000)),
    "a < + 2E-2": Compare(name("a"), "<", Decimal("0.02")),
    "sessions.name = '1'": Compare(name("sessions", "name"), "=", "1"),
    "\"name\" = '1'": Compare(name("name"), "=", "1"),
    "`a b`.[c d] = '1'": Compare(name("a b", "c d"), "=", "1"),
    "labels.\"app.io/name\" = '1'": Compare(name("labels", "app.io/name"), "=", "1"),
    "android = '1'": Compare(name("android"), "=", "1"),
    "notes like 'x'": Like(name("notes"), "x"),
    "a = '1' and b = '1' or c = '1'": Or((And((A, B)), C)),
    "a = '1' and (b = '1' or c = '1')": And((A, Or((B, C)))),
    "not a = '1' and b = '1'": And((Not(A), B)),
    "not (a = '1' and b = '1')": Not(And((A, B))),
    "not not a = '1'": Not(Not(A)),
    "(((a = '1')))": A,
    "A = '1' AND B = '1' Or C = '1'": Or(
        (And((Compare(name("A"), "=", "1"), Compare(name("B"), "=", "1"))), Compare(name("C"), "=", "1"))
    ),
    "a like '%x%'": Like(name("a"), "%x%"),
    "a NOT LIKE 'x'": Not(Like(name("a"), "x")),
    "a ilike 'x'": Like(name("a"), "x", ignore_case=True),
    "a in ('1','2')": In(name("a"), ("1", "2")),
    "a in(1,2)": In(name("a"), (Decimal(1), Decimal(2))),
    "a in ()": In(name("a"), ()),
    "a not in ('1')": Not(In(name("a"), ("1",))),
    "a between 1 and 2 and b = '1'": And((Between(name("a"), Decimal(1), Decimal(2)), B)),
    "a not between 1 and 2": Not(Between(name("a"), Decimal(1), Decimal(2))),
    "a is null": IsNull(name("a")),
    "a is not null": Not(IsNull(name("a"))),
    "a is 'x'": Is(name("a"), "x"),
    "a is not 5": Not(Is(name("a"), Decimal(5))),
    "a + 2 * b = 7": Compare(
        Arithmetic("+", name("a"), Arithmetic("*", Decimal(2), name("b"))), "=", Decimal(7)
    ),
    "(a + 2) * 3 = 7": Compare(
        Arithmetic("*", Arithmetic("+", name("a"), Decimal(2)), Decimal(3)), "=", Decimal(7)
    ),
    "((a)) = '1'": A,
    "a-1 = 0": Compare(Arithmetic("-", name("a"), Decimal(1)), "=", Decimal(0)),
    "-1 + a % 2 = 0": Compare(
        Arithmetic("+", Decimal(-1), Arithmetic("%", name("a"), Decimal(2))), "=", Decimal(0)
    ),
    " \t\n a\n=\r\n'1' ": A,
}


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_taken(text):
    assert parse(text) == TAKEN[text]


CLIENTS = [
    "name = 'x'",
    "provider='github'",
    "id in ('a','b')",
    "name like '%x%'",
    "project_id = 'p' and name like '%x%'",
    "phase = 'Running'",
    "project_id = 'p' and phase = 'Running'",
    "scope = 'credential' and project_id = 'p' and agent_id = 'a'",
    "scope = 'credential' and session_id = 's'",
    "user_id = 'u' and project_id = 'p'",
    "agent_id = 'a'",
    "scope = 'global'",
]


@pytest.mark.parametrize("text", CLIENTS)
def test_what_clients_send_is_taken(text):
    assert parse(text)


REFUSED = {
    "name": "it ends too early, at character 5",
    "name =": "it ends too early, at character 7",
    "name = x": "unexpected 'x' at character 8",
    "a = b": "unexpected 'b' at character 5",
    "a = 'x' b": "unexpected 'b' at character 9",
    "a = 'x": "the text that begins at character 5 has no end",
    'a = "x"': "unexpected '\"x\"' at character 5",
    "(a = 'x'": "it ends too early, at character 9",
    "a = 'x')": "unexpected ')' at character 8",
    "= 'x'": "unexpected \"= 'x'\" at character 1",
    "a in": "it ends too early, at character 5",
    "a in ('x',)": "unexpected ')' at character 11",
    "a in 'x'": "unexpected \"'x'\" at character 6",
    "a like 5": "unexpected '5' at character 8",
    "a = null": "unexpected 'null' at character 5",
    "a ~= 'x'": "~= (regular expressions) is not supported, at character 3",
    "a ~! 'x'": "~! (regular expressions) is not supported, at character 3",
    "a = 'x'; drop table x": "unexpected '; drop table x' at character 8",
    "a = 'x' -- comment": "unexpected '-- comment' at character 9",
    "a = 'x' /* c */": "unexpected '/* c */' at character 9",
    "a = 1e999": "the number 1e999 at character 5 is out of range",
    "a = 1e-999": "the number 1e-999 at character 5 is out of range",
    "a = '\0'": "unexpected NUL at character 6",
    "a %% 2 = 1": "unexpected '% 2 = 1' at character 4",
    "select * from x": "unexpected 'x' at character 15",
    "a = 'x' union select 1": "unexpected 'union select 1' at character 9",
    "ä = 'x'": "unexpected \"ä = 'x'\" at character 1",
    "a = $1": "unexpected '$1' at character 5",
    "not": "it ends too early, at character 4",
    'a."b".c = 1': "a name has at most 2 parts; one more begins at character 7",
    "()": "unexpected ')' at character 2",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_and_where(text):
    with pytest.raises(SearchError) as caught:
        parse(text)
    assert caught.value.reason == f"Failed to parse search query: {REFUSED[text]}"
    assert (caught.value.status, caught.value.id) == (400, 21)


HOSTILE = {
    "100 kB": "a = '" + "x" * 100_000 + "'",
    "as long as allowed, nonsense": "(" * MAX_CHARACTERS,
    "1,000 parentheses": "(" * 1000 + "a = 1" + ")" * 1000,
    "1,000 negations": "not " * 1000 + "a = 1",
    "1,000 nested negations": "not (" * 1000 + "a = 1" + ")" * 1000,
    "1,000 levels of and-or": "(a = 1 and (b = 1 or " * 500 + "a = 1" + "))" * 500,
    "5,000 terms": " or ".join(["a = 1"] * 5000),
    "a long sum": "a" + "+1" * 5000 + " = 1",
    "6,000 values": "a in (" + ",".join(["1"] * 6000) + ")",
    "quotes": "'" * 1001,
    "an open quote": "a = '" + "''" * 5000,
    "dots": "a" + ".a" * 5000 + " = 1" + " and",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_a_plain_refusal(text):
    with pytest.raises(SearchError):
        parse(text)


@pytest.mark.parametrize(
    "text", ["(" * 90 + "a = 1" + ")" * 90, "a = '" + "(" * 500 + "'", "a = 'it''s ((' or a = 1"]
)
def test_some_parentheses_and_those_in_texts_are_fine(text):
    parse(text)


@given(st.text())
def test_any_text_is_a_search_or_a_refusal(text):
    with contextlib.suppress(SearchError):
        parse(text)


@given(trees())
def test_what_is_written_is_read_as_it_was_meant(tree):
    assert parse(written(tree)) == tree
