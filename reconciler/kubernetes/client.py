"""The only door to a cluster: plain objects in and out, every call bounded, every fault one of ours."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import urllib3
import yaml
from kubernetes.client import ApiClient, ApiException, Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config
from urllib3.exceptions import HTTPError, SSLError

from ambient import env
from reconciler.errors import TemporaryError
from reconciler.kubernetes.errors import REFUSED_SECONDS, Conflict, Gone, away, refusal, silence
from reconciler.kubernetes.health import count_fault
from reconciler.kubernetes.names import FIELD_MANAGER, Manifest
from sessions_app.choices import Reason

CONNECT_SECONDS = 3.0
READ_SECONDS = 7.0
WATCH_SECONDS = 30
SILENCE_SECONDS = 40.0
"""A watch that says nothing for so long is broken: the cluster should have ended it. Bookmarks are no sign
of life to wait for: an idle one was seen to send none in 90 s."""
PAGE = 500
LONGEST_LOG_BYTES = 256 * 1024


class Cluster:
    """One cluster. Raises TemporaryError and PermanentError; 404 is None."""

    def __init__(self, kubeconfig: str = "") -> None:
        self._kubeconfig = kubeconfig
        self._api: ApiClient | None = None
        self._lock = threading.Lock()

    def get(self, path: str) -> Manifest | None:
        """One object."""
        return self._call("GET", path)

    def list(self, path: str, **query: str) -> list[Manifest]:
        """All objects that a query selects, page by page."""
        items: list[Manifest] = []
        more: dict[str, str] = {}
        while True:
            try:
                answer = self._call("GET", path, query=query | {"limit": str(PAGE)} | more) or {}
            except Gone:  # the list took too long for its pages to hold together
                items, more = [], {}
                continue
            kind = str(answer.get("kind", "")).removesuffix("List")  # items do not say it themselves
            items += [{"kind": kind, **item} for item in answer.get("items") or []]
            token = (answer.get("metadata") or {}).get("continue")
            if not token:
                return items
            more = {"continue": token}

    def version(self, path: str, **query: str) -> str:
        """From where to watch."""
        answer = self._call("GET", path, query=query | {"limit": "1"})
        if answer is None:
            raise refusal(404, f"there is no {path}")
        return str(answer["metadata"]["resourceVersion"])

    def apply(self, path: str, manifest: Manifest, *, force: bool, manager: str = FIELD_MANAGER) -> Manifest:
        """Server-side apply; raises Conflict when somebody else has set a field, unless by force."""
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        return self._call("PATCH", path, body=manifest, query=query, kind="apply-patch+yaml") or {}

    def create(self, path: str, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Make an object below a collection's path; raises Conflict when there is one of its name.

        `dry_run`: the cluster says what it would say, and keeps nothing.
        """
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        return self._call("POST", path, body=manifest, query=query) or {}

    def delete(self, path: str, uid: str, *, grace_seconds: int | None = None) -> None:
        """Delete this very object; another of its name, or none, is as good as done."""
        options: Manifest = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            self._call("DELETE", path, body=options)
        except Conflict:
            return

    def text(self, path: str, **query: str) -> str:
        """A log."""
        query |= {"limitBytes": str(LONGEST_LOG_BYTES)}
        with self._open("GET", path, query=query) as response:
            data = response.read()
            if response.status != 200:
                return ""
        return bytes(data).decode(errors="replace")

    def watch(self, path: str, version: str, **query: str) -> Iterator[Manifest]:
        """Events after a version, until the cluster ends it. Raises Gone when the version is too old."""
        query |= {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        with self._open("GET", path, query=query, read_seconds=SILENCE_SECONDS) as response:
            if response.status != 200:
                raise _counted(refusal(response.status, _said(response.read())))
            left = b""
            for chunk in response.stream(65536):
                *lines, left = (left + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = _event(line)
                    if event["type"] == "ERROR":
                        told = event["object"]
                        raise _counted(refusal(int(told.get("code") or 500), str(told.get("message"))))
                    yield event

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Manifest | None = None,
        query: Mapping[str, str] | None = None,
        kind: str = "json",
    ) -> Manifest | None:
        with self._open(method, path, body=body, query=query, kind=kind) as response:
            data = response.read()
            if response.status == 404 and method in ("GET", "DELETE"):
                return None
            if response.status >= 300:
                raise _counted(refusal(response.status, _said(data)))
        try:
            answer = json.loads(data)
        except ValueError as exc:
            raise _counted(away("no JSON")) from exc
        return answer if isinstance(answer, dict) else {}

    @contextmanager
    def _open(
        self,
        method: str,
        path: str,
        *,
        body: Manifest | None = None,
        query: Mapping[str, str] | None = None,
        kind: str = "json",
        read_seconds: float = READ_SECONDS,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        api = self._client()
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = f"application/{kind}"
        try:
            parameters = api.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            answer = api.call_api(*parameters, _request_timeout=(CONNECT_SECONDS, read_seconds))
            with answer.response as response:
                yield response
        except (HTTPError, OSError) as exc:
            raise _counted(silence(exc)) from exc
        except ApiException as exc:  # an SSLError, renamed
            raise _counted(silence(SSLError())) from exc

    def _client(self) -> ApiClient:
        """Made when it is first needed, and again after it could not be: no process dies of it."""
        with self._lock:
            if self._api is None:
                self._api = ApiClient(_configuration(self._kubeconfig))
            return self._api


def _configuration(kubeconfig: str) -> Configuration:
    found = Configuration()
    found.retries = False  # a pass is tried again, not a call
    found.client_go_retries = False
    try:
        if kubeconfig:
            load_kube_config(kubeconfig, client_configuration=found, persist_config=False)
        else:
            _from_surroundings(found)
    except (ConfigException, OSError, ValueError, TypeError, yaml.YAMLError) as exc:
        text = "It is not known how to reach the cluster: no usable kubeconfig; see AMBIENT_KUBECONFIG."
        raise _counted(TemporaryError(Reason.CREDENTIAL_REJECTED, text, delay=REFUSED_SECONDS)) from exc
    return found


def _from_surroundings(found: Configuration) -> None:
    try:
        load_incluster_config(found)
    except ConfigException:  # we are no pod
        load_kube_config(client_configuration=found, persist_config=False)


def _said(data: bytes) -> str:
    try:
        return str(json.loads(data).get("message") or "")
    except (ValueError, AttributeError):
        return ""


def _event(line: bytes) -> Manifest:
    try:
        return dict(json.loads(line))
    except ValueError as exc:
        raise _counted(away("half an event")) from exc


def _counted(error: Exception) -> Exception:
    if isinstance(error, TemporaryError):
        count_fault(error.reason)
    return error


def connect() -> Cluster:
    """The cluster of the settings."""
    return Cluster(env.KUBECONFIG)
