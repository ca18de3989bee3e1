"""Base of every viewset: rows pass `visible_to(user)`, writes pass a permission on the stored object."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import pghistory
import structlog
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from ambient.common import actor, idempotency, throttling
from ambient.common.deep_pages import DEFAULT_ORDER
from ambient.common.exceptions import Forbidden, NotFound, Unauthenticated, not_found
from ambient.common.parsers import WireRequest
from ambient.common.permissions import ANYONE_SIGNED_IN
from ambient.common.renderers import dumps
from ambient.common.wire import WireSerializer

SAFE_METHODS = frozenset({"GET", "HEAD"})
NOT_PERMITTED = "Not permitted"


class WireView(APIView):
    """Any view of the API: our request class, and the caller's name in the history of what it writes."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    limit_headers: Mapping[str, str] = {}

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> WireRequest:
        plain = super().initialize_request(request, *args, **kwargs)
        return WireRequest(
            plain._request,
            parsers=plain.parsers,
            authenticators=self.get_authenticators(),
            negotiator=plain.negotiator,
            parser_context=plain.parser_context,
        )

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Opened here and not in a middleware: the context is kept per thread, and this is the view's.
        with pghistory.context(**actor.of_request(request)):
            return super().dispatch(request, *args, **kwargs)

    def perform_authentication(self, request: Any) -> None:
        address = request.META.get("REMOTE_ADDR")
        try:
            user = request.user
        except Unauthenticated:
            throttling.refused_token(address)
            raise
        self.limit_headers = throttling.spend(self.limit_of(request, user), user, address)
        username = getattr(user, "username", "")
        if username:
            pghistory.context(**actor.of_caller(user))
            structlog.contextvars.bind_contextvars(user=username)

    def limit_of(self, request: Any, user: Any) -> str:
        """Which of `settings.LIMITS` this request counts for."""
        return throttling.usual_limit(request.method, user)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.limit_headers.items():
            answer.headers.setdefault(name, value)  # a limit that refused says its own
        return answer


class ScopedViewSet(WireView, GenericViewSet):
    """The five usual actions of one kind, each only where `action_permissions` lists it.

    Subclasses give the serializer and the queryset and write through services, in `perform_*`.
    """

    action_permissions: Mapping[str, str] = {}
    serializer_class: Any  # a WireSerializer
    queryset: Any  # of a model whose manager has `live` and `visible_to`
    request: WireRequest
    delete_is_idempotent = True  # deleting what does not exist is 204
    default_order: tuple[str, ...] = DEFAULT_ORDER  # of its list; ends with what is unique

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> WireRequest:
        wire = super().initialize_request(request, *args, **kwargs)
        self.action = self.action_map.get(request.method.lower())  # type: ignore[assignment]
        return wire

    # Rows

    def all_rows_unsafe(self) -> Any:
        """Live rows below the path's parent, whoever asks. Subclasses narrow it, never `get_queryset`."""
        return self.queryset.all().live()

    def get_queryset(self) -> Any:
        """What this caller sees of `all_rows_unsafe`."""
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.none()
        return self.all_rows_unsafe().visible_to(self.request.user)

    @property
    def permission(self) -> str:
        return self.action_permissions[self.action]

    def get_object(self) -> Any:
        """The visible object that this action is permitted on.

        Not visible: 404 when reading, 403 when writing. Missing: 404.
        """
        pk = self.kwargs["pk"]
        if "\0" in pk:
            raise self.missing(pk)
        found = self.find(self.get_queryset(), pk)
        if found is None:
            if self.request.method not in SAFE_METHODS and self.find(self.all_rows_unsafe(), pk) is not None:
                raise Forbidden(NOT_PERMITTED)
            raise self.missing(pk)
        self.authorize_object(self.permission, found)
        return found

    def find(self, rows: QuerySet[Any, Any], pk: str) -> Any:
        return rows.filter(pk=pk).first()

    def missing(self, pk: str) -> NotFound:
        return not_found(self.serializer_class.wire_kind, pk)

    def authorize_object(self, permission: str, obj: Any) -> None:
        """Forbidden unless the caller holds the permission on the object, or on what it belongs to."""
        if permission != ANYONE_SIGNED_IN and not self.request.user.has_perm(permission, obj):
            raise Forbidden(NOT_PERMITTED)

    def authorize_create(self) -> None:
        """Before the body is read: may the caller create here at all? By default: who may everywhere."""
        if not self.request.user.has_perm(self.permission):
            raise Forbidden(NOT_PERMITTED)

    def authorize_list(self) -> None:
        """Nested lists refuse an invisible parent here; other lists are just filtered."""

    def count(self, queryset: QuerySet[Any, Any]) -> int:
        """`total` of a list. Kinds with kept counters override it: no hot list counts rows."""
        return queryset.count()

    # Actions

    def read_body(self, *, partial: bool = False, serializer: type[WireSerializer] | None = None) -> Any:
        """The body, decoded and checked as the kind declares it."""
        form = (serializer or self.serializer_class)(partial=partial)
        return form.to_internal_value(self.request.body_object())

    def respond(self, obj: Any, status: int = 200) -> Response:
        return Response(self.get_serializer(obj).data, status=status)

    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        self.authorize_list()
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """One object, with an ETag: who has it already (`If-None-Match`) gets a 304 without a body."""
        body = dumps(self.respond(self.get_object()).data)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        answer = HttpResponse(body, content_type="application/json", headers={"ETag": etag})
        found: HttpResponseBase | None = get_conditional_response(request._request, etag, response=answer)
        return found or answer

    def create(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """One object more; with an `Idempotency-Key` once for all repeats of the request."""
        self.authorize_create()
        return self.once(lambda: self.respond(self.perform_create(self.read_body()), status=201))

    def once(self, make: Callable[[], Response], status: int = 201) -> HttpResponseBase:
        """The answer of what makes something new: with an `Idempotency-Key` it is made once."""
        key = idempotency.key_of(self.request)
        if key is None:
            return make()
        answer, told_again = idempotency.once(self.request, key, lambda: dumps(make().data))
        headers = {"Idempotency-Replayed": "true"} if told_again else {}
        return HttpResponse(answer, "application/json", status, headers=headers)

    def partial_update(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        obj = self.get_object()
        return self.respond(self.perform_update(obj, self.read_body(partial=True)))

    def destroy(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        try:
            obj = self.get_object()
        except NotFound:
            if not self.delete_is_idempotent:
                raise
            return Response(status=204)
        self.perform_destroy(obj)
        return Response(status=204)

    def perform_create(self, values: dict[str, Any]) -> Any:
        raise MethodNotAllowed(self.request.method or "")

    def perform_update(self, obj: Any, values: dict[str, Any]) -> Any:
        raise MethodNotAllowed(self.request.method or "")

    def perform_destroy(self, obj: Any) -> None:
        raise MethodNotAllowed(self.request.method or "")
