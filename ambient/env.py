"""The only reader of the process environment. Every setting is declared here, once, with its help.

`docs/settings.md` carries the same table; a test compares the two.
"""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from ambient import cluster_settings
from ambient.issuers import BrowserClient, Issuer, check_issuers, parse_issuers, safe_url
from ambient.rates import Rate, rate
from ambient.setting_types import (
    KeyBytes,
    OneOf,
    Secret,
    database_url,
    key,
    key_version,
    keyring,
    keys,
    names,
    networks,
    origin,
    origins,
    path,
    redis_url,
    seconds,
    switch,
    whole,
)

T = TypeVar("T")
NO_NAMES: list[str] = []
NO_KEYS: dict[int, KeyBytes] = {}
NO_ISSUERS: list[Issuer] = []
NO_SECRET = Secret("")
NO_LABELS: dict[str, str] = {}
NO_TOLERATIONS: list[dict[str, Any]] = []
DEFAULT_RESOURCES = {
    "requests": {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
    "limits": {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "30Gi"},
}
BASE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Setting:
    """One declared environment variable: its default and its allowed values as the docs show them."""

    name: str
    default: str
    help: str
    allowed: tuple[str, ...] = ()


DECLARED: dict[str, Setting] = {}


def _read(name: str, default: T, parse: Callable[[str], T], help: str, shown: str | None = None) -> T:
    allowed = parse.allowed if isinstance(parse, OneOf) else ()
    DECLARED[name] = Setting(name, str(default) if shown is None else shown, help, allowed)
    raw = os.environ.get(name, "")
    if raw == "":
        return default
    try:
        return parse(raw)
    except ValueError as exc:
        raise ImproperlyConfigured(f"{name}: {exc}") from exc


MODE = _read(
    "AMBIENT_MODE",
    "development",
    OneOf("development", "production"),
    "`production` insists on every secret and service being given and logs JSON.",
)
PROCESS = _read(
    "AMBIENT_PROCESS",
    "command",
    OneOf("command", "api", "control-plane", "worker", "beat", "watcher", "runner-host"),
    "Which process type this is; set by the commands themselves.",
)
HOME = _read(
    "AMBIENT_HOME",
    BASE_DIR / ".ambient",
    path,
    "State of the embedded default: data, sockets, keys, workspaces.",
    shown=".ambient",
)
HOST = _read("AMBIENT_HOST", "127.0.0.1", str, "Address that both servers listen on.")
API_PORT = _read("AMBIENT_API_PORT", 8000, whole(1), "Port of the API, console and admin.")
CONTROL_PLANE_PORT = _read("AMBIENT_CONTROL_PLANE_PORT", 9080, whole(1), "Port of the control plane.")
API_URL = _read(
    "AMBIENT_API_URL",
    f"http://127.0.0.1:{API_PORT}",
    str,
    "Where runners reach the API.",
    shown="http://127.0.0.1:<AMBIENT_API_PORT>",
)
CONTROL_PLANE_URL = _read(
    "AMBIENT_CONTROL_PLANE_URL",
    f"http://127.0.0.1:{CONTROL_PLANE_PORT}",
    str,
    "Where the API and runners reach the control plane.",
    shown="http://127.0.0.1:<AMBIENT_CONTROL_PLANE_PORT>",
)
DATABASE_URL = _read(
    "DATABASE_URL", "", database_url, "PostgreSQL; unset: the embedded server of AMBIENT_HOME."
)
DATABASE_DIRECT_URL = _read(
    "DATABASE_DIRECT_URL",
    "",
    database_url,
    "PostgreSQL without a transaction pooler, for LISTEN; unset: DATABASE_URL.",
)
REDIS_URL = _read(
    "REDIS_URL", "", redis_url, "Redis protocol server; unset: the embedded Valkey of AMBIENT_HOME."
)
RUNTIME = _read(
    "AMBIENT_RUNTIME",
    "process",
    OneOf("process", "kubernetes", "operator"),
    "What sessions run on: processes of this machine, pods of a cluster (docs/kubernetes.md), or "
    "resources of an operator that is there already (docs/operator.md).",
)
KUBECONFIG = _read(
    "AMBIENT_KUBECONFIG",
    "",
    str,
    "File that says how to reach the cluster; unset: the service account of our own pod, else KUBECONFIG.",
)
NAMESPACE = _read(
    "AMBIENT_NAMESPACE",
    "ambient",
    str,
    "The platform's own namespace: only its pods may connect to runners, and no project gets it.",
)
NAMESPACE_PREFIX = _read(
    "AMBIENT_NAMESPACE_PREFIX",
    "",
    cluster_settings.namespace_prefix,
    "What the names of projects' namespaces begin with; unset: a namespace is called as its project.",
)
RUNNER_IMAGE = _read(
    "AMBIENT_RUNNER_IMAGE", "", str, "Image of the runner; needed with the runtime kubernetes."
)
RUNNER_PULL_SECRETS = _read(
    "AMBIENT_RUNNER_PULL_SECRETS",
    NO_NAMES,
    names,
    "Secrets of every project's namespace that the image is pulled with, comma separated.",
    shown="none",
)
RUNNER_NODE_SELECTOR = _read(
    "AMBIENT_RUNNER_NODE_SELECTOR",
    NO_LABELS,
    cluster_settings.node_selector,
    "Labels of the nodes that runners may be on, as `name=value`, comma separated.",
    shown="none",
)
RUNNER_TOLERATIONS = _read(
    "AMBIENT_RUNNER_TOLERATIONS",
    NO_TOLERATIONS,
    cluster_settings.tolerations,
    "Taints of nodes that runners tolerate: a JSON array as in a pod.",
    shown="none",
)
RUNNER_RESOURCES = _read(
    "AMBIENT_RUNNER_RESOURCES",
    DEFAULT_RESOURCES,
    cluster_settings.resources,
    "What a runner gets when neither its session nor its namespace says: JSON with `requests` and `limits`.",
    shown=json.dumps(DEFAULT_RESOURCES),
)
if RUNTIME == "kubernetes" and not RUNNER_IMAGE:
    raise ImproperlyConfigured("AMBIENT_RUNTIME=kubernetes needs AMBIENT_RUNNER_IMAGE")
WORKSPACE = _read(
    "AMBIENT_WORKSPACE",
    "emptydir",
    OneOf("emptydir", "pvc", "snapshot"),
    "What becomes of a session's files when its pod ends: lost, on a volume claim, or in an S3 bucket "
    "(docs/workspace.md). Processes keep their folder anyway.",
)
WORKSPACE_SIZE = _read(
    "AMBIENT_WORKSPACE_SIZE",
    "10Gi",
    cluster_settings.quantity,
    "Size of a pod's workspace: the most of an emptydir, what a claim asks for. The pod's home and /tmp may "
    "be as large; what is on the node is altogether at most the runner's limit on ephemeral-storage.",
)
WORKSPACE_STORAGE_CLASS = _read(
    "AMBIENT_WORKSPACE_STORAGE_CLASS", "", str, "Storage class of the claims; unset: the cluster's default."
)
SNAPSHOT_EVERY_SECONDS = _read(
    "AMBIENT_SNAPSHOT_EVERY_SECONDS", 600.0, seconds, "How often a running session's files are saved."
)
SNAPSHOT_SECONDS = _read(
    "AMBIENT_SNAPSHOT_SECONDS",
    60.0,
    seconds,
    "Time that saving gets when a session ends, on top of AMBIENT_STOP_GRACE_SECONDS; at most 60.",
)
SNAPSHOT_MAX_BYTES = _read(
    "AMBIENT_SNAPSHOT_MAX_BYTES",
    1024**3,
    whole(1),
    "Largest archive of a session's files, in bytes; at most 5 GiB.",
)
S3_ENDPOINT = _read(
    "AMBIENT_S3_ENDPOINT",
    "",
    origin,
    "Address of the S3 server, for us and for pods; unset: Amazon's.",
)
S3_BUCKET = _read("AMBIENT_S3_BUCKET", "", str, "Bucket of the snapshots; needed with snapshot.")
S3_REGION = _read("AMBIENT_S3_REGION", "us-east-1", str, "The bucket's region.")
S3_ACCESS_KEY = _read(
    "AMBIENT_S3_ACCESS_KEY",
    "",
    str,
    "Key of the bucket, of which pods get none; unset: what boto3 finds, such as a role of the pod.",
)
S3_SECRET_KEY = _read("AMBIENT_S3_SECRET_KEY", NO_SECRET, Secret, "Its secret.", shown="")
S3_PREFIX = _read(
    "AMBIENT_S3_PREFIX",
    "ambient",
    str,
    "What the names of the snapshots begin with, before project and session.",
)
S3_NETWORKS = _read(
    "AMBIENT_S3_NETWORKS",
    NO_NAMES,
    networks,
    "Networks in which pods reach the S3 server's port, where that is not on the internet, comma separated.",
    shown="none",
)
if WORKSPACE == "snapshot" and not S3_BUCKET:
    raise ImproperlyConfigured("AMBIENT_WORKSPACE=snapshot needs AMBIENT_S3_BUCKET")
if bool(S3_ACCESS_KEY) != bool(S3_SECRET_KEY):
    raise ImproperlyConfigured("AMBIENT_S3_ACCESS_KEY and AMBIENT_S3_SECRET_KEY need each other")
if SNAPSHOT_SECONDS > 60:  # so long a runner's token is sure to last
    raise ImproperlyConfigured("AMBIENT_SNAPSHOT_SECONDS: must be at most 60")
if SNAPSHOT_MAX_BYTES > 5 * 1024**3:  # the most that S3 takes at once
    raise ImproperlyConfigured("AMBIENT_SNAPSHOT_MAX_BYTES: must be at most 5 GiB")
ALLOWED_HOSTS = _read(
    "AMBIENT_ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]"],
    names,
    "Host names that the servers answer to, comma separated.",
    shown="localhost,127.0.0.1,[::1]",
)
ALLOWED_ORIGINS = _read(
    "AMBIENT_ALLOWED_ORIGINS",
    NO_NAMES,
    names,
    "Extra origins that may open websockets with a cookie, comma separated.",
    shown="none",
)
CORS_ORIGINS = _read(
    "AMBIENT_CORS_ORIGINS",
    NO_NAMES,
    origins,
    "Origins whose pages may call the API with a token, such as https://console.example, comma separated.",
    shown="none",
)
LIMITS: dict[str, Rate] = {
    limit: _read(f"AMBIENT_LIMIT_{limit.replace('-', '_').upper()}", default, rate, f"{help} 0: no limit.")
    for limit, default, help in (
        ("read", Rate(30000, 60), "Reads of one caller (person, service account or session)."),
        ("write", Rate(12000, 60), "Writes of one caller."),
        ("stream", Rate(6000, 60), "Streams and websockets that one caller opens."),
        ("token", Rate(600, 60), "Tokens of credentials that one caller reads."),
        ("anonymous", Rate(6000, 60), "Requests without a token from one address."),
        (
            "bad-token",
            Rate(600, 60),
            "Bad tokens from one address; beyond it they get a 429 instead of a 401.",
        ),
        ("sign-in", Rate(10, 3600), "Failed sign-ins with one name from one address."),
        ("sign-in-address", Rate(200, 3600), "Sign-ins from one address, with any name."),
    )
}
TRUSTED_PROXIES = _read(
    "AMBIENT_TRUSTED_PROXIES",
    NO_NAMES,
    networks,
    "Addresses or networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, comma "
    "separated; none: nobody's.",
    shown="none",
)
HSTS_SECONDS = _read(
    "AMBIENT_HSTS_SECONDS",
    31536000 if MODE == "production" else 0,
    whole(0),
    "How long browsers keep to https after an answer over it (`Strict-Transport-Security`); 0: not said.",
    shown="31536000 in production, else 0",
)
LOG_LEVEL = _read(
    "AMBIENT_LOG_LEVEL",
    "INFO",
    OneOf("DEBUG", "INFO", "WARNING", "ERROR"),
    "Least severe level that is logged.",
)
LOG_FORMAT = _read(
    "AMBIENT_LOG_FORMAT",
    "json" if MODE == "production" else "text",
    OneOf("json", "text"),
    "`json` for machines, `text` for people.",
    shown="json in production, else text",
)
PULSE_FILE: Path | None = _read(
    "AMBIENT_PULSE_FILE",
    None,
    path,
    "File that workers, beat and watchers touch every 2 s as long as they work, for a liveness probe.",
    shown="",
)
RUNNER_PYTHON = _read(
    "AMBIENT_RUNNER_PYTHON",
    BASE_DIR / ".venv-runner" / "bin" / "python",
    Path,
    "Python of the runner's own environment (process runtime).",
    shown=".venv-runner/bin/python",
)
CLAUDE_PYTHON = _read(
    "AMBIENT_CLAUDE_PYTHON",
    BASE_DIR / ".venv-claude" / "bin" / "python",
    Path,
    "Python of runners with the framework claude, where it is installed (`make setup-claude`).",
    shown=".venv-claude/bin/python",
)
ANTHROPIC_API_KEY = _read(
    "ANTHROPIC_API_KEY", "", str, "Key of the model's API, given to runners with the framework claude only."
)
ANTHROPIC_BASE_URL = _read(
    "ANTHROPIC_BASE_URL", "", str, "Where those runners reach the model's API; unset: Anthropic's own."
)
OTEL_EXPORTER_OTLP_ENDPOINT = _read(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "",
    str,
    "OpenTelemetry collector (OTLP over HTTP) that gets traces, after `make setup-otel`; unset: no traces. "
    "The SDK's other `OTEL_` variables work as well.",
)
MAX_REQUEST_BYTES = _read(
    "AMBIENT_MAX_REQUEST_BYTES",
    2 * 1024 * 1024,
    whole(1),
    "Largest request body of the API, in bytes; larger is a 413.",
)
MAX_FILE_BYTES = _read(
    "AMBIENT_MAX_FILE_BYTES",
    10 * 1024 * 1024,
    whole(1),
    "Largest file that is written into a session's workspace over the API, in bytes; larger is a 413.",
)
SEARCH_TIMEOUT_SECONDS = _read(
    "AMBIENT_SEARCH_TIMEOUT_SECONDS",
    5.0,
    seconds,
    "Longest time of one statement of a list with `search`; longer is a 503 that asks to narrow it.",
)
START_DEADLINE_SECONDS = _read(
    "AMBIENT_START_DEADLINE_SECONDS",
    120.0,
    seconds,
    "A session that is not ready by then is restarted or fails.",
)
LIVENESS_SECONDS = _read(
    "AMBIENT_LIVENESS_SECONDS", 30.0, seconds, "A runner that does not answer for so long is restarted."
)
STOP_GRACE_SECONDS = _read(
    "AMBIENT_STOP_GRACE_SECONDS", 5.0, seconds, "Time a runner gets to end by itself before it is killed."
)
INACTIVITY_TIMEOUT_SECONDS = _read(
    "AMBIENT_INACTIVITY_TIMEOUT_SECONDS",
    86400,
    whole(0),
    "A running session without a message for so long is stopped; 0: never.",
)
MAX_RESTARTS = _read("AMBIENT_MAX_RESTARTS", 3, whole(0), "Restarts of a lost runner per wish to run.")
RESYNC_SECONDS = _read(
    "AMBIENT_RESYNC_SECONDS", 30.0, seconds, "How often every unfinished session is looked at."
)
WORKER_CONCURRENCY = _read(
    "AMBIENT_WORKER_CONCURRENCY", 4, whole(1), "Passes that one worker process runs at once."
)
SESSION_TOKEN_SECONDS = _read(
    "AMBIENT_SESSION_TOKEN_SECONDS", 300, whole(1), "Life of a runner's session token."
)
if WORKSPACE == "snapshot" and SESSION_TOKEN_SECONDS < 2 * SNAPSHOT_SECONDS:  # renewed at half its life
    raise ImproperlyConfigured(
        "AMBIENT_SESSION_TOKEN_SECONDS: must be twice AMBIENT_SNAPSHOT_SECONDS or more"
    )
