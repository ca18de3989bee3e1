"""The list envelope: which page, in which order, how many in all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from ambient.common.exceptions import BadRequest

DEFAULT_SIZE = 100
MAX_SIZE = 65_500
MAX_ORDER_COLUMNS = 10
INT64 = 2**63 - 1
MAX_OFFSET = INT64 - MAX_SIZE
DEFAULT_ORDER = ("created_at", "id")
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


def parse_order(text: str, columns: Mapping[str, str]) -> list[Any]:
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
        column = F(columns[name])
        order.append(column.desc() if direction == "desc" else column.asc())
    return order


def narrowed_and_ordered(
    queryset: QuerySet[Any, Any], params: Mapping[str, str], columns: Mapping[str, str]
) -> QuerySet[Any, Any]:
    """`search` and `orderBy` of the query string; the one place where they meet a list."""
    for name in ("search", "fields"):
        if params.get(name, "").strip():
            raise BadRequest(f"{name} is not supported yet")
    text = params.get("orderBy", "")
    if not text.strip():
        return queryset.order_by(*DEFAULT_ORDER)
    return queryset.order_by(*parse_order(text, columns), "id")


class EnvelopePagination(BasePagination):
    """`{"kind", "page", "size", "total", "items"}`; a page beyond the end is empty, never an error."""

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        self.view = view
        params = request.query_params
        if any("\0" in value for value in params.values()):
            raise BadRequest("a query parameter holds the NUL character")
        self.page = Page.of(params)
        rows = narrowed_and_ordered(queryset, params, view.order_columns())
        self.total = view.count(queryset)
        return list(self.page.of_rows(rows))

    def get_paginated_response(self, data: Any) -> Response:
        kind = self.view.get_serializer_class().wire_kind
        return Response(
            {
                "kind": f"{kind}List",
                "page": self.page.page,
                "size": len(data),
                "total": self.total,
                "items": data,
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

        number = {"type": "integer", "format": "int64"}
        return [
            parameter("page", number | {"default": 1}, "Number of the page, from 1."),
            parameter("size", number | {"default": DEFAULT_SIZE}, f"Items per page, at most {MAX_SIZE}."),
            parameter(
                "search",
                {"type": "string"},
                "Search criteria, such as `name = 'x'`. Not supported yet: must be blank.",
            ),
            parameter(
                "orderBy",
                {"type": "string"},
                "Columns to order by: `col [asc|desc][, col ...]`; by default `created_at, id`.",
            ),
            parameter(
                "fields",
                {"type": "string"},
                "Comma list of fields to answer with. Not supported yet: must be blank.",
            ),
        ]
