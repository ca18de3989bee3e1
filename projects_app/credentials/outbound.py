"""The one door to providers: https, bounded as a whole in time and size, no redirects or private networks.

Addresses are users' input. The name is resolved once and the connection goes to what was checked, so that
no second answer of the DNS leads elsewhere. Behind a proxy the proxy resolves; what we can see is checked.
"""

import base64
import contextlib
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import SplitResult, urlencode, urlsplit

import requests
import urllib3
from django.conf import settings

from projects_app.credentials.base import ProviderError, Reason

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 3.0, 5.0, 10.0
MAX_BYTES = 1024 * 1024
ATTEMPTS = 2
PAUSE_SECONDS = 0.2
AGENT = "ambient"
LONGEST_RETRY_SECONDS = 3600


@dataclass(frozen=True)
class Call:
    """One request to a provider. `repeatable`: to send it twice does no harm."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None
    ca_data: str | None = None  # PEM, in place of the usual authorities
    repeatable: bool = True

    def __repr__(self) -> str:
        return f"Call({self.method})"


@dataclass(frozen=True)
class Answer:
    """What came back: JSON, and the headers."""

    body: Any
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return "Answer()"


def bearer(token: str) -> dict[str, str]:
    """The header that most providers take."""
    return {"Authorization": f"Bearer {_plain(token)}"}


def basic(user: str, password: str) -> dict[str, str]:
    """HTTP basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _plain(token: str) -> str:
    """A token as a header can carry it; anything else is no token of a provider."""
    stripped = token.strip()
    if not stripped.isascii() or not stripped.isprintable():
        raise ProviderError(Reason.INVALID_SECRET)
    return stripped


def ask(call: Call) -> Answer:
    """Send it, perhaps again after a passing fault, in ten seconds altogether. Raises ProviderError."""
    deadline = time.monotonic() + WHOLE_SECONDS
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _once(call, deadline)
        except _NotSent as exc:
            fault = ProviderError(exc.reason)
        except ProviderError as exc:
            if not call.repeatable or exc.reason != Reason.PROVIDER_FAILED:
                raise
            fault = exc
        if attempt < ATTEMPTS:
            time.sleep(PAUSE_SECONDS)
    raise fault


