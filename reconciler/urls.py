"""Routes of the control plane alone."""

from django.urls import path

from reconciler.views import TokenView

urlpatterns = [path("token", TokenView.as_view(), name="runner-token")]
