"""The admin site: staff only, every write with its actor in the history, nothing from another host."""

from collections.abc import Callable
from typing import Any

import pghistory
import structlog
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from unfold.sites import UnfoldAdminSite

from ambient.common import actor
from ambient.common.admin.models import has_soft_delete

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; "  # the theme's Alpine evaluates its attributes
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
View = Callable[..., HttpResponseBase]


def _guard(response: HttpResponseBase) -> HttpResponseBase:
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response["Referrer-Policy"] = "same-origin"
    return response


class LiveAutocompleteView(AutocompleteJsonView):
    """What can be chosen as a related object: no deleted rows."""

    def get_queryset(self) -> QuerySet[Any, Any]:
        rows: QuerySet[Any, Any] = super().get_queryset()
        return rows.filter(deleted_at=None) if has_soft_delete(rows.model) else rows


class AmbientAdminSite(UnfoldAdminSite):
    """Signed-in staff; what they may see and change is a matter of Django's model permissions."""

    enable_nav_sidebar = True

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Every page but the sign-in: its writes carry the actor and the request id into the history.

        The context is opened here and not in a middleware, because under ASGI a view runs in a thread of its
        own and the context of another thread does not reach it.
        """
        checked: View = super().admin_view(view, cacheable)

        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            who = actor.of_caller(request.user) if request.user.is_authenticated else {}
            if who:
                structlog.contextvars.bind_contextvars(user=who["user"])
            with pghistory.context(**actor.of_request(request), **who):
                return _guard(checked(request, *args, **kwargs))

        for name in ("csrf_exempt", "model_admin"):
            if hasattr(checked, name):
                setattr(page, name, getattr(checked, name))
        return page

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return LiveAutocompleteView.as_view(admin_site=self)(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return _guard(super().login(request, extra_context))
