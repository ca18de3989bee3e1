"""Lists that stay fast over a million rows: no exact count beyond a bound, pages by key instead of offset."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

from ambient.common.keyset import after_key, before_key

BOUND = 10_000
OLDER, NEWER = "older_than", "newer_than"


class BoundedPaginator(Paginator):
    """Counts up to a bound and pages no deeper; who looks for more narrows the list."""

    template_name = "ambient/admin/pagination.html"

    @cached_property
    def counted(self) -> int:
        """Rows, counted no further than one beyond the bound."""
        if isinstance(self.object_list, QuerySet):
            return self.object_list.order_by()[: BOUND + 1].count()
        return len(self.object_list)

    @cached_property
    def count(self) -> int:
        return min(self.counted, BOUND)

    @property
    def shown_count(self) -> str:
        """The count as people read it."""
        return f"{BOUND:,}+" if self.counted > BOUND else f"{self.counted:,}"


class KeysetPage:
    """One page of rows, newest first, with its neighbours' keys. One query, whatever the size."""

    def __init__(
        self,
        rows: QuerySet[Any, Any],
        columns: tuple[str, ...],
        size: int,
        *,
        older_than: tuple[Any, ...] | None = None,
        newer_than: tuple[Any, ...] | None = None,
    ) -> None:
        down = tuple(f"-{column}" for column in columns)
        if newer_than is not None:
            found = list(rows.filter(after_key(columns, newer_than)).order_by(*columns)[: size + 1])
            self.has_newer, self.has_older = len(found) > size, True
            self.rows = found[:size][::-1]
        else:
            if older_than is not None:
                rows = rows.filter(before_key(columns, older_than))
            found = list(rows.order_by(*down)[: size + 1])
            self.has_newer, self.has_older = older_than is not None, len(found) > size
            self.rows = found[:size]

    def links(self, request: HttpRequest, key: str) -> dict[str, str | None]:
        """Addresses of the newest, the newer and the older page; None where there is none."""

        def link(name: str, row: Any) -> str:
            query = request.GET.copy()
            query.pop(OLDER, None)
            query.pop(NEWER, None)
            query[name] = str(getattr(row, key))
            return f"?{query.urlencode()}"

        query = request.GET.copy()
        moved = query.pop(OLDER, None) or query.pop(NEWER, None)
        query.pop(NEWER, None)
        return {
            "newest": f"?{query.urlencode()}" if moved else None,
            "newer": link(NEWER, self.rows[0]) if self.rows and self.has_newer else None,
            "older": link(OLDER, self.rows[-1]) if self.rows and self.has_older else None,
        }


class KeysetPaginator(Paginator):
    """What the list's template asks of a paginator; there is one page, and links to its neighbours."""

    template_name = "ambient/admin/keyset.html"
    links: dict[str, str | None] = {}


class BoundedChangeList(ChangeList):
    """The count stands below the list and nowhere else."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


class KeysetChangeList(ChangeList):
    """A list in pages by `(created_at, id)`. It has no total and no page numbers."""

    columns = ("created_at", "id")

    def get_filters_params(self, params: Any = None) -> Any:
        """The places in the list are no filters."""
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (OLDER, NEWER)}

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any, Any]) -> list[str]:
        return [f"-{column}" for column in self.columns]

    def _key(self, request: HttpRequest, name: str) -> tuple[Any, ...] | None:
        pk = request.GET.get(name, "").replace("\0", "")
        found = self.root_queryset.filter(pk=pk).values_list(*self.columns).first() if pk else None
        return tuple(found) if found is not None else None

    def get_results(self, request: HttpRequest) -> None:
        page = KeysetPage(
            self.queryset,
            self.columns,
            self.list_per_page,
            older_than=self._key(request, OLDER),
            newer_than=self._key(request, NEWER),
        )
        self.result_list = page.rows
        self.result_count = len(page.rows)
        self.full_result_count = len(page.rows)
        self.show_full_result_count = False
        self.show_admin_actions = bool(page.rows)
        self.can_show_all = self.multi_page = False
        self.paginator = KeysetPaginator(page.rows, self.list_per_page)
        self.paginator.links = page.links(request, "pk")
        for place in (OLDER, NEWER):  # another search or filter begins at the newest again
            self.filter_params.pop(place, None)