class _NotSent(Exception):
    """The connection failed before anything was sent: to try again is safe."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class _Scissors:
    """Cuts a call's connection when its time is over: who gives byte after byte lets no read time out."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._watched: list[tuple[threading.Timer, socket.socket]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        for timer, twin in self._watched:
            timer.cancel()
            twin.close()

    def require_time(self) -> None:
        """Raises ProviderError when the time is over: what was cut can look like an answer that ends."""
        if time.monotonic() >= self._deadline:
            raise ProviderError(Reason.TIMED_OUT) from None

    def watch(self, sock: socket.socket) -> socket.socket:
        """Cut this one too."""
        twin = sock.dup()  # TLS takes the socket's own descriptor over
        timer = threading.Timer(max(0.0, self._deadline - time.monotonic()), _cut, [twin])
        timer.daemon = True
        timer.start()
        self._watched.append((timer, twin))
        return sock

    def pools(self) -> dict[str, type[urllib3.HTTPConnectionPool]]:
        """urllib3's pools, by scheme, of connections that are watched."""
        watch = self.watch

        class Plain(urllib3.connection.HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return watch(super()._new_conn())

        class Secure(urllib3.connection.HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return watch(super()._new_conn())

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Secure

        return {"http": PlainPool, "https": SecurePool}


def _cut(twin: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        twin.shutdown(socket.SHUT_RDWR)


def _once(call: Call, deadline: float) -> Answer:
    parts = _checked(call.url)
    body = urlencode(call.form).encode() if call.form is not None else None
    headers = {"User-Agent": AGENT, "Accept": "application/json", **(call.headers or {})}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    scissors = _Scissors(deadline)
    try:
        with scissors, _opened(call, parts, headers, body, scissors) as response:
            scissors.require_time()
            _require_success(response)
            raw = _read(response)
            scissors.require_time()
            return Answer(_json(raw), dict(response.headers.items()))
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
        raise _NotSent(Reason.UNREACHABLE) from None
    except (urllib3.exceptions.TimeoutError, TimeoutError):
        raise ProviderError(Reason.TIMED_OUT) from None
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        scissors.require_time()
        raise ProviderError(Reason.UNREACHABLE) from None  # not chained: some quote the address or a header


def _checked(url: str) -> SplitResult:
    """The parts of an address that may be asked at all."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises for what is no port
    except ValueError:
        raise ProviderError(Reason.ADDRESS_REFUSED) from None
    allowed = ("https", "http") if _is_listed(parts.hostname) else ("https",)
    if parts.scheme not in allowed or not parts.hostname or parts.username or parts.password:
        raise ProviderError(Reason.ADDRESS_REFUSED)
    return parts


def _is_listed(host: str | None) -> bool:
    """Whether the operator says that this host may be in a private network, or without TLS."""
    return host is not None and host.lower() in {name.lower() for name in settings.CREDENTIAL_PRIVATE_HOSTS}


def _opened(
    call: Call, parts: SplitResult, headers: dict[str, str], body: bytes | None, scissors: _Scissors
) -> Any:
    """The response's head, by proxy or from an address that was checked. Read and closed by the caller."""
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    with requests.Session() as session:  # for the environment's proxies and authorities, as everywhere here
        environment = session.merge_environment_settings(call.url, {}, None, None, None)
    proxy = requests.utils.select_proxy(call.url, environment["proxies"])
    address = _address(host, port, required=proxy is None)
    common: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        "retries": False,
    }
    secure: dict[str, Any] = {}
    if parts.scheme == "https":
        secure = {"ssl_context": _context(call.ca_data, environment["verify"])}
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    how: dict[str, Any] = {"redirect": False, "preload_content": False, "headers": headers, "body": body}
    if proxy is not None:
        user, password = requests.utils.get_auth_from_url(proxy)
        login = urllib3.make_headers(proxy_basic_auth=f"{user}:{password}") if user else None
        through = urllib3.ProxyManager(proxy, proxy_headers=login, **common, **secure)
        through.pool_classes_by_scheme = scissors.pools()
        return through.urlopen(call.method, call.url, **how)
    shown = f"[{host}]" if ":" in host else host
    headers["Host"] = shown if parts.port is None else f"{shown}:{parts.port}"
    if secure:
        secure |= {"server_hostname": host, "assert_hostname": host}
    pool = scissors.pools()[parts.scheme]
    return pool(address, port, **common, **secure).urlopen(call.method, path, **how)


def _address(host: str, port: int, *, required: bool) -> str:
    """An address of the host that may be asked; every one it has must be allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        if required:
            raise _NotSent(Reason.UNREACHABLE) from None
        return host  # only the proxy knows it
    addresses = [str(entry[4][0]) for entry in found]
    if not _is_listed(host) and not all(map(is_public, addresses)):
        raise ProviderError(Reason.ADDRESS_REFUSED)
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address is one of the internet, also where IPv6 wraps an IPv4 one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in ipaddress.ip_network("64:ff9b::/96"):  # NAT64, RFC 6052
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if found.is_site_local:  # deprecated by RFC 3879, and counted as global by Python
            return False
    return found.is_global and not found.is_multicast


def _context(ca_data: str | None, verify: Any) -> ssl.SSLContext:
    if ca_data is None:
        return ssl.create_default_context(cafile=requests.certs.where() if verify is True else str(verify))
    try:
        return ssl.create_default_context(cadata=ca_data)
    except (ssl.SSLError, ValueError):
        raise ProviderError(Reason.INVALID_SECRET) from None


def _require_success(response: Any) -> None:
    status = response.status
    if status < 300:
        return
    if status < 400:
        raise ProviderError(Reason.REDIRECTED)
    limited = status == 429 or (status == 403 and response.headers.get("X-RateLimit-Remaining") == "0")
    if limited:
        raise ProviderError(Reason.RATE_LIMITED, retry_after=_retry_after(response.headers))
    if status >= 500:
        raise ProviderError(Reason.PROVIDER_FAILED)
    known = {400: Reason.REJECTED, 401: Reason.REJECTED, 403: Reason.FORBIDDEN, 404: Reason.NOT_FOUND}
    raise ProviderError(known.get(status, Reason.UNREADABLE))


def _retry_after(headers: Mapping[str, str]) -> int | None:
    text = headers.get("Retry-After", "")
    return min(int(text), LONGEST_RETRY_SECONDS) if text.isascii() and text.isdigit() else None


def _read(response: Any) -> bytes:
    raw = bytearray()
    while chunk := response.read1(65_536, decode_content=True):
        raw += chunk
        if len(raw) > MAX_BYTES:
            raise ProviderError(Reason.UNREADABLE)
    return bytes(raw)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise ProviderError(Reason.UNREADABLE) from None
