"""Signing in with the provider in a browser, and signing out: of here and of the provider."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from django.conf import settings
from django.contrib import admin, auth
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from ambient.common.exceptions import ApplicationError, Unauthenticated, Unavailable
from projects_app.cookies import SIGN_IN
from projects_app.oidc import browser
from projects_app.oidc.provider import provider_of
from projects_app.oidc.tokens import Refused
from projects_app.services.browser_sign_ins import KeptTokens, browser_sign_in_end

log = structlog.get_logger(__name__)

STATE_SECONDS = 15 * 60
"""So long somebody may take at the provider."""
NOT_BEGUN = "This sign-in was not begun in this browser, or too long ago"
DECLINED = "The identity provider did not sign you in"


class Begin(OIDCAuthenticationRequestView):
    """Off to the provider, with a state, a nonce and a code challenge that this browser session keeps."""

    get_settings = staticmethod(browser.library_setting)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = super().get(request)
        if _leads_back_here(request.session["oidc_login_next"]):
            request.session["oidc_login_next"] = None
        return response


class Callback(OIDCAuthenticationCallbackView):
    """Back from the provider with a code. Only an answer to what this browser began changes anything."""

    get_settings = staticmethod(browser.library_setting)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        states = request.session.get("oidc_states", {})
        begun = states.get(request.GET.get("state", ""))
        if begun is None or time.time() - begun["added_on"] > STATE_SECONDS:
            raise Refused(NOT_BEGUN)
        client: Any = settings.OIDC_BROWSER_CLIENT
        issuer = client.issuer.url
        if request.GET.get("iss", issuer) != issuer:  # RFC 9207
            raise Refused("The answer is another provider's")
        if "error" in request.GET or "code" not in request.GET:  # the library would sign people out
            del states[request.GET["state"]]
            request.session.modified = True
            raise Refused(DECLINED)
        response: HttpResponseBase = super().get(request)
        return response

    def login_failure(self) -> HttpResponseBase:
        raise Refused("The account may not sign in")

    def login_success(self) -> HttpResponseBase:
        """A new browser session, whatever was in the old one: nobody else can know its key."""
        session, path = self.request.session, self.success_url
        if SIGN_IN in session:
            browser_sign_in_end(pk=session[SIGN_IN])
        session.flush()
        auth.login(self.request, self.user, backend=browser.PATH)
        session[SIGN_IN] = self.user.browser_sign_in.pk
        log.info("signed in with the provider", user=self.user.username)
        return HttpResponseRedirect(path)

    @property
    def success_url(self) -> str:
        return self.request.session.get("oidc_login_next") or reverse("admin:index")


def _leads_back_here(path: str | None) -> bool:
    """Whether somebody would be sent round and round."""
    here = (reverse("oidc_authentication_init"), reverse("oidc_authentication_callback"))
    return path is not None and urlsplit(path).path in here


def _page(view: Callable[..., Any]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A page of the sign-in: it is there when a provider is set, and says in words what was refused."""

    @never_cache
    @require_GET
    def page(request: HttpRequest) -> HttpResponseBase:
        if settings.OIDC_BROWSER_CLIENT is None:
            raise Http404
        try:
            return view(request)
        except (Unauthenticated, Unavailable) as exc:
            log.warning("a sign-in failed", reason=exc.reason)
            return _failed(request, exc)

    return page


def _failed(request: HttpRequest, error: ApplicationError) -> TemplateResponse:
    client: Any = settings.OIDC_BROWSER_CLIENT
    context = {
        **admin.site.each_context(request),
        "title": "Not signed in",
        "reason": error.reason,
        "provider": client.provider_name,
    }
    status = 503 if isinstance(error, Unavailable) else 403
    return TemplateResponse(request, "ambient/sign_in/failed.html", context, status=status)


begin = _page(Begin.as_view())
callback = _page(Callback.as_view())


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """Out here, then at the provider where it offers that (OpenID Connect RP-Initiated Logout 1.0)."""
    pk = request.session.get(SIGN_IN)
    tokens = browser_sign_in_end(pk=pk) if pk is not None else None
    response: HttpResponseBase = admin.site.logout(request)
    leave = _provider_sign_out(request, tokens) if tokens is not None else None
    if leave is not None:
        # No redirect: form-action of the policy of the page that was left would forbid it.
        context = {**admin.site.each_context(request), "title": "Signing out", "leave": leave}
        response = TemplateResponse(request, "ambient/sign_in/leaving.html", context)
    return response


def _provider_sign_out(request: HttpRequest, tokens: KeptTokens) -> str | None:
    """Where the browser signs out at the provider; None where that cannot be done."""
    if settings.OIDC_BROWSER_CLIENT is None:
        return None
    provider = provider_of(settings.OIDC_BROWSER_CLIENT)
    try:
        if not provider.offers("end_session_endpoint"):
            return None
        endpoint = provider.address("end_session_endpoint")
    except Unavailable:
        return None
    query = {
        "id_token_hint": tokens.id_token,
        "client_id": provider.client.client_id,
        "post_logout_redirect_uri": request.build_absolute_uri(reverse("admin:login")),
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
