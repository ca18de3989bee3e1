"""Negations moved down to the tests.

SQL's logic has three values, and in all three NOT (a AND b) is NOT a OR NOT b. With negation at the tests
only, a filter needs to know no more than when a test, or its negation, is true: "unknown" and "false" select
nothing alike.
"""

from dataclasses import dataclass

from ambient.common.search.tree import And, Not, Or, Test, Tree


@dataclass(frozen=True)
class Leaf:
    """A test, or its negation."""

    test: Test
    negated: bool


@dataclass(frozen=True)
class All:
    """All of the terms."""

    terms: tuple["Normal", ...]


@dataclass(frozen=True)
class Some:
    """One of the terms at least."""

    terms: tuple["Normal", ...]


Normal = Leaf | All | Some


def normal(tree: Tree, negated: bool = False) -> Normal:
    """The same expression without a negation above a test."""
    match tree:
        case Not():
            return normal(tree.term, not negated)
        case And():
            terms = tuple(normal(term, negated) for term in tree.terms)
            return Some(terms) if negated else All(terms)
        case Or():
            terms = tuple(normal(term, negated) for term in tree.terms)
            return All(terms) if negated else Some(terms)
        case _:
            return Leaf(tree, negated)
