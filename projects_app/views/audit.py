"""The audit log: a list to look into, and lines to take away."""

from collections.abc import AsyncIterator
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from ambient.common.deep_pages import NEWEST_FIRST
from ambient.common.exceptions import BadRequest
from ambient.common.keyset import before_key
from ambient.common.pagination import EnvelopePagination, Page
from ambient.common.renderers import dumps
from ambient.common.search.limits import limited
from ambient.common.threads import in_thread
from ambient.common.viewsets import ScopedViewSet
from projects_app.audit_query import CLOSED, KEY, entries_after_cursor, entries_asked_for
from projects_app.audit_serializers import AuditEntrySerializer
from projects_app.models import AuditEntry

MAX_SIZE = 1_000
DEEPEST = 10_000
"""How far pages and `total` count; a cursor goes further."""
MAX_EXPORT = 100_000
EXPORT_STEP = 500
FILTERS = [
    OpenApiParameter("project", str, description="Only what belongs to this project."),
    OpenApiParameter("kind", str, description="Only writes to objects of this kind, such as `RoleBinding`."),
    OpenApiParameter("object_id", str, description="Only writes to this object."),
    OpenApiParameter("actor", str, description="Only what this user did."),
    OpenApiParameter("action", str, enum=CLOSED["action"], description="Only this kind of write."),
    OpenApiParameter("request_id", str, description="Only what this request did (`X-Operation-ID`)."),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="From this time on."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Before this time."),
    OpenApiParameter("cursor", str, description="Of an entry: only what is older than it."),
]


class AuditPagination(EnvelopePagination):
    """The list envelope without search and order; counts no further than DEEPEST."""

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        params = request.query_params
        asked = Page.of(params)
        self.view, self.wanted = view, None
        self.page = Page(asked.page, min(asked.size, MAX_SIZE))
        if self.page.offset + self.page.size > DEEPEST:
            raise BadRequest(f"pages end at entry {DEEPEST}: go on with the cursor of the last entry")
        rows = queryset.filter(entries_asked_for(params))
        older = rows.filter(entries_after_cursor(params)).order_by(*NEWEST_FIRST)
        with limited():
            self.total = rows[:DEEPEST].count()
            found = list(self.page.of_rows(older))
        self.sees_nothing = not self.total and self.page.page != 1 and not queryset.exists()
        return found

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        own = {
            "page": f"Number of the page, from 1; pages end at entry {DEEPEST}.",
            "size": f"Items per page, at most {MAX_SIZE}.",
        }
        usual = super().get_schema_operation_parameters(view)
        return [entry | {"description": own[entry["name"]]} for entry in usual if entry["name"] in own]


class AuditViewSet(ScopedViewSet):
    """Who changed what: entries of the projects where the caller may read them, of all for administrators."""

    queryset = AuditEntry.objects.all()
    serializer_class = AuditEntrySerializer
    pagination_class = AuditPagination
    action_permissions = {"list": "audit:read", "export": "audit:read"}

    @extend_schema(parameters=FILTERS)
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Entries of the audit log, the newest first. `total` counts to 10,000."""
        return super().list(request, *args, **kwargs)

    @extend_schema(parameters=FILTERS, responses={(200, "application/x-ndjson"): OpenApiTypes.STR})
    def export(self, request: Any) -> StreamingHttpResponse:
        """The same entries as JSON lines, at most 100,000. Go on with the `cursor` of the last line."""
        params = request.query_params
        rows = self.get_queryset().filter(entries_asked_for(params), entries_after_cursor(params))
        first = _step(rows, EXPORT_STEP)  # while a failure can still be a 503
        if not connection.in_atomic_block:
            connection.close()
        headers = {
            "Content-Disposition": 'attachment; filename="audit.jsonl"',
            "Cache-Control": "no-store",
        }
        return StreamingHttpResponse(
            _lines(rows, first), content_type="application/x-ndjson", headers=headers
        )


def _step(rows: QuerySet[Any, Any], count: int, after: AuditEntry | None = None) -> "list[AuditEntry]":
    """The next entries of an export."""
    if after is not None:
        rows = rows.filter(before_key(KEY, (after.created_at, after.pk)))
    with limited():
        return [*rows.order_by(*NEWEST_FIRST)[:count]]


async def _lines(rows: QuerySet[Any, Any], step: "list[AuditEntry]") -> AsyncIterator[bytes]:
    """Step by step, so that neither memory nor a connection is held while a client takes its time."""
    form, sent = AuditEntrySerializer(), 0
    while step:
        yield b"".join(dumps(form.to_representation(entry)) + b"\n" for entry in step)
        sent += len(step)
        count = min(EXPORT_STEP, MAX_EXPORT - sent)
        step = await in_thread(_step, rows, count, step[-1]) if len(step) == EXPORT_STEP and count else []
