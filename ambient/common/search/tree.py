"""The syntax tree of a search."""

from dataclasses import dataclass
from decimal import Decimal

Literal = str | Decimal


@dataclass(frozen=True)
class Name:
    """A column, perhaps with a prefix: `timeout`, `sessions.timeout`, `labels.team`."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Arithmetic:
    """A sum, difference, product, quotient or remainder of numbers."""

    operator: str  # one of * / % + -
    left: "Operand"
    right: "Operand"


Operand = Name | Decimal | Arithmetic


@dataclass(frozen=True)
class Compare:
    """`left operator literal`, with = != < <= > >=."""

    left: Operand
    operator: str
    literal: Literal


@dataclass(frozen=True)
class Like:
    """LIKE, or ILIKE where case does not matter."""

    left: Operand
    pattern: str
    ignore_case: bool = False


@dataclass(frozen=True)
class In:
    """Equal to one of some literals; of none when there are none."""

    left: Operand
    literals: tuple[Literal, ...]


@dataclass(frozen=True)
class Between:
    """From one literal to another, both included."""

    left: Operand
    low: Literal
    high: Literal


@dataclass(frozen=True)
class IsNull:
    """Unset."""

    left: Operand


@dataclass(frozen=True)
class Is:
    """Equal, where unset is an ordinary value."""

    left: Operand
    literal: Literal


@dataclass(frozen=True)
class Not:
    """Negation; of what is neither true nor false it is neither as well."""

    term: "Tree"


@dataclass(frozen=True)
class And:
    """All of the terms."""

    terms: tuple["Tree", ...]


@dataclass(frozen=True)
class Or:
    """One of the terms at least."""

    terms: tuple["Tree", ...]


Test = Compare | Like | In | Between | IsNull | Is
Tree = Test | Not | And | Or
