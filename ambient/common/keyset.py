"""Places in an ordered list by the key of a row, in a form that an index serves."""

from typing import Any

from django.db.models import Q


def before_key(columns: tuple[str, ...], values: tuple[Any, ...]) -> Q:
    """Rows that come before a key in descending order of the columns, in a form that an index serves."""
    first, value = columns[0], values[0]
    if len(columns) == 1:
        return Q(**{f"{first}__lt": value})
    rest = before_key(columns[1:], values[1:])
    return Q(**{f"{first}__lte": value}) & (Q(**{f"{first}__lt": value}) | rest)


def after_key(columns: tuple[str, ...], values: tuple[Any, ...]) -> Q:
    """Rows that come after a key."""
    first, value = columns[0], values[0]
    if len(columns) == 1:
        return Q(**{f"{first}__gt": value})
    rest = after_key(columns[1:], values[1:])
    return Q(**{f"{first}__gte": value}) & (Q(**{f"{first}__gt": value}) | rest)
