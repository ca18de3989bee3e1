"""Searches for property tests: random trees, their text, and a slow evaluation with SQL's three values."""

import datetime
import json
import re
from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from ambient.common.search.tree import And, Arithmetic, Between, Compare, In, Is, IsNull, Like, Name, Not, Or

TEXTS = ("name", "prompt", "repo_url")
NUMBERS = ("timeout", "llm_temperature", "llm_max_tokens")
BOOLEANS = ("stop_on_run_finished",)
TIMES = ("created_at",)
KEYS = ("team", "app.io/name", "5", "it's")

WORDS = [
    "",
    "a",
    "b",
    "ab",
    "A",
    "aB",
    "it's",
    "%",
    "_",
    "a%b",
    "é",
    "x\ny",
    '"',
    "\\",
    "--",
    "a_b",
    "5",
    "true",
]
PATTERNS = ["%", "_", "a%", "%b", "%a%", "_b", "a\\%b", "a\\_b", "%'%", "%%", "A%", "\\\\", "%\n%", "é"]
WHOLE = [Decimal(n) for n in (-3, -1, 0, 1, 2, 7, 60)]
DECIMALS = [*WHOLE, Decimal("0.5"), Decimal("0.7"), Decimal("1e30")]
MOMENTS = ["2026-01-01", "2026-01-01T00:00:00Z", "2026-01-02T12:00:00+02:00", "2025-12-31T23:59:59.5Z"]

words = st.sampled_from(WORDS)
numbers = st.sampled_from(DECIMALS)
text_sides = st.one_of(
    st.sampled_from(TEXTS).map(lambda n: Name((n,))),
    st.sampled_from(TEXTS).map(lambda n: Name(("sessions", n))),
    st.sampled_from(KEYS).map(lambda key: Name(("labels", key))),
)
number_names = st.sampled_from(NUMBERS).map(lambda n: Name((n,)))
number_atoms = st.one_of(number_names, st.sampled_from(WHOLE))
sums = st.recursive(
    number_atoms,
    lambda inner: st.builds(Arithmetic, st.sampled_from("*+-"), inner, inner),
    max_leaves=4,
)
number_sides = st.one_of(
    number_names,
    sums,
    st.builds(
        Arithmetic, st.sampled_from("/%"), number_names, st.one_of(number_names, st.sampled_from(WHOLE))
    ),
)
ORDER = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def leaves_of(side, literal, order):
    """Every test that any type takes."""
    return st.one_of(
        st.builds(Compare, side, order, literal),
        st.builds(In, side, st.lists(literal, max_size=3).map(tuple)),
        st.builds(Is, side, literal),
        st.builds(IsNull, side),
    )


leaves = st.one_of(
    leaves_of(text_sides, words, ORDER),
    st.builds(Between, text_sides, words, words),
    st.builds(Like, text_sides, st.sampled_from(PATTERNS), st.booleans()),
    leaves_of(number_sides, numbers, ORDER),
    st.builds(Between, number_sides, numbers, numbers),
    leaves_of(
        st.sampled_from(BOOLEANS).map(lambda n: Name((n,))),
        st.sampled_from(["true", "false", "TRUE", Decimal(1), Decimal(0)]),
        st.sampled_from(["=", "!="]),
    ),
    leaves_of(st.sampled_from(TIMES).map(lambda n: Name((n,))), st.sampled_from(MOMENTS), ORDER),
)


