"""Who is writing: what the audit log's triggers are told with each statement (`pghistory.context`)."""

from typing import Any

from ambient.common import tracing
from ambient.common.errors import operation_id_of


def of_request(request: Any) -> dict[str, str]:
    """What is known of a request before its caller is."""
    found = {"request_id": operation_id_of(request), **tracing.headers()}
    if address := request.META.get("REMOTE_ADDR"):
        found["address"] = address
    if request.resolver_match is not None:
        found["route"] = f"{request.method} /{request.resolver_match.route}"
    return found


def of_caller(user: Any) -> dict[str, str]:
    """Who it is, and how they came in: token verifiers leave `came_by` on the user, else it is a cookie."""
    via, via_id = getattr(user, "came_by", ("cookie", None))
    found = {"user": str(user.username), "via": via}
    return found if via_id is None else found | {"via_id": str(via_id)}
