"""The cluster and token that a kubeconfig's current context names. Nothing of it is run, and no file read."""

import base64
from typing import Any

import yaml

from projects_app.credentials.base import ProviderError, Reason
from projects_app.credentials.outbound import Call, bearer

LIMIT = 256 * 1024


def version_call(text: str) -> Call:
    """The cheapest call that needs the cluster to know the token. Raises ProviderError."""
    document = _document(text)
    context = _named(document, "contexts", document.get("current-context"), "context")
    cluster = _named(document, "clusters", context.get("cluster"), "cluster")
    user = _named(document, "users", context.get("user"), "user")
    server, token, ca = cluster.get("server"), user.get("token"), cluster.get("certificate-authority-data")
    if not isinstance(server, str) or not server:
        raise ProviderError(Reason.INVALID_SECRET)
    if not isinstance(token, str) or not token or cluster.get("insecure-skip-tls-verify"):
        raise ProviderError(Reason.NOT_TESTABLE)  # certificates, commands and files are for the session
    headers = bearer(token)
    return Call(f"{server.rstrip('/')}/version", headers=headers, ca_data=_decoded(ca) if ca else None)


def _document(text: str) -> dict[str, Any]:
    if len(text) > LIMIT:
        raise ProviderError(Reason.INVALID_SECRET)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):  # they can grow without end
            raise ProviderError(Reason.INVALID_SECRET)
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ProviderError(Reason.INVALID_SECRET) from None
    if not isinstance(document, dict):
        raise ProviderError(Reason.INVALID_SECRET)
    return document


def _named(document: dict[str, Any], kind: str, name: Any, member: str) -> dict[str, Any]:
    entries = document.get(kind)
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and name and entry.get("name") == name:
            if isinstance(found := entry.get(member), dict):
                return found
    raise ProviderError(Reason.INVALID_SECRET)


def _decoded(data: Any) -> str:
    try:
        return base64.b64decode(data, validate=True).decode("ascii")
    except (ValueError, TypeError):
        raise ProviderError(Reason.INVALID_SECRET) from None