def trees():
    """Random searches that every column of the sample rows can answer."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.lists(inner, min_size=2, max_size=3).map(tuple).map(And),
            st.lists(inner, min_size=2, max_size=3).map(tuple).map(Or),
        ),
        max_leaves=8,
    )


# Text


def written(tree):
    """The tree as text, with a parenthesis around whatever could need one."""
    match tree:
        case And():
            return " and ".join(f"({written(term)})" for term in tree.terms)
        case Or():
            return " or ".join(f"({written(term)})" for term in tree.terms)
        case Not():
            return f"not ({written(tree.term)})"
        case Compare():
            return f"{_side(tree.left)} {tree.operator} {_literal(tree.literal)}"
        case Like():
            return f"{_side(tree.left)} {'ilike' if tree.ignore_case else 'LIKE'} {_literal(tree.pattern)}"
        case In():
            return f"{_side(tree.left)} in ({', '.join(map(_literal, tree.literals))})"
        case Between():
            return f"{_side(tree.left)} between {_literal(tree.low)} and {_literal(tree.high)}"
        case IsNull():
            return f"{_side(tree.left)} is null"
        case Is():
            return f"{_side(tree.left)} is {_literal(tree.literal)}"


def terse(tree, level=0):
    """The same with no parenthesis that precedence spares, and with the other spellings of negations."""
    match tree:
        case Or():
            text = " OR ".join(terse(term, 1) for term in tree.terms)
            return f"({text})" if level > 1 else text
        case And():
            text = " AND ".join(terse(term, 2) for term in tree.terms)
            return f"({text})" if level > 2 else text
        case Not(Like() | In() | Between() as term):
            side = _side(term.left)
            return f"{side} not{written(term).removeprefix(side)}"
        case Not(Is() | IsNull() as term):
            side = _side(term.left)
            return f"{side} is not{written(term).removeprefix(side).removeprefix(' is')}"
        case Not():
            return f"NOT {terse(tree.term, 3)}"
        case Compare(operator="!="):
            return f"{_side(tree.left)}<>{_literal(tree.literal)}"
    return written(tree)


def _side(operand):
    match operand:
        case Name():
            return ".".join(f'"{part}"' for part in operand.parts)
        case Decimal():
            return _literal(operand)
        case Arithmetic():
            return f"({_side(operand.left)} {operand.operator} {_side(operand.right)})"


def _literal(value):
    return f"'{value.replace(chr(39), chr(39) * 2)}'" if isinstance(value, str) else f"{value}"


# Meaning: True, False, or None for unknown


def selects(tree, row):
    """Whether the row is found."""
    return _truth(tree, row) is True


def _truth(tree, row):
    match tree:
        case And():
            return _all([_truth(term, row) for term in tree.terms])
        case Or():
            found = _all([_not(_truth(term, row)) for term in tree.terms])
            return _not(found)
        case Not():
            return _not(_truth(tree.term, row))
        case IsNull():
            return _value(tree.left, row) is None
        case In() if not tree.literals:
            return False
        case Is():
            value = _value(tree.left, row)
            return value is not None and _compare(value, "=", _as(value, tree.literal))
    value = _value(tree.left, row)
    if value is None:
        return None
    match tree:
        case Compare():
            return _compare(value, tree.operator, _as(value, tree.literal))
        case In():
            return any(value == _as(value, literal) for literal in tree.literals)
        case Between():
            return _as(value, tree.low) <= value <= _as(value, tree.high)
        case Like():
            return _like(tree.pattern, tree.ignore_case).fullmatch(value) is not None


def _all(values):
    if False in values:
        return False
    return None if None in values else True


def _not(value):
    return None if value is None else not value


def _compare(value, operator, other):
    return {
        "=": value == other,
        "!=": value != other,
        "<": value < other,
        "<=": value <= other,
        ">": value > other,
        ">=": value >= other,
    }[operator]


def _as(value, literal):
    """The literal in the type of the value."""
    match value:
        case bool():
            return str(literal).lower() in ("true", "1")
        case datetime.datetime():
            found = datetime.datetime.fromisoformat(literal)
            return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
        case str():
            return literal
    return Fraction(literal)


def _value(operand, row):
    match operand:
        case Name(("labels", key)):
            value = (row["labels"] or {}).get(key)
            return value if value is None or isinstance(value, str) else json.dumps(value)  # as JSONB's text
        case Name():
            value = row[operand.parts[-1]]
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return Fraction(Decimal(repr(value))) if is_number else value
        case Decimal():
            return Fraction(operand)
        case Arithmetic():
            left, right = _value(operand.left, row), _value(operand.right, row)
            if left is None or right is None or (operand.operator in "/%" and right == 0):
                return None
            match operand.operator:
                case "+":
                    return left + right
                case "-":
                    return left - right
                case "*":
                    return left * right
                case "/":
                    return left / right
                case "%":
                    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
                    return left - quotient * right


def _like(pattern, ignore_case):
    parts, escaped = [], False
    for character in pattern:
        if escaped or character not in "%_\\":
            parts.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append(".*" if character == "%" else ".")
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))
