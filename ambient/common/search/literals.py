"""Literals as values of a column's type: what does not fit is refused before the database sees it."""

import datetime
from decimal import Decimal

from ambient.common.search.columns import ColumnType
from ambient.common.search.parser import SearchError
from ambient.common.search.tree import Literal

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
Value = str | int | Decimal | bool | datetime.datetime


def _mismatch(literal: Literal, type_: ColumnType, name: str) -> SearchError:
    return SearchError(f"{str(literal)[:40]!r} does not fit {name}, which is a {type_.value}")


def value_of(literal: Literal, type_: ColumnType, name: str) -> Value:
    """The literal as the column has it."""
    match type_, literal:
        case ColumnType.TEXT, str():
            return literal
        case ColumnType.NUMBER, Decimal():
            return _whole(literal)
        case ColumnType.BOOLEAN, _:
            found = _BOOLEANS.get(str(literal).lower())
            if found is not None:
                return found
        case ColumnType.TIME, str():
            found_time = _time(literal)
            if found_time is not None:
                return found_time
    raise _mismatch(literal, type_, name)


def _whole(number: Decimal) -> int | Decimal:
    """Whole numbers of 64 bits as such, so that an index on whole numbers serves them."""
    whole = int(number)
    return whole if whole == number and -(2**63) <= whole < 2**63 else number


def _time(text: str) -> datetime.datetime | None:
    """A date or a time as RFC 3339 has them; without an offset it is UTC."""
    try:
        found = datetime.datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
        return found.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def checked_pattern(pattern: str) -> str:
    """A pattern that PostgreSQL takes: its escape character must escape something."""
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise SearchError("a LIKE pattern may not end with its escape character, the backslash")
    return pattern
