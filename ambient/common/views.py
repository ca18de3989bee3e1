"""Open paths: what this server is, whether it is well; and every path that does not exist."""

import mimetypes
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.response import Response

from ambient.common import health
from ambient.common.errors import error_response
from ambient.common.exceptions import MethodNotAllowed, NotFound
from ambient.common.permissions import Open, SignedIn
from ambient.common.renderers import dumps
from ambient.common.viewsets import WireView
from ambient.version import BUILD_TIME, GIT_TAG, VERSION

SERVER_ID = "ambient-api-server"


class ServerInfoSerializer(serializers.Serializer):
    """Which server this is."""

    id = serializers.CharField()
    href = serializers.CharField()
    kind = serializers.CharField()
    version = serializers.CharField()
    build_time = serializers.CharField()


class VersionSerializer(serializers.Serializer):
    """Which build this is."""

    version = serializers.CharField()
    build_time = serializers.CharField()
    git_tag = serializers.CharField()


class OpenView(WireView):
    """A path that needs no token and looks at none."""

    authentication_classes: list[Any] = []
    permission_classes = [Open]


class ServerInfoView(OpenView):
    """`GET /api/ambient`."""

    @extend_schema(operation_id="server_info", responses=ServerInfoSerializer, auth=[], tags=["server"])
    def get(self, request: Any) -> Response:
        return Response(
            {
                "id": SERVER_ID,
                "href": "/api/ambient",
                "kind": "API",
                "version": VERSION,
                "build_time": BUILD_TIME,
            }
        )


class VersionView(OpenView):
    """`GET /api/ambient/v1/version`."""

    @extend_schema(operation_id="server_version", responses=VersionSerializer, auth=[], tags=["server"])
    def get(self, request: Any) -> Response:
        return Response({"version": VERSION, "build_time": BUILD_TIME, "git_tag": GIT_TAG})


class AuthConfigSerializer(serializers.Serializer):
    """How to sign in here."""

    methods = serializers.ListField(
        child=serializers.CharField(), help_text="Kinds of bearer tokens: api_key, oidc."
    )
    issuer = serializers.CharField(
        required=False, help_text="OpenID Connect provider to get a token from, where there is one."
    )
    audience = serializers.CharField(required=False, help_text="What the token must be meant for.")


class AuthConfigView(OpenView):
    """`GET /api/ambient/v1/auth/config`: what a client needs to know before it has a token."""

    @extend_schema(operation_id="auth_config", responses=AuthConfigSerializer, auth=[], tags=["server"])
    def get(self, request: Any) -> Response:
        """Which kinds of tokens this server takes, and where people get one."""
        if not settings.OIDC_ISSUERS:
            return Response({"methods": ["api_key"]})
        people = settings.OIDC_ISSUERS[0]
        return Response(
            {"methods": ["oidc", "api_key"], "issuer": people.url, "audience": people.audiences[0]}
        )


class OpenApiView(OpenView, SpectacularJSONAPIView):
    """`GET /api/ambient/v1/openapi`: the schema as JSON."""

    schema = None


class OpenApiPageView(OpenView, SpectacularSwaggerSplitView):
    """`GET /api/ambient/v1/openapi.html`: the schema to read and try; assets from this server."""

    schema = None
    renderer_classes = [TemplateHTMLRenderer]
    content_negotiation_class = DefaultContentNegotiation
    url_name = "openapi"


class UnknownPathView(WireView):
    """Everything below /api that nothing else serves: first a valid token, then 404."""

    permission_classes = [SignedIn]
    schema = None

    def handle(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise NotFound(f"The path {request.path} does not exist")

    get = post = put = patch = delete = handle


class OpenNotFoundView(UnknownPathView):
    """`/api/ambient/v1` and `/errors`: open, but nothing is there."""

    authentication_classes: list[Any] = []
    permission_classes = [Open]


def only_get(view: Any) -> Any:
    """GET and HEAD of a plain view; anything else is a 405 in our form."""

    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return error_response(request, MethodNotAllowed(f'Method "{request.method}" not allowed.'))
        response: HttpResponse = view(request)
        return response

    return csrf_exempt(guarded)


def _json(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(dumps(value), "application/json", status)


@only_get
def alive(request: HttpRequest) -> HttpResponse:
    """`/healthz`: the process answers. It asks no other part."""
    return _json({"status": "ok"})


@only_get
def healthcheck(request: HttpRequest) -> HttpResponse:
    """`/healthcheck`, as existing probes know it."""
    return _json({})


@only_get
def ready(request: HttpRequest) -> HttpResponse:
    """`/readyz`: 200 when this process can serve, else 503; and what is not ready."""
    problems = health.not_ready()
    ready = health.can_serve(problems)
    return _json({"ready": ready, "not_ready": problems}, 200 if ready else 503)


@only_get
def no_icon(request: HttpRequest) -> HttpResponse:
    """`/favicon.ico`: there is none, which browsers remember for a day."""
    return HttpResponse(status=204, headers={"Cache-Control": "public, max-age=86400"})


@only_get
def metrics(request: HttpRequest) -> HttpResponse:
    """`/metrics` for Prometheus."""
    return HttpResponse(generate_latest(), CONTENT_TYPE_LATEST)


def static_file(request: HttpRequest, path: str) -> HttpResponse:
    """The few files of the admin and the API page; no web server stands in front of the embedded default."""
    found = finders.find(path)
    if found is None or not Path(found).is_file():
        raise Http404
    content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    headers = {"Cache-Control": "public, max-age=3600"}
    return HttpResponse(Path(found).read_bytes(), content_type, headers=headers)


@only_get
def root(request: HttpRequest) -> HttpResponse:
    """`/`: people land in the admin."""
    return redirect("/admin/")
