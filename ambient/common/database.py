"""Small things about the database that more than one app needs."""

import datetime
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

F = TypeVar("F", bound=Callable[..., Any])
ATTEMPTS = 3


def database_now() -> datetime.datetime:
    """The database's clock: deadlines count by it alone, so that no host's clock can move them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime.datetime = cursor.fetchone()[0]
    return now


def transactional(function: F) -> F:
    """One transaction, tried again up to three times after a deadlock (40P01, 40001).

    Inside an outer transaction it only joins it: the outer one is what has to be tried again.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as exc:
                if attempt == ATTEMPTS or not isinstance(
                    exc.__cause__, DeadlockDetected | SerializationFailure
                ):
                    raise
        raise AssertionError("unreachable")

    return wrapper  # type: ignore[return-value]
