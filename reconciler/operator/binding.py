"""What opens an operator's runner: known by the pod that has its address, since it cannot prove itself.

Asked before each call to such a runner, so that an address which another pod has got meanwhile never hears
the session's words.
"""

import base64
import functools

from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes.client import Cluster, connect
from reconciler.kubernetes.names import Manifest
from reconciler.kubernetes.observation import endpoint
from reconciler.operator.names import TOKEN_KEY, pods_of, resource_name, token_secret
from sessions_app.streams.runner import OtherInstance, Target, Unreachable

cluster = functools.cache(connect)


def bound_token(target: Target) -> str:
    """The token of the pod with this uid. Raises OtherInstance when it is gone, Unreachable when that cannot
    be said."""
    try:
        return _token(cluster(), target)
    except (TemporaryError, PermanentError) as exc:
        raise Unreachable(exc.message) from exc


def _token(asked: Cluster, target: Target) -> str:
    name = resource_name(target.session)
    pods = asked.list("/api/v1/pods", labelSelector=pods_of(name))
    pod = next((each for each in pods if each["metadata"]["uid"] == target.instance), None)
    if pod is None or not _has_address(pod, target.endpoint):
        raise OtherInstance("the runner's pod is gone")
    secret = asked.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/secrets/{token_secret(name)}")
    text = ((secret or {}).get("data") or {}).get(TOKEN_KEY)
    if not text:
        raise Unreachable("the runner's token is not there")
    return base64.b64decode(text).decode()


def _has_address(pod: Manifest, url: str) -> bool:
    address = (pod.get("status") or {}).get("podIP")
    return address is not None and endpoint(address) == url and not pod["metadata"].get("deletionTimestamp")
