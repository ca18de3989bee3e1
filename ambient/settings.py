"""Django settings: typed values, all from `ambient.env`."""

import sys
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ambient import env
from ambient.common.connection_name import connection_name
from ambient.common.pooling import PooledConnection

BASE_DIR = env.BASE_DIR
SECRET_KEY = env.SECRET_KEY
ENCRYPTION_KEYS = env.ENCRYPTION_KEYS
ENCRYPTION_KEYRING = env.ENCRYPTION_KEYRING
ENCRYPTION_KEY_VERSION = env.ENCRYPTION_KEY_VERSION
DEBUG = False  # errors are the error body in every mode
ALLOWED_HOSTS = env.ALLOWED_HOSTS
PROCESS = env.PROCESS
SERVICE_ACCOUNT = env.SERVICE_ACCOUNT
API_KEY_DEFAULT_DAYS = env.API_KEY_DEFAULT_DAYS
API_KEY_MAX_DAYS = env.API_KEY_MAX_DAYS
API_KEYS_PER_USER = env.API_KEYS_PER_USER
CREDENTIAL_PRIVATE_HOSTS = env.CREDENTIAL_PRIVATE_HOSTS
SERVES_HTTP = PROCESS in ("api", "control-plane")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "guardian",
    "pgtrigger",
    "pghistory",
    "ambient.common",
    "projects_app",
    "sessions_app",
    "reconciler",
]
if SERVES_HTTP or PROCESS == "command":  # the other processes start in half the time without them
    INSTALLED_APPS = ["unfold.apps.BasicAppConfig", *INSTALLED_APPS]  # its templates go before Django's
    INSTALLED_APPS += [
        "ambient.common.admin.apps.AmbientAdminConfig",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "channels",
        "rest_framework",
        "drf_spectacular",
        "drf_spectacular_sidecar",
    ]