LEASE_SECONDS = _read(
    "AMBIENT_LEASE_SECONDS",
    10.0,
    seconds,
    "Life of a control-plane process's heartbeat; a dead one's streams are taken over after it.",
)
DRAIN_SECONDS = _read(
    "AMBIENT_DRAIN_SECONDS",
    3.0,
    seconds,
    "How long a stopping control-plane process waits for runs that cannot be handed over.",
)
WATCHERS_PER_USER = _read("AMBIENT_WATCHERS_PER_USER", 200, whole(1), "Open streams of one user per process.")
WATCHERS_PER_PROCESS = _read("AMBIENT_WATCHERS_PER_PROCESS", 2000, whole(1), "Open streams of one process.")
WATCHER_STALL_SECONDS = _read(
    "AMBIENT_WATCHER_STALL_SECONDS", 60.0, seconds, "A reader that takes nothing for so long is cut."
)
COMPACT_AFTER_SECONDS = _read(
    "AMBIENT_COMPACT_AFTER_SECONDS", 3600.0, seconds, "An ended run's events are compacted so much later."
)
EVENT_RETENTION_DAYS = _read(
    "AMBIENT_EVENT_RETENTION_DAYS",
    0,
    whole(0),
    "Days that events of ended runs are kept, where a project says nothing else; 0: for ever.",
)
DELETED_KEPT_DAYS = _read(
    "AMBIENT_DELETED_KEPT_DAYS", 30, whole(0), "Days after which a deleted session's events are gone."
)


