"""From text to syntax tree. Bounded: a hostile text costs no more than reading it."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from ambient.common.exceptions import BadRequest
from ambient.common.search.tree import (
    And,
    Arithmetic,
    Between,
    Compare,
    In,
    Is,
    IsNull,
    Like,
    Literal,
    Name,
    Not,
    Operand,
    Or,
    Tree,
)

MAX_CHARACTERS = 32_768
MAX_DEPTH = 100
MAX_TERMS = 2_500
MAX_LITERALS = 5_000
MAX_EXPONENT = 100
MAX_PARTS = 2
SHOWN = 20


class SearchError(BadRequest):
    """The search asks for something that there is not; the reason says what."""


class ParseError(SearchError):
    """The text is no search; the reason says where."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"Failed to parse search query: {detail}")


@v_args(inline=True)
class _ToTree(Transformer):
    """Builds the tree from the leaves up, so depth costs no recursion here."""

    def start(self, tree: Tree) -> Tree:
        return tree

    def or_(self, *terms: Tree) -> Tree:
        return terms[0] if len(terms) == 1 else Or(terms)

    def and_(self, *terms: Tree) -> Tree:
        return terms[0] if len(terms) == 1 else And(terms)

    def negation(self, term: Tree) -> Tree:
        return Not(term)

    def compare(self, left: Operand, operator: Token, literal: Literal) -> Tree:
        return Compare(left, "!=" if operator == "<>" else str(operator), literal)

    def regexp(self, left: Operand, operator: Token, literal: Literal) -> Tree:
        raise ParseError(
            f"{operator} (regular expressions) is not supported, at character {_first(operator)}"
        )

    def like(self, left: Operand, keyword: Token, pattern: str) -> Tree:
        return Like(left, pattern, keyword.lower() == "ilike")

    def not_like(self, left: Operand, keyword: Token, pattern: str) -> Tree:
        return Not(self.like(left, keyword, pattern))

    def in_(self, left: Operand, literals: tuple[Literal, ...] | None) -> Tree:
        return In(left, literals or ())

    def not_in(self, left: Operand, literals: tuple[Literal, ...] | None) -> Tree:
        return Not(self.in_(left, literals))

    def between(self, left: Operand, low: Literal, high: Literal) -> Tree:
        return Between(left, low, high)

    def not_between(self, left: Operand, low: Literal, high: Literal) -> Tree:
        return Not(Between(left, low, high))

    def is_null(self, left: Operand) -> Tree:
        return IsNull(left)

    def is_not_null(self, left: Operand) -> Tree:
        return Not(IsNull(left))

    def is_(self, left: Operand, literal: Literal) -> Tree:
        return Is(left, literal)

    def is_not(self, left: Operand, literal: Literal) -> Tree:
        return Not(Is(left, literal))

    def arithmetic(self, left: Operand, operator: Token, right: Operand) -> Operand:
        return Arithmetic(str(operator), left, right)

    def name(self, *parts: Token) -> Name:
        if len(parts) > MAX_PARTS:
            more = _first(parts[MAX_PARTS])
            raise ParseError(f"a name has at most {MAX_PARTS} parts; one more begins at character {more}")
        return Name(tuple(str(part) for part in parts))

    def part(self, token: Token) -> Token:
        return token if token.type == "WORD" else token.update(value=token[1:-1])

    def literals(self, *values: Literal) -> tuple[Literal, ...]:
        if len(values) > MAX_LITERALS:
            raise ParseError(f"a list may have at most {MAX_LITERALS} values")
        return values

    def number(self, sign: Token | None, digits: Token) -> Decimal:
        value = Decimal(digits)
        if value and not -MAX_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
            raise ParseError(f"the number {digits[:SHOWN]} at character {_first(digits)} is out of range")
        return -value if sign == "-" else value

    def string(self, token: Token) -> str:
        return str(token)[1:-1].replace("''", "'")


def _first(token: Token) -> int:
    """Where a token begins, counted from 1."""
    return (token.start_pos or 0) + 1


_GRAMMAR = (Path(__file__).parent / "grammar.lark").read_text()
_LARK = Lark(
    _GRAMMAR, parser="lalr", transformer=_ToTree(), maybe_placeholders=True, propagate_positions=False
)


def _check_size(tree: Tree) -> None:
    """Depth and number of terms, without recursion: what reads the tree later is recursive."""
    terms = 0
    stack: list[tuple[Any, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        terms += 1
        if depth > MAX_DEPTH:
            raise ParseError(f"it is nested deeper than {MAX_DEPTH} levels")
        if terms > MAX_TERMS:
            raise ParseError(f"it has more than {MAX_TERMS} terms")
        match node:
            case And() | Or():
                stack += [(term, depth + 1) for term in node.terms]
            case Not():
                stack.append((node.term, depth + 1))
            case Arithmetic():
                stack += [(node.left, depth + 1), (node.right, depth + 1)]
            case Name() | Decimal():
                pass
            case _:
                stack.append((node.left, depth + 1))


def _check_parentheses(text: str) -> None:
    """Parentheses stand for nothing in the tree, so their levels are counted in the text."""
    depth = 0
    for mark in re.findall("[()]", re.sub("'[^']*'", "", text)):
        depth += 1 if mark == "(" else -1
        if depth > MAX_DEPTH:
            raise ParseError(f"it is nested deeper than {MAX_DEPTH} levels")


def _place(text: str, error: UnexpectedInput) -> str:
    """Where reading stopped, counted from 1, and what stands there."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return f"it ends too early, at character {len(text) + 1}"
    position = error.pos_in_stream or 0
    if isinstance(error, UnexpectedCharacters) and text[position] in "'\"`[":
        return f"the text that begins at character {position + 1} has no end"
    return f"unexpected {text[position : position + SHOWN]!r} at character {position + 1}"


def parse(text: str) -> Tree:
    """The tree of a search; ParseError (400, 21) for anything that is none."""
    if len(text) > MAX_CHARACTERS:
        raise ParseError(f"it is longer than {MAX_CHARACTERS} characters")
    if "\0" in text:
        raise ParseError(f"unexpected NUL at character {text.index(chr(0)) + 1}")
    _check_parentheses(text)
    try:
        tree: Tree = _LARK.parse(text)  # type: ignore[assignment]
    except UnexpectedInput as exc:
        raise ParseError(_place(text, exc)) from None
    except VisitError as exc:
        if isinstance(exc.orig_exc, SearchError):
            raise exc.orig_exc from None
        raise
    _check_size(tree)
    return tree
