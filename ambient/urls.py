"""One include per app; the token endpoint is on the control plane only."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
