"""What viewsets below `/sessions/{id}/` share."""

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework.pagination import BasePagination

from ambient.common.database import transactional
from ambient.common.exceptions import Forbidden, NotFound, not_found
from ambient.common.viewsets import NOT_PERMITTED, ScopedViewSet
from sessions_app.models import Session

MAY_USE = ("session:create", "session:update")
"""Either lets a caller talk to a session and configure it: who may make one may also use it."""


@transactional
def session_after(write: Callable[[], Session]) -> Session:
    """The session as a service leaves it, with its activity.

    Read before the commit: when the reading fails, the caller's 503 says truly that nothing was done.
    """
    return Session.objects.with_activity().get(pk=write().pk)


class OfSessionViewSet(ScopedViewSet):
    """Routes of one session, which is `pk` of the path."""

    queryset = Session.objects.select_related("project", "agent")
    pagination_class: type[BasePagination] | None = None
    open_to_users: ClassVar[frozenset[str]] = frozenset()  # actions that any permission of MAY_USE allows

    def missing(self, pk: str) -> NotFound:
        return not_found("Session", pk)

    def authorize_object(self, permission: str, obj: Any) -> None:
        if self.action not in self.open_to_users:
            super().authorize_object(permission, obj)
        elif not any(self.request.user.has_perm(each, obj) for each in MAY_USE):
            raise Forbidden(NOT_PERMITTED)
