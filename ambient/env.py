"""The only reader of the process environment. Every setting is declared here, once, with its help.

`docs/settings.md` carries the same table; a test compares the two.
"""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
NO_NAMES: list[str] = []
BASE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Setting:
    """One declared environment variable: its name, its default as shown in the docs, what it is for."""

    name: str
    default: str
    help: str


DECLARED: dict[str, Setting] = {}


def _read(name: str, default: T, parse: Callable[[str], T], help: str, shown: str | None = None) -> T:
    DECLARED[name] = Setting(name, str(default) if shown is None else shown, help)
    raw = os.environ.get(name, "")
    if raw == "":
        return default
    try:
        return parse(raw)
    except ValueError as exc:
        raise ImproperlyConfigured(f"{name}: {exc}") from exc


def _flag(raw: str) -> bool:
    if raw.lower() in {"1", "true", "yes", "on"}:
        return True
    if raw.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError(f"{raw!r} is not true or false")


def _names(raw: str) -> list[str]:
    return [name.strip() for name in raw.split(",") if name.strip()]


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"{raw!r} is not one of {', '.join(allowed)}")
        return raw

    return parse


def _path(raw: str) -> Path:
    return Path(raw).expanduser().resolve()


MODE = _read(
    "AMBIENT_MODE",
    "development",
    _one_of("development", "production"),
    "`production` insists on every secret and service being given and logs JSON.",
)
PROCESS = _read(
    "AMBIENT_PROCESS",
    "command",
    _one_of("command", "api", "control-plane", "worker", "beat", "watcher", "runner-host"),
    "Which process type this is; set by the commands themselves.",
)
HOME = _read(
    "AMBIENT_HOME",
    BASE_DIR / ".ambient",
    _path,
    "State of the embedded default: data, sockets, keys, workspaces.",
    shown=".ambient",
)
HOST = _read("AMBIENT_HOST", "127.0.0.1", str, "Address that both servers listen on.")
API_PORT = _read("AMBIENT_API_PORT", 8000, int, "Port of the API, console and admin.")
CONTROL_PLANE_PORT = _read("AMBIENT_CONTROL_PLANE_PORT", 9080, int, "Port of the control plane.")
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
DATABASE_URL = _read("DATABASE_URL", "", str, "PostgreSQL; unset: the embedded server of AMBIENT_HOME.")
DATABASE_DIRECT_URL = _read(
    "DATABASE_DIRECT_URL",
    "",
    str,
    "PostgreSQL without a transaction pooler, for LISTEN; unset: DATABASE_URL.",
)
REDIS_URL = _read("REDIS_URL", "", str, "Redis protocol server; unset: the embedded Valkey of AMBIENT_HOME.")
RUNTIME = _read(
    "AMBIENT_RUNTIME", "process", _one_of("process", "kubernetes", "operator"), "What sessions run on."
)
ALLOWED_HOSTS = _read(
    "AMBIENT_ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]"],
    _names,
    "Host names that the servers answer to, comma separated.",
    shown="localhost,127.0.0.1,[::1]",
)
ALLOWED_ORIGINS = _read(
    "AMBIENT_ALLOWED_ORIGINS",
    NO_NAMES,
    _names,
    "Extra origins that may open websockets with a cookie, comma separated.",
    shown="none",
)
LOG_LEVEL = _read(
    "AMBIENT_LOG_LEVEL",
    "INFO",
    _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    "Least severe level that is logged.",
)
LOG_FORMAT = _read(
    "AMBIENT_LOG_FORMAT",
    "json" if MODE == "production" else "text",
    _one_of("json", "text"),
    "`json` for machines, `text` for people.",
    shown="json in production, else text",
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
MAX_REQUEST_BYTES = _read(
    "AMBIENT_MAX_REQUEST_BYTES",
    2 * 1024 * 1024,
    int,
    "Largest request body of the API, in bytes; larger is a 413.",
)
START_DEADLINE_SECONDS = _read(
    "AMBIENT_START_DEADLINE_SECONDS",
    120.0,
    float,
    "A session that is not ready by then is restarted or fails.",
)
LIVENESS_SECONDS = _read(
    "AMBIENT_LIVENESS_SECONDS", 30.0, float, "A runner that does not answer for so long is restarted."
)
STOP_GRACE_SECONDS = _read(
    "AMBIENT_STOP_GRACE_SECONDS", 5.0, float, "Time a runner gets to end by itself before it is killed."
)
INACTIVITY_TIMEOUT_SECONDS = _read(
    "AMBIENT_INACTIVITY_TIMEOUT_SECONDS",
    86400,
    int,
    "A running session without a message for so long is stopped; 0: never.",
)
MAX_RESTARTS = _read("AMBIENT_MAX_RESTARTS", 3, int, "Restarts of a lost runner per wish to run.")
RESYNC_SECONDS = _read(
    "AMBIENT_RESYNC_SECONDS", 30.0, float, "How often every unfinished session is looked at."
)
WORKER_CONCURRENCY = _read(
    "AMBIENT_WORKER_CONCURRENCY", 4, int, "Passes that one worker process runs at once."
)
SESSION_TOKEN_SECONDS = _read("AMBIENT_SESSION_TOKEN_SECONDS", 300, int, "Life of a runner's session token.")
LEASE_SECONDS = _read(
    "AMBIENT_LEASE_SECONDS",
    10.0,
    float,
    "Life of a control-plane process's heartbeat; a dead one's streams are taken over after it.",
)
DRAIN_SECONDS = _read(
    "AMBIENT_DRAIN_SECONDS",
    3.0,
    float,
    "How long a stopping control-plane process waits for runs that cannot be handed over.",
)
WATCHERS_PER_USER = _read("AMBIENT_WATCHERS_PER_USER", 200, int, "Open streams of one user per process.")
WATCHERS_PER_PROCESS = _read("AMBIENT_WATCHERS_PER_PROCESS", 2000, int, "Open streams of one process.")
WATCHER_STALL_SECONDS = _read(
    "AMBIENT_WATCHER_STALL_SECONDS", 60.0, float, "A reader that takes nothing for so long is cut."
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


def _secret(name: str, file: str, help: str) -> str:
    value = _read(name, "", str, help, shown=f"made once in AMBIENT_HOME/{file}")
    if value:
        return value
    if MODE == "production":
        raise ImproperlyConfigured(f"{name} is not set; production needs it")
    return _kept_secret(file)


SECRET_KEY = _secret("AMBIENT_SECRET_KEY", "secret.key", "Signs browser sessions and runner tokens.")
ENCRYPTION_KEYS = _names(
    _secret(
        "AMBIENT_ENCRYPTION_KEYS",
        "encryption.key",
        "Keys of encrypted columns, newest first, comma separated; each at least 32 random characters.",
    )
)

if MODE == "production":
    _missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if _missing:
        raise ImproperlyConfigured(f"{' and '.join(_missing)} not set; production needs them")


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


def runner_environment() -> dict[str, str]:
    """The few variables of ours that a runner may see (PATH, locale, certificates), nothing else."""
    kept = (
        "PATH",
        "LANG",
        "LC_ALL",
        "TZ",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "AMBIENT_DEMO_PACE",
    )
    return {name: os.environ[name] for name in kept if name in os.environ}
