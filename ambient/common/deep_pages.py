"""Pages far down a list, at about the cost of the first."""

import hashlib
from typing import Any, Protocol

import redis
import structlog
from django.core.cache import cache
from django.db.models import QuerySet

from ambient.common import headers
from ambient.common.keyset import after_key

log = structlog.get_logger(__name__)
DEFAULT_ORDER = ("created_at", "id")
NEWEST_FIRST = ("-created_at", "-id")
DEEP = 1_000
"""Rows; pages up to here are found by counting."""
REMEMBERED_SECONDS = 600


class Asked(Protocol):
    """Which page is wanted."""

    @property
    def page(self) -> int:
        """Its number."""

    @property
    def size(self) -> int:
        """Rows a page."""

    @property
    def offset(self) -> int:
        """Rows before it."""

    def of_rows(self, rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        """Its rows, by counting."""


class DeepPages:
    """Remembers, for ten minutes, where the next page of a walk begins: a deep one is as fast as the first.

    Only for the default order, whose rows never move: the place is a hint, and without it the rows before the
    page are skipped by counting. A row that is deleted during a walk moves no other out of it.
    """

    def __init__(self, request: Any, page: Asked) -> None:
        params = {
            name: value for name, value in request.query_params.items() if name not in ("page", "fields")
        }
        # The token, since a narrowed key sees fewer rows than its owner, and so has other pages.
        caller = (request.user.username, request.headers.get("Authorization"))
        asked = repr((caller, request.path, sorted(params.items()), request.headers.get(headers.PROJECT)))
        self._key = f"page:{hashlib.sha256(asked.encode()).hexdigest()}"
        self._page = page

    def rows(self, queryset: QuerySet[Any, Any]) -> list[Any]:
        """The rows of the page, in the default order."""
        if self._page.offset + self._page.size < DEEP:
            return list(self._page.of_rows(queryset))
        place = self._recall() if self._page.page > 1 else None
        if place is not None:
            rows = list(queryset.filter(after_key(DEFAULT_ORDER, place))[: self._page.size])
        else:
            rows = skipped(queryset, self._page)
        if rows and len(rows) == self._page.size:
            self._remember((rows[-1].created_at, rows[-1].pk))
        return rows

    def _recall(self) -> tuple[Any, ...] | None:
        try:
            found: tuple[Any, ...] | None = cache.get(f"{self._key}:{self._page.page}")
        except redis.RedisError as exc:
            log.warning("pages are not remembered", error=type(exc).__name__)
            return None
        return found

    def _remember(self, place: tuple[Any, ...]) -> None:
        try:
            cache.set(f"{self._key}:{self._page.page + 1}", place, REMEMBERED_SECONDS)
        except redis.RedisError as exc:
            log.warning("pages are not remembered", error=type(exc).__name__)


def skipped(queryset: QuerySet[Any, Any], page: Asked) -> list[Any]:
    """A page by counting. In a deep one ids alone are skipped, which an index does without the rows."""
    if page.offset < DEEP:
        return list(page.of_rows(queryset))
    ids = list(page.of_rows(queryset.values_list("pk", flat=True)))
    return list(queryset.filter(pk__in=ids)) if ids else []
