"""System checks: names that can be imported, switches of production that make sense."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string

from ambient import env


@register()
def check_verifiers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A verifier that cannot be imported would refuse every caller."""
    found: list[CheckMessage] = []
    for path in settings.BEARER_VERIFIERS:
        try:
            import_string(path)
        except ImportError as exc:
            found.append(Error(f"BEARER_VERIFIERS: {exc}", id="ambient.E003"))
    return found


@register()
def check_production(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Production answers to named hosts only."""
    if env.MODE == "production" and "*" in settings.ALLOWED_HOSTS:
        return [Warning("AMBIENT_ALLOWED_HOSTS holds '*' in production", id="ambient.W001")]
    return []


@register(deploy=True)
def check_proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without a proxy that is believed no request is over TLS, and every client has the proxy's address."""
    if env.MODE == "production" and not env.TRUSTED_PROXIES:
        return [Warning("AMBIENT_TRUSTED_PROXIES names no proxy, which TLS needs", id="ambient.W002")]
    return []