MIDDLEWARE = [
    "ambient.common.middleware.CompressMiddleware",
    "ambient.common.middleware.RequestIdMiddleware",
    "ambient.common.security_headers.SecurityHeadersMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "ambient.common.middleware.TrailingSlashMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "projects_app.cookies.CookieUserMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

STATIC_URL = "/static/"
ROOT_URLCONF = "ambient.urls"
ASGI_APPLICATION = "ambient.asgi.application"
APPEND_SLASH = False  # a redirect would turn POST into GET
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database(url: str) -> dict[str, Any]:
    """Django's connection settings from a postgresql:// URL (query parameters become options)."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {"application_name": connection_name(PROCESS, sys.argv), "connect_timeout": 5} | query,
    }


DATABASES = {"default": database(env.DATABASE_URL)}
if PROCESS != "command":
    # A process that is frozen in a transaction must not keep its row locks: the server ends such a connection
    # before a claim (10 s) or a lease (10 s) of somebody else could run out behind it.
    _options = DATABASES["default"]["OPTIONS"]
    _options["options"] = f"{_options.get('options', '')} -c idle_in_transaction_session_timeout=8s".strip()
DATABASE_URL = env.DATABASE_URL
DATABASE_DIRECT_URL = env.DATABASE_DIRECT_URL
if SERVES_HTTP:  # requests come and go on many threads: a pool; the other processes keep one connection each
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 2,
        "max_size": 16,
        "timeout": 5,
        "reconnect_timeout": 5,  # then a request tries; by itself the pool would wait for minutes in the end
        "connection_class": PooledConnection,
    }
    DATABASES["default"]["CONN_MAX_AGE"] = 0
else:
    DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "projects_app.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "projects_app.backends.AccessBackend",
    "guardian.backends.ObjectPermissionBackend",
]
if env.BROWSER_CLIENT is not None:
    AUTHENTICATION_BACKENDS.append("projects_app.oidc.browser.ProviderBackend")
ANONYMOUS_USER_NAME = None  # guardian: no row stands for "nobody"
GUARDIAN_MONKEY_PATCH_USER = False
RUNNER_BINDING = "reconciler.operator.binding.bound_token" if env.RUNTIME == "operator" else ""
"""Who tells the token of a runner that cannot prove itself; empty where all can."""
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
CSRF_FAILURE_VIEW = "ambient.common.errors.csrf_failure"
BEARER_VERIFIERS = [  # tried in order: (token) -> the caller, or None
    "projects_app.authentication.api_key_user",
    "sessions_app.tokens.session_token_identity",
    "projects_app.oidc.bearer.oidc_user",
]
OIDC_ISSUERS = env.ISSUERS
OIDC_BROWSER_CLIENT = env.BROWSER_CLIENT
PASSWORD_SIGN_IN = env.PASSWORD_SIGN_IN
# Pages of these origins may call the API with a token (contract 1.4); cookies are for our own pages.
CORS_ALLOWED_ORIGINS = env.CORS_ORIGINS
CORS_URLS_REGEX = r"^/api/" if env.CORS_ORIGINS else r"$^"  # a preflight is answered only where some may ask
CORS_ALLOW_METHODS = ["DELETE", "GET", "PATCH", "POST", "PUT"]
CORS_ALLOW_HEADERS = [
    "authorization",
    "content-type",
    "x-forwarded-access-token",
    "x-ambient-project",
    "idempotency-key",
    "if-none-match",
    "last-event-id",
]
CORS_EXPOSE_HEADERS = ["etag", "retry-after", "x-ambient-features", "x-operation-id", "idempotency-replayed"]
CORS_EXPOSE_HEADERS += ["ratelimit", "ratelimit-policy"]
CORS_PREFLIGHT_MAX_AGE = 600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CSRF_COOKIE_HTTPONLY = True  # forms carry the token themselves
SECURE_HSTS_SECONDS = env.HSTS_SECONDS
if env.MODE == "production":
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    # Pages for people only: programs are not redirected (their token is out by then), nor are probes and
    # runners, which come without TLS.
    SECURE_REDIRECT_EXEMPT = [r"^(?!admin(/|$)|$)"]
LIMITS = env.LIMITS

REDIS_URL = env.REDIS_URL
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "ambient-channels"},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

UNFOLD = {
    "SITE_TITLE": "Ambient",
    "SITE_HEADER": "Ambient",
    "SITE_SUBHEADER": "Operations",
    "SITE_SYMBOL": "hub",
    "SITE_URL": None,  # there is no other site to return to
    "SHOW_BACK_BUTTON": True,
    "STYLES": [f"{STATIC_URL}ambient/admin.css"],
    "DASHBOARD_CALLBACK": "reconciler.admin.dashboard.dashboard_context",
    "SIDEBAR": {"navigation": "ambient.navigation.sidebar"},
    "COLORS": {
        "primary": {
            "50": "239 246 255",
            "100": "219 234 254",
            "200": "191 219 254",
            "300": "147 197 253",
            "400": "96 165 250",
            "500": "59 130 246",
            "600": "37 99 235",
            "700": "29 78 216",
            "800": "30 64 175",
            "900": "30 58 138",
            "950": "23 37 84",
        }
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "projects_app.authentication.BearerAuthentication",
        "projects_app.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["ambient.common.permissions.ActionPermission"],
    "DEFAULT_RENDERER_CLASSES": ["ambient.common.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["ambient.common.parsers.AnyTypeJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "ambient.common.renderers.IgnoreAccept",
    "DEFAULT_PAGINATION_CLASS": "ambient.common.pagination.EnvelopePagination",
    "DEFAULT_SCHEMA_CLASS": "ambient.common.schema.WireSchema",
    "EXCEPTION_HANDLER": "ambient.common.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Ambient API",
    "VERSION": "2.0.0",
    "DESCRIPTION": "Sessions of AI agents for teams: create them, watch them, govern them.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/ambient/v1",
    "POSTPROCESSING_HOOKS": ["ambient.common.schema.complete"],
    "ENUM_NAME_OVERRIDES": {
        "Phase": "sessions_app.choices.Phase",
        "SessionReason": "sessions_app.choices.Reason",
        "Activity": "sessions_app.choices.Activity",
        "Scope": "projects_app.choices.Scope",
    },
}
MAX_REQUEST_BYTES = env.MAX_REQUEST_BYTES
SEARCH_TIMEOUT_SECONDS = env.SEARCH_TIMEOUT_SECONDS
MAX_FILE_BYTES = env.MAX_FILE_BYTES
# The largest body of any route; JSON is held to MAX_REQUEST_BYTES where it is decoded. None goes to the disk.
DATA_UPLOAD_MAX_MEMORY_SIZE = max(2 * MAX_FILE_BYTES, MAX_REQUEST_BYTES)
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = ["ambient.formats"]
STATIC_ROOT = BASE_DIR / "staticfiles"
LOGGING_CONFIG = "ambient.common.logging.configure"
LOGGING: dict[str, Any] = {"version": 1}  # Django skips LOGGING_CONFIG for an empty one

# The user name is unique among live rows; our own backends sign people in, so auth.W004 does not apply.
# Whether subdomains and preload lists take part in HSTS is for the domain's owner to say, in the proxy.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "security.W005", "security.W021"]
