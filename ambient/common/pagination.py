"""The list envelope: which page, in which order, how many in all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from ambient.common.deep_pages import DEFAULT_ORDER, DeepPages, skipped
from ambient.common.exceptions import BadRequest
from ambient.common.projection import cut, parse_fields
from ambient.common.search import Column, compile_search
from ambient.common.search.limits import limited
from ambient.common.wire import WireSerializer

DEFAULT_SIZE = 100
MAX_SIZE = 65_500
MAX_ORDER_COLUMNS = 10
INT64 = 2**63 - 1
MAX_OFFSET = INT64 - MAX_SIZE
_NUMBER = re.compile(r"([+-]?)0*([0-9]+)", re.ASCII)
_DIGITS = len(str(INT64))


def _number(text: str | None, default: int) -> int:
    """A missing value is the default, no number counts as 0, one beyond 64 bits as the nearest within."""
    if not text:
        return default
    found = _NUMBER.fullmatch(text)
    if found is None:
        return 0
    sign, digits = found.groups()
    number = min(int(digits), INT64) if len(digits) <= _DIGITS else INT64  # int() refuses very long ones
    return -number if sign == "-" else number


@dataclass(frozen=True)
class Page:
    """What the query string asks for. `page` is echoed as sent; 0 and below mean the first.

    A page beyond 64 bits is echoed as the largest, which is as far beyond the end: clients read 64 bits.
    """

    page: int
    size: int

    @property
    def offset(self) -> int:
        return (max(self.page, 1) - 1) * self.size

    def of_rows(self, rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        """The rows of this page; none beyond what the database can count to."""
        if self.offset > MAX_OFFSET:
            return rows.none()
        return rows[self.offset : self.offset + self.size]

    @classmethod
    def of(cls, params: Mapping[str, str]) -> "Page":
        size = _number(params.get("size"), DEFAULT_SIZE)
        return cls(_number(params.get("page"), 1), size if 0 <= size <= MAX_SIZE else MAX_SIZE)


def parse_order(text: str, columns: Mapping[str, Column]) -> list[Any]:
    """`orderBy` as expressions: `col [asc|desc][, col ...]`, columns by their wire names."""
    parts = text.split(",")
    if len(parts) > MAX_ORDER_COLUMNS:
        raise BadRequest(f"orderBy takes at most {MAX_ORDER_COLUMNS} columns")
    order: list[Any] = []
    for part in parts:
        name, _, direction = part.strip().partition(" ")
        if direction not in ("", "asc", "desc"):
            raise BadRequest(f"bad order value '{part.strip()}'")
        if name not in columns:
            raise BadRequest(f"bad order value '{part.strip()}': there is no column '{name}'")
        column = F(columns[name].path)
        order.append(column.desc() if direction == "desc" else column.asc())
    return order


class EnvelopePagination(BasePagination):
    """`{"kind", "page", "size", "total", "items"}`; a page beyond the end is empty, never an error.

    Who may see nothing at all is told page 1, whichever was asked for.
    """

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        self.view = view
        kind: type[WireSerializer] = view.get_serializer_class()
        params = request.query_params
        if any("\0" in value for value in params.values()):
            raise BadRequest("a query parameter holds the NUL character")
        self.page = Page.of(params)
        self.wanted = parse_fields(params.get("fields", ""), kind)
        columns = kind.columns()
        search, order = params.get("search", ""), params.get("orderBy", "").strip()
        if order:
            rows = queryset.order_by(*parse_order(order, columns), "id")
        else:
            rows = queryset.order_by(*view.default_order)
        if search.strip():
            narrowed = compile_search(search, kind.wire_kind, kind.wire_plural, columns)
            with limited():
                self.total = queryset.filter(narrowed).count()
                found = list(self.page.of_rows(rows.filter(narrowed)))
            self.sees_nothing = not self.total and self.page.page != 1 and not queryset.exists()
            return found
        self.total = view.count(queryset)
        self.sees_nothing = not self.total
        if order or view.default_order != DEFAULT_ORDER:
            return skipped(rows, self.page)
        return DeepPages(request, self.page).rows(rows)

    def get_paginated_response(self, data: Any) -> Response:
        kind = self.view.get_serializer_class().wire_kind
        items = data if self.wanted is None else [cut(item, self.wanted) for item in data]
        return Response(
            {
                "kind": f"{kind}List",
                "page": 1 if self.sees_nothing else self.page.page,
                "size": len(items),
                "total": self.total,
                "items": items,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["kind", "page", "size", "total", "items"],
            "properties": {
                "kind": {"type": "string"},
                "page": {"type": "integer", "format": "int64"},
                "size": {"type": "integer", "description": "Number of items in this answer."},
                "total": {"type": "integer", "format": "int64", "description": "Number of items in all."},
                "items": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        def parameter(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
            return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}

        default = ", ".join(re.sub("^-(.*)", r"\1 desc", name) for name in view.default_order)
        number = {"type": "integer", "format": "int64"}
        return [
            parameter("page", number | {"default": 1}, "Number of the page, from 1."),
            parameter("size", number | {"default": DEFAULT_SIZE}, f"Items per page, at most {MAX_SIZE}."),
            parameter(
                "search",
                {"type": "string"},
                "Tree Search Language, such as `name like '%x%' and phase = 'Running'`.",
            ),
            parameter(
                "orderBy",
                {"type": "string"},
                f"Columns to order by: `col [asc|desc][, col ...]`; by default `{default}`.",
            ),
            parameter(
                "fields",
                {"type": "string"},
                "Comma list of the fields to answer with, beside `id`; `labels.team` is one key.",
            ),
        ]