def _kept_secret(name: str) -> str:
    """Read, or make once, a random secret file of the embedded home (mode 0600)."""
    path = HOME / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    value = secrets.token_urlsafe(32)
    fresh = path.with_name(f".{name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(value + "\n")
    try:
        os.link(fresh, path)  # the first of two processes wins, both read the same value
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text().strip()


if MODE == "production":
    _needed = {
        "DATABASE_URL": ("DATABASE_URL",),
        "REDIS_URL": ("REDIS_URL",),
        "AMBIENT_SECRET_KEY": ("AMBIENT_SECRET_KEY",),
        "AMBIENT_ENCRYPTION_KEYS or CREDENTIAL_ENCRYPTION_KEYRING": (
            "AMBIENT_ENCRYPTION_KEYS",
            "CREDENTIAL_ENCRYPTION_KEYRING",
        ),
    }
    if _missing := [said for said, any_of in _needed.items() if not any(map(os.environ.get, any_of))]:
        raise ImproperlyConfigured(f"AMBIENT_MODE=production needs {', '.join(_missing)}")

SECRET_KEY = _read(
    "AMBIENT_SECRET_KEY",
    "",
    key,
    "Signs browser sessions and runner tokens; at least 32 random characters.",
    shown="made once in AMBIENT_HOME/secret.key",
) or _kept_secret("secret.key")
ENCRYPTION_KEYRING = _read(
    "CREDENTIAL_ENCRYPTION_KEYRING",
    NO_KEYS,
    keyring,
    'Keys of encrypted columns by version, `{"1": "<base64 of 32 bytes>", ...}`; unset: those of '
    "AMBIENT_ENCRYPTION_KEYS.",
    shown="",
)
ENCRYPTION_KEY_VERSION = _read(
    "CREDENTIAL_ENCRYPTION_KEY_VERSION",
    0,
    key_version,
    "The version in the keyring that new values are sealed with; a keyring needs it.",
    shown="",
)
if ENCRYPTION_KEYRING and not ENCRYPTION_KEY_VERSION:
    raise ImproperlyConfigured(
        "CREDENTIAL_ENCRYPTION_KEY_VERSION: must name a version of CREDENTIAL_ENCRYPTION_KEYRING"
    )
if ENCRYPTION_KEY_VERSION and ENCRYPTION_KEY_VERSION not in ENCRYPTION_KEYRING:
    raise ImproperlyConfigured(
        f"CREDENTIAL_ENCRYPTION_KEY_VERSION: CREDENTIAL_ENCRYPTION_KEYRING has no version "
        f"{ENCRYPTION_KEY_VERSION}"
    )
ENCRYPTION_KEYS = _read(
    "AMBIENT_ENCRYPTION_KEYS",
    NO_NAMES,
    keys,
    "Keys of encrypted columns, newest first, comma separated; each at least 32 random characters. Beside a "
    "keyring they only open what they sealed.",
    shown="made once in AMBIENT_HOME/encryption.key, unless there is a keyring",
)
if not ENCRYPTION_KEYS and not ENCRYPTION_KEYRING:
    ENCRYPTION_KEYS = [_kept_secret("encryption.key")]
elif not ENCRYPTION_KEYS and MODE != "production" and (HOME / "encryption.key").exists():
    ENCRYPTION_KEYS = [_kept_secret("encryption.key")]  # what it sealed before there was a keyring

OIDC_ISSUER = _read("OIDC_ISSUER", "", safe_url, "OpenID Connect provider whose tokens are accepted.")
OIDC_AUDIENCE = _read(
    "OIDC_AUDIENCE",
    NO_NAMES,
    names,
    "What its tokens must be meant for (`aud`), comma separated; needed with an issuer.",
)
OIDC_CLIENTS = _read(
    "OIDC_CLIENTS", NO_NAMES, names, "Clients whose tokens are accepted (`azp`), comma separated; none: all."
)
OIDC_JWKS_URL = _read(
    "OIDC_JWKS_URL", "", safe_url, "Where its keys are, if its discovery document is not to be asked."
)
OIDC_GROUPS_CLAIM = _read(
    "OIDC_GROUPS_CLAIM", "groups", str, "Claim with the person's groups; those that exist here are joined."
)
OIDC_ADMIN_GROUP = _read("OIDC_ADMIN_GROUP", "", str, "Group whose members are administrators; unset: none.")
OIDC_CLIENT_ID = _read(
    "OIDC_CLIENT_ID",
    "",
    str,
    "Our own client at the provider, for people who sign in to the admin with a browser; unset: none do.",
)
OIDC_CLIENT_SECRET = _read(
    "OIDC_CLIENT_SECRET", NO_SECRET, Secret, "Its secret; unset: a public client.", shown=""
)
OIDC_SCOPES = _read(
    "OIDC_SCOPES",
    ["openid", "profile", "email"],
    names,
    "What it asks for, comma separated; `openid` is always among it.",
    shown="openid,profile,email",
)
OIDC_PROVIDER_NAME = _read(
    "OIDC_PROVIDER_NAME", "", str, "What people call the provider; unset: the host of OIDC_ISSUER."
)
PASSWORD_SIGN_IN = _read(
    "AMBIENT_PASSWORD_SIGN_IN",
    True,
    switch,
    "Whether browsers may sign in with Django's passwords; `off` needs OIDC_CLIENT_ID. Allowed: `on`, `off`.",
    shown="on",
)
OIDC_ISSUERS = _read(
    "OIDC_ISSUERS",
    NO_ISSUERS,
    parse_issuers,
    "Further issuers, such as CI and Kubernetes: a JSON array of objects with issuer, audience, jwks_url, "
    "clients, groups_claim, admin_group and username_prefix, which each must have (docs/access.md).",
    shown="none",
)


def _issuers() -> list[Issuer]:
    if not OIDC_ISSUER:
        return list(OIDC_ISSUERS)
    first = Issuer(
        url=OIDC_ISSUER,
        audiences=tuple(OIDC_AUDIENCE),
        jwks_url=OIDC_JWKS_URL or None,
        clients=tuple(OIDC_CLIENTS),
        groups_claim=OIDC_GROUPS_CLAIM,
        admin_group=OIDC_ADMIN_GROUP,
    )
    return [first, *OIDC_ISSUERS]


if OIDC_ISSUER and not OIDC_AUDIENCE:
    raise ImproperlyConfigured("OIDC_ISSUER needs OIDC_AUDIENCE: other services' tokens would be accepted")
try:
    ISSUERS = check_issuers(_issuers())
except ValueError as _exc:
    raise ImproperlyConfigured(f"OIDC_ISSUERS: {_exc}") from _exc

BROWSER_CLIENT: BrowserClient | None = None
if OIDC_CLIENT_ID:
    if not OIDC_ISSUER:
        raise ImproperlyConfigured("OIDC_CLIENT_ID needs OIDC_ISSUER, the provider where it is a client")
    BROWSER_CLIENT = BrowserClient(
        issuer=ISSUERS[0],
        client_id=OIDC_CLIENT_ID,
        secret=OIDC_CLIENT_SECRET,
        scopes=("openid", *(name for name in OIDC_SCOPES if name != "openid")),
        provider_name=OIDC_PROVIDER_NAME or str(urlsplit(OIDC_ISSUER).hostname),
    )
elif not PASSWORD_SIGN_IN:
    raise ImproperlyConfigured("AMBIENT_PASSWORD_SIGN_IN=off needs OIDC_CLIENT_ID: else nobody could sign in")

SERVICE_ACCOUNT = _read(
    "AMBIENT_SERVICE_ACCOUNT",
    "",
    str,
    "Username of an existing controller; it alone (also as `service-account-NAME`) may report a phase, and "
    "it is made an administrator with its first request.",
)
API_KEY_DEFAULT_DAYS = _read(
    "AMBIENT_API_KEY_DEFAULT_DAYS",
    90,
    whole(0),
    "Days that an API key lasts when nobody says how long; 0: as long as AMBIENT_API_KEY_MAX_DAYS allows.",
)
API_KEY_MAX_DAYS = _read(
    "AMBIENT_API_KEY_MAX_DAYS", 365, whole(0), "Most days that an API key may last; 0: no limit."
)
API_KEYS_PER_USER = _read(
    "AMBIENT_API_KEYS_PER_USER", 100, whole(0), "Live API keys that one user may have; 0: no limit."
)
CREDENTIAL_PRIVATE_HOSTS = _read(
    "AMBIENT_CREDENTIAL_PRIVATE_HOSTS",
    NO_NAMES,
    names,
    "Hosts of private networks, such as a GitLab of one's own, that credentials may be used with, also "
    "without TLS, comma separated.",
    shown="none",
)


def _embedded() -> dict[str, str]:
    """URLs of the embedded services, written by `ambient.embedded` while they run."""
    try:
        return dict(json.loads((HOME / "services.json").read_text()))
    except FileNotFoundError:
        return {}


# Nothing listens on port 1, so a command without a running platform fails at its first query, not at import.
_running = {} if DATABASE_URL and REDIS_URL else _embedded()
DATABASE_URL = DATABASE_URL or _running.get("database_url", "postgresql://ambient@127.0.0.1:1/ambient")
DATABASE_DIRECT_URL = DATABASE_DIRECT_URL or DATABASE_URL
REDIS_URL = REDIS_URL or _running.get("redis_url", "redis://127.0.0.1:1/0")


def framework_environment(framework: str) -> dict[str, str]:
    """What only runners of one framework get besides: for claude the key and address of the model's API."""
    if framework != "claude":
        return {}
    given = {"ANTHROPIC_API_KEY": ANTHROPIC_API_KEY, "ANTHROPIC_BASE_URL": ANTHROPIC_BASE_URL}
    return {name: value for name, value in given.items() if value}


_OF_THIS_MACHINE = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_ANYWHERE = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "AMBIENT_DEMO_PACE",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
)


def runner_environment() -> dict[str, str]:
    """The few variables of ours that a runner may see (PATH, locale, certificates), nothing else."""
    return {name: os.environ[name] for name in (*_OF_THIS_MACHINE, *_ANYWHERE) if name in os.environ}


def pod_environment() -> dict[str, str]:
    """Those of them that mean the same on another machine."""
    return {name: os.environ[name] for name in _ANYWHERE if name in os.environ}
