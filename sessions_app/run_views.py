"""What has run in a session, and what waits for people."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from ambient.common.deep_pages import NEWEST_FIRST
from ambient.common.exceptions import MalformedRequest
from ambient.common.pagination import EnvelopePagination
from sessions_app.conversation_serializers import (
    InterruptAnswerSerializer,
    InterruptSerializer,
    RunSerializer,
    text_field,
)
from sessions_app.models import Interrupt, Run
from sessions_app.services.interrupts import NO_PAYLOAD, interrupt_answer
from sessions_app.view_base import OfSessionViewSet


class _ListedViewSet(OfSessionViewSet):
    """Rows of one session, listed as kinds are."""

    pagination_class = EnvelopePagination

    def page_of(self, rows: QuerySet[Any, Any]) -> Response:
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class RunViewSet(_ListedViewSet):
    """The session's runs."""

    serializer_class = RunSerializer
    default_order = ("-number",)
    action_permissions = {"runs": "session:read"}

    @extend_schema(operation_id="session_runs_list", responses=RunSerializer(many=True))
    def runs(self, request: Any, pk: str) -> Response:
        """The session's runs, the newest first."""
        return self.page_of(Run.objects.filter(session=self.get_object()))


class InterruptViewSet(_ListedViewSet):
    """What the agent asks people."""

    serializer_class = InterruptSerializer
    default_order = NEWEST_FIRST
    action_permissions = {"interrupts": "session:read", "answer": "session:update"}

    @extend_schema(operation_id="session_interrupts_list", responses=InterruptSerializer(many=True))
    def interrupts(self, request: Any, pk: str) -> Response:
        """What the agent asks and asked people, the newest first."""
        return self.page_of(Interrupt.objects.filter(session=self.get_object()))

    @extend_schema(
        operation_id="session_interrupts_answer",
        request=InterruptAnswerSerializer,
        responses={200: InterruptSerializer},
    )
    def answer(self, request: Any, pk: str, iid: str) -> Response:
        """Answer an interrupt; with the last one the run goes on."""
        session = self.get_object()
        body = request.body_object()
        status = text_field(body, "status")
        if status is None:
            raise MalformedRequest("Invalid request format: status is missing")
        found = interrupt_answer(
            session=session,
            interrupt_id=iid,
            actor=request.user.username,
            status=status,
            payload=body.get("payload", NO_PAYLOAD),
        )
        return Response(InterruptSerializer(found).data)
