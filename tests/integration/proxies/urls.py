"""The routes of both processes on one server: it is the API and, for its calls, also the control plane."""

from django.urls import include, path

from ambient.urls import handler400, handler403, handler404, handler500  # noqa: F401
from ambient.urls import urlpatterns as api

urlpatterns = [path("", include("sessions_app.proxies.endpoint")), *api]
