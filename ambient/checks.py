"""System checks: keys that are strong enough, switches of production that make sense."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string

from ambient import env

LEAST_KEY_LENGTH = 32


@register()
def check_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Short keys can be guessed."""
    found: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < LEAST_KEY_LENGTH:
        found.append(Error("AMBIENT_SECRET_KEY has fewer than 32 characters", id="ambient.E001"))
    if not settings.ENCRYPTION_KEYS or min(map(len, settings.ENCRYPTION_KEYS)) < LEAST_KEY_LENGTH:
        found.append(
            Error("a key in AMBIENT_ENCRYPTION_KEYS has fewer than 32 characters", id="ambient.E002")
        )
    return found


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
