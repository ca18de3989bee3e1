"""Which rows a caller sees: decided here, once, and in SQL."""

from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from ambient.common.models import LiveQuerySet
from projects_app.access import (
    NOTHING,
    RUNNER_PREFIX,
    SCOPED_MODELS,
    TOKEN_READER,
    Access,
    PersonAccess,
    access_of,
)


class ProjectQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.live().filter(access_of(user).rows("project:read", {"project": "id"}))


class ProjectSettingsQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.live().filter(access_of(user).rows("project:read", {"project": "project_id"}))


class AgentQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.live().filter(
            access_of(user).rows("agent:read", {"project": "project_id", "agent": "id"})
        )


class InboxMessageQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        paths = {"project": "agent__project_id", "agent": "agent_id"}
        return self.live().filter(access_of(user).rows("agent:read", paths))


class CredentialQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.live().filter(access_of(user).rows("credential:read", {"credential": "id"}))


class ApplicationQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those with a target among the projects that one may read, and all for who may read applications."""
        access = access_of(user)
        here = Q(destination_ambient_url=None) | Q(destination_ambient_url="")
        paths = {"project": "destination_project"}
        local = here & (access.rows("project:read", paths) | access.rows("application:read", paths))
        return self.live().filter(local | access.rows("application:read", {}))


class UserQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Everybody sees themselves; all users only who may read users everywhere."""
        if access_of(user).everywhere("user:read"):
            return self.live()
        return self.live().filter(username=getattr(user, "username", None) or "")


class ApiKeyQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own, within the key that one came with; all only for who may read keys everywhere."""
        access = access_of(user)
        if access.everywhere("api_key:read"):
            return self.live()
        within = access.api_key.project_id if isinstance(access, PersonAccess) and access.api_key else None
        if not access.as_person("api_key:read", within):
            return self.none()
        own = self.live().filter(user=user.pk)
        return own if within is None else own.filter(project=within)


class RoleQuerySet(LiveQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Roles are no secret: every signed-in caller may read them."""
        return self.live() if getattr(user, "is_authenticated", False) else self.none()


class RoleBindingQuerySet(LiveQuerySet):
    def held_by_session(self, session_id: str) -> Self:
        """Those by which a session's runner reads tokens; the platform alone makes them."""
        return self.live().filter(
            scope="credential",
            role__name=TOKEN_READER,
            session_id=session_id,
            user_id=f"{RUNNER_PREFIX}{session_id}",
        )

    def visible_to(self, user: Any) -> Self:
        """One's own bindings, and those on what one may read: projects, their sessions, agents, credentials.

        A runner reads its session, and not who else may.
        """
        access = access_of(user)
        seen = (
            access.rows("role_binding:read", {"project": "project_id", "credential": "credential_id"})
            | access.rows("project:read", {"project": "project_id"})
            | access.rows("agent:read", {"project": "agent__project_id", "agent": "agent_id"})
            | access.rows("credential:read", {"credential": "credential_id"})
        )
        own = NOTHING
        if getattr(user, "pk", None):
            own = Q(user_id=user.username)
            seen |= self._on_sessions(access)
        if isinstance(access, PersonAccess) and access.api_key and access.api_key.project_id:
            own &= Q(project=access.api_key.project_id)
        return self.live().filter(seen | own)

    @staticmethod
    def _on_sessions(access: Access) -> Q:
        """Those whose scope is a session that one may read by its project or agent.

        Who holds a role on the session alone sees their own: who else does is the project's business.
        """
        paths = {"project": "project_id", "agent": "agent_id"}
        read = apps.get_model(SCOPED_MODELS["session"])._default_manager.filter(
            access.rows("session:read", paths), pk=OuterRef("session_id")
        )
        return Q(Exists(read), scope="session")


class AuditEntryQuerySet(models.QuerySet):
    def live(self) -> Self:
        """All of them: an entry is never deleted by itself."""
        return self

    def visible_to(self, user: Any) -> Self:
        """Those of the projects where one holds `audit:read`; all of them for who holds it everywhere."""
        return self.filter(access_of(user).rows("audit:read", {"project": "project"}))
