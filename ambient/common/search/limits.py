"""How long a search may take."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from ambient.common.exceptions import Unavailable

RETRY_SECONDS = 5


@contextmanager
def limited() -> Iterator[None]:
    """A search may not keep the database longer than AMBIENT_SEARCH_TIMEOUT_SECONDS; then it is a 503."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                timeout = f"{settings.SEARCH_TIMEOUT_SECONDS * 1000:.0f}"
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [timeout])
            yield
            with connection.cursor() as cursor:  # where this is a part of a longer transaction
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as exc:
        if not isinstance(exc.__cause__, QueryCanceled):
            raise
        raise Unavailable("The search took too long, narrow it", retry_after=RETRY_SECONDS) from exc
