"""The admin site: staff only, every write with its actor in the history, nothing from another host."""

import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pghistory
import structlog
from django.conf import settings
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from ambient.common import actor, throttling
from ambient.common.admin.models import has_soft_delete
from ambient.common.errors import error_response
from ambient.common.exceptions import TooMany

View = Callable[..., HttpResponseBase]


def _ways_in(request: HttpRequest) -> dict[str, Any]:
    """What the page of the sign-in offers."""
    found: dict[str, Any] = {"passwords": settings.PASSWORD_SIGN_IN}
    if settings.OIDC_BROWSER_CLIENT is not None:
        query = urlencode({"next": request.GET.get(REDIRECT_FIELD_NAME, "")})
        found["provider"] = settings.OIDC_BROWSER_CLIENT.provider_name
        found["provider_path"] = f"{reverse('oidc_authentication_init')}?{query}"
    return found


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
                try:
                    limit = throttling.usual_limit(request.method, request.user)
                    throttling.spend(limit, request.user, request.META.get("REMOTE_ADDR"))
                except TooMany as exc:
                    return error_response(request, exc)
                return checked(request, *args, **kwargs)

        for name in ("csrf_exempt", "model_admin"):
            if hasattr(checked, name):
                setattr(page, name, getattr(checked, name))
        return page

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return LiveAutocompleteView.as_view(admin_site=self)(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The sign-in; who is signed in already and has no access is told so, and not asked again."""
        if request.user.is_authenticated and not self.has_permission(request):
            context = {**self.each_context(request), "title": "No access"}
            return TemplateResponse(request, "ambient/sign_in/no_access.html", context, status=403)
        extra_context = {**_ways_in(request), **(extra_context or {})}
        if request.method != "POST":
            return super().login(request, extra_context)
        if not settings.PASSWORD_SIGN_IN:
            raise PermissionDenied
        cells = sign_in_cells(request)
        try:
            throttling.take(cells)
        except TooMany as exc:
            exc.reason = f"Too many attempts to sign in. Try again in {exc.retry_after} seconds."
            return error_response(request, exc)
        response = super().login(request, extra_context)
        if response.status_code == 302:  # signed in; a refusal shows the form again
            throttling.forget(cells[:1])
        return response


def sign_in_cells(request: HttpRequest) -> list[throttling.Cell]:
    """What an attempt costs, paid before the password is looked at, so that no two at once get through.

    Never the name alone: then anybody could keep a person out.
    """
    address = throttling.network(request.META.get("REMOTE_ADDR"))
    name = unicodedata.normalize("NFKC", request.POST.get("username", "")).strip().casefold()
    return [throttling.cell("sign-in", address, name), throttling.cell("sign-in-address", address)]
