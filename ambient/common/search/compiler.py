"""From syntax tree to a filter of a queryset. Names pass an allow-list, values travel as parameters only."""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import BooleanField, DecimalField, F, Func, Q, TextField, Value
from django.db.models.functions import Coalesce, NullIf
from django.db.models.lookups import IsNull as Unset

from ambient.common.search.columns import Column, ColumnType
from ambient.common.search.literals import checked_pattern, value_of
from ambient.common.search.normal import All, Leaf, Normal, Some, normal
from ambient.common.search.parser import SearchError, parse
from ambient.common.search.tree import (
    Arithmetic,
    Between,
    Compare,
    In,
    Is,
    IsNull,
    Like,
    Literal,
    Name,
    Operand,
    Test,
)

NOTHING = Q(pk__in=())
EVERYTHING = ~NOTHING
_SCALAR = re.compile(r"-?(0|[1-9][0-9]{0,999})(\.[0-9]{1,999})?|true|false", re.ASCII)
"""A number or boolean as JSONB writes it: never with an exponent."""
_CALCULATION = {sign: sign for sign in "*/+-"} | {"%": "%%"}  # a lone % would be a placeholder
_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Numeric(Func):
    """A number of any size: no overflow, whatever it is multiplied with."""

    template = "(%(expressions)s)::numeric"
    output_field = DecimalField()


class Calculated(Func):
    """`left operator right` of two numerics."""

    template = "(%(expressions)s)"
    output_field = DecimalField()


class Condition(Func):
    """`left operator right` as a condition."""

    template = "(%(expressions)s)"
    output_field = BooleanField()


class Jsonb(Func):
    """A text as JSONB. It must be JSON."""

    template = "(%(expressions)s)::jsonb"


class KeyText(Func):
    """The text under a key of a JSONB object; NULL where there is none."""

    template = "(%(expressions)s)"
    arg_joiner = " ->> "
    output_field = TextField()


def condition(left: Any, operator: str, right: Any) -> Q:
    """An operator of SQL between two expressions."""
    return Q(Condition(left, right, arg_joiner=f" {operator} "))


class Side:
    """The left side of a test, resolved: an expression of a type; for a key also the way to its index."""

    def __init__(
        self, name: str, type_: ColumnType, expression: Any, index: tuple[str, str] | None = None
    ) -> None:
        self.name, self.type, self.expression, self.index = name, type_, expression, index

    def value(self, literal: Literal) -> Any:
        return Value(value_of(literal, self.type, self.name))


class Compiler:
    """Compiles tests of one kind."""

    def __init__(self, kind: str, table: str, columns: Mapping[str, Column]) -> None:
        self.kind, self.table, self.columns = kind, table, columns

    def filter(self, tree: Normal) -> Q:
        match tree:
            case Leaf():
                return self.test(tree.test, tree.negated)
            case All():
                combined = self.filter(tree.terms[0])
                for term in tree.terms[1:]:
                    combined &= self.filter(term)
                return combined
            case Some():
                combined = self.filter(tree.terms[0])
                for term in tree.terms[1:]:
                    combined |= self.filter(term)
                return combined

    # Names and arithmetic

    def side(self, operand: Operand) -> Side:
        match operand:
            case Name():
                return self.named(operand)
            case Decimal():
                return Side(str(operand), ColumnType.NUMBER, Numeric(Value(operand)))
            case Arithmetic():
                left, right = self.number(operand.left), self.number(operand.right)
                if operand.operator in "/%":
                    right = NullIf(right, Numeric(Value(0)))  # what has no result is neither true nor false
                calculated = Calculated(left, right, arg_joiner=f" {_CALCULATION[operand.operator]} ")
                return Side("the calculation", ColumnType.NUMBER, calculated)

    def number(self, operand: Operand) -> Any:
        side = self.side(operand)
        if side.type is not ColumnType.NUMBER:
            raise SearchError(f"{side.name} is not a number, so it cannot be calculated with")
        return Numeric(side.expression)

    def named(self, name: Name) -> Side:
        first, *rest = name.parts
        if not rest:
            column = self.column(first)
            return Side(first, column.type, F(column.path))
        keys = self.columns[first].keys if first in self.columns else None
        if keys is not None:
            return Side(str(name), ColumnType.TEXT, KeyText(F(keys), Value(rest[0])), (keys, rest[0]))
        if first != self.table:
            raise SearchError(f"{first} is not a related resource of {self.kind}")
        return self.named(Name((rest[0],)))

    def column(self, name: str) -> Column:
        found = self.columns.get(name)
        if found is None:
            raise SearchError(f"{self.kind} has no field {name[:40]!r} to search by")
        return found

    # Tests

    def test(self, test: Test, negated: bool) -> Q:
        """When the test, or its negation, is true."""
        side = self.side(test.left)
        match test:
            case Compare():
                return self.compare(
                    side, _OPPOSITE[test.operator] if negated else test.operator, test.literal
                )
            case Like():
                if side.type is not ColumnType.TEXT:
                    raise SearchError(f"LIKE needs a text, and {side.name} is a {side.type.value}")
                word = ("NOT " if negated else "") + ("ILIKE" if test.ignore_case else "LIKE")
                return condition(side.expression, word, Value(checked_pattern(test.pattern)))
            case In():
                return self.one_of(side, test.literals, negated)
            case Between():
                if negated:
                    return self.compare(side, "<", test.low) | self.compare(side, ">", test.high)
                return self.compare(side, ">=", test.low) & self.compare(side, "<=", test.high)
            case IsNull():
                return Q(Unset(side.expression, not negated))
            case Is():
                same = Coalesce(Condition(side.expression, side.value(test.literal), arg_joiner=" = "), False)
                return ~Q(same) if negated else Q(same)

    def compare(self, side: Side, operator: str, literal: Literal) -> Q:
        if side.type is ColumnType.BOOLEAN and operator not in ("=", "!="):
            raise SearchError(f"{side.name} is true or false and has no order")
        if operator == "=" and side.index is not None:  # the form that the index serves
            column, key = side.index
            same, text = condition(side.expression, operator, side.value(literal)), str(literal)
            if text[:1] in ("{", "["):  # an object or a list: no index finds those by their text
                return same
            found = Q(**{f"{column}__contains": {key: text}})
            if not _SCALAR.fullmatch(text):
                return found
            # Or no text, but written like it. 5 contains 5.0, so the texts decide.
            written = Jsonb(Value(f"{{{json.dumps(key)}: {text}}}"))
            return (found | condition(F(column), "@>", written)) & same
        return condition(side.expression, operator, side.value(literal))

    def one_of(self, side: Side, literals: Sequence[Literal], negated: bool) -> Q:
        if not literals:
            return EVERYTHING if negated else NOTHING
        if side.index is not None and not negated:
            found = NOTHING
            for literal in literals:
                found |= self.compare(side, "=", literal)
            return found
        values = [side.value(literal) for literal in literals]
        listed = Func(*values, template="(%(expressions)s)", output_field=BooleanField())
        return condition(side.expression, "NOT IN" if negated else "IN", listed)


def compile_search(text: str, kind: str, table: str, columns: Mapping[str, Column]) -> Q:
    """The filter of a search over one kind; SearchError (400, 21) where it cannot be understood.

    `columns` are what the search may name, by wire name; `table` is the prefix that a name may have.
    """
    return Compiler(kind, table, columns).filter(normal(parse(text)))
