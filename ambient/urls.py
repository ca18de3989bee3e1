"""One include per app; the token endpoint and calls of runners are on the control plane only."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path

from ambient.common import views
from projects_app.views import sign_in

handler400 = "ambient.common.errors.bad_request"
handler403 = "ambient.common.errors.permission_denied"
handler404 = "ambient.common.errors.page_not_found"
handler500 = "ambient.common.errors.server_error"

V1 = "api/ambient/v1"

urlpatterns = [
    path("", views.root, name="root"),
    path("admin/logout/", sign_in.sign_out),  # before the admin's own, which only staff may use
    path("admin/", admin.site.urls),
    path("oidc/sign-in", sign_in.begin, name="oidc_authentication_init"),
    path("oidc/callback", sign_in.callback, name="oidc_authentication_callback"),
    path("favicon.ico", views.no_icon, name="favicon"),
    path("static/<path:path>", views.static_file, name="static"),
    path("healthz", views.alive, name="healthz"),
    path("healthcheck", views.healthcheck, name="healthcheck"),
    path("readyz", views.ready, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("api/ambient", views.ServerInfoView.as_view(), name="server-info"),
    path(V1, views.OpenNotFoundView.as_view()),
    path(f"{V1}/errors", views.OpenNotFoundView.as_view()),
    path(f"{V1}/version", views.VersionView.as_view(), name="version"),
    path(f"{V1}/auth/config", views.AuthConfigView.as_view(), name="auth-config"),
    path(f"{V1}/openapi", views.OpenApiView.as_view(), name="openapi"),
    path(f"{V1}/openapi.html", views.OpenApiPageView.as_view(), name="openapi-page"),
    path(f"{V1}/", include("projects_app.urls")),
    path(f"{V1}/", include("sessions_app.urls")),
    re_path(r"^api(/|$)", views.UnknownPathView.as_view()),
]
if settings.PROCESS == "control-plane":
    urlpatterns += [path("", include("reconciler.urls")), path("", include("sessions_app.proxies.endpoint"))]
