"""What browsers are told about every answer: what a page may load, who may frame it, what may be kept."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = HttpResponseBase | Awaitable[HttpResponseBase]

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For what is no page: text, JSON, files."""
PAGE = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; font-src 'self'; img-src 'self' data:; "
    # Styles in attributes: Alpine's transitions and Swagger write them, and a hash cannot cover them.
    "style-src 'self' 'unsafe-inline'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
ADMIN = PAGE.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")
"""The theme's Alpine compiles the expressions of its attributes (`new Function`); no script is inline."""
PERMISSIONS = ", ".join(f"{name}=()" for name in ("camera", "geolocation", "microphone", "payment", "usb"))
THEMED = ("/admin/", "/oidc/")
PRIVATE = ("/api/", *THEMED)


def content_security_policy(path: str, content_type: str) -> str:
    """The strictest policy that the kind of answer works with."""
    if not content_type.startswith("text/html"):
        return NOTHING
    return ADMIN if path.startswith(THEMED) else PAGE


class SecurityHeadersMiddleware:
    """Beside Django's own SecurityMiddleware, which says the rest (nosniff, referrer, opener, HSTS)."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        if self.is_async:
            return self._answer_async(request)
        return _marked(request, self.get_response(request))  # type: ignore[arg-type]

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        return _marked(request, await self.get_response(request))  # type: ignore[misc]


def _marked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    policy = content_security_policy(request.path, response.headers.get("Content-Type", ""))
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Permissions-Policy", PERMISSIONS)
    if request.path.startswith(PRIVATE):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
