"""The Kubernetes API as plain documents: what the node and the tests need of it.

Not the client that the platform uses, so that a test never checks that client against itself.
"""

import contextlib
import json
import ssl
from collections.abc import Iterator
from typing import Any

import httpx

from tests.kube.pki import Pair

Document = dict[str, Any]
SECONDS = 20
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
MANAGER = "tests"


class ApiError(Exception):
    """What the API server refused."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason


class Api:
    """One identity at one API server. Paths are those of the REST API."""

    def __init__(self, url: str, authority: str, *, token: str = "", pair: Pair | None = None):
        context = ssl.create_default_context(cadata=authority)
        if pair:
            pair.load_into(context)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        limits = httpx.Limits(max_connections=None)
        self._http = httpx.Client(
            base_url=url, verify=context, headers=headers, timeout=SECONDS, trust_env=False, limits=limits
        )
        self._plurals: dict[tuple[str, str], tuple[str, bool]] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def get(self, path: str, **parameters: Any) -> Document:
        """Read one object or a list."""
        return self._call("GET", path, parameters)

    def text(self, path: str, **parameters: Any) -> str:
        """Read what is no document, as a pod's log."""
        answer = self._http.get(path, params=parameters)
        self._check(answer)
        return answer.text

    def post(self, path: str, body: Document) -> Document:
        """Create."""
        return self._call("POST", path, {}, body)

    def merge(self, path: str, body: Document) -> Document:
        """Change some fields; null removes one."""
        return self._call("PATCH", path, {}, body, MERGE)

    def delete(self, path: str, body: Document | None = None) -> Document:
        """Ask for the end of an object."""
        return self._call("DELETE", path, {}, body)

    def exists(self, path: str) -> bool:
        """Whether there is such an object."""
        with contextlib.suppress(NotFound):
            self.get(path)
            return True
        return False

    def apply(self, document: Document) -> Document:
        """Create an object, or make an existing one so."""
        parameters = {"fieldManager": MANAGER, "force": "true"}
        return self._call("PATCH", self.path_of(document), parameters, document, APPLY)

    def path_of(self, document: Document) -> str:
        """Where an object lives."""
        version, metadata = document["apiVersion"], document["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        plural, namespaced = self._plural(root, document["kind"])
        where = f"/namespaces/{metadata.get('namespace', 'default')}" if namespaced else ""
        return f"{root}{where}/{plural}/{metadata['name']}"

    def watch(self, path: str, **parameters: Any) -> Iterator[tuple[str, Document]]:
        """Events of a list until the server ends the watch: kind and object."""
        timeout = httpx.Timeout(SECONDS, read=None)
        with self._http.stream(
            "GET", path, params={"watch": "true", **parameters}, timeout=timeout
        ) as answer:
            if answer.is_error:
                answer.read()
            self._check(answer)
            for line in answer.iter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise ApiError(status["code"], status.get("reason", ""), status.get("message", ""))
                yield event["type"], event["object"]

    def _plural(self, root: str, kind: str) -> tuple[str, bool]:
        if (root, kind) not in self._plurals:
            for resource in self.get(root)["resources"]:
                if "/" not in resource["name"]:
                    known = resource["name"], resource["namespaced"]
                    self._plurals[root, resource["kind"]] = known
        return self._plurals[root, kind]

    def _call(
        self,
        method: str,
        path: str,
        parameters: Document,
        body: Document | None = None,
        content_type: str = "application/json",
    ) -> Document:
        content = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": content_type}
        answer = self._http.request(method, path, params=parameters, content=content, headers=headers)
        self._check(answer)
        return answer.json()

    @staticmethod
    def _check(answer: httpx.Response) -> None:
        if not answer.is_error:
            return
        try:
            status = answer.json()
        except ValueError:
            status = {"message": answer.text}
        kind = NotFound if answer.status_code == 404 else ApiError
        raise kind(answer.status_code, status.get("reason", ""), status.get("message", ""))


class NotFound(ApiError):
    """There is no such object."""
