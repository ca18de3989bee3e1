"""Closed lists of the access model: scopes, the permission catalogue, the built-in roles."""

from typing import Any

from django.db import models


class Scope(models.TextChoices):
    """How far a role binding reaches."""

    GLOBAL = "global"
    PROJECT = "project"
    AGENT = "agent"
    SESSION = "session"
    CREDENTIAL = "credential"


class Provider(models.TextChoices):
    """What a credential is for."""

    GITHUB = "github"
    GITLAB = "gitlab"
    JIRA = "jira"
    GOOGLE = "google"
    VERTEX = "vertex"
    KUBECONFIG = "kubeconfig"


class Framework(models.TextChoices):
    """What a runner drives (`runner_type` on the wire)."""

    DEMO = "demo"
    CLAUDE = "claude"


class AuditAction(models.TextChoices):
    """What was done to an object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    PRUNE = "prune"


class AuditVia(models.TextChoices):
    """How somebody came to write."""

    COOKIE = "cookie", "a browser's sign-in"
    JWT = "jwt", "a token of an identity provider"
    API_KEY = "api_key", "an API key"
    SESSION = "session", "a session's runner, for the session's creator"
    COMMAND = "command", "a command"
    PROCESS = "process", "a process of the platform"
    DATABASE = "database", "something else that has the database's password"
    UNKNOWN = "unknown", "not recorded: from before the audit log"


_VERBS = {
    "project": "read create update delete list",
    "agent": "create read update delete list start",
    "session": "create read update delete list start stop",
    "session_message": "create read list watch",
    "project_document": "create read update delete list",
    "blackboard": "read write watch",
    "role": "create read update delete list",
    "role_binding": "create read update delete list",
    "user": "create read update delete list",
    "credential": "create read update delete list fetch_token",
    "application": "create read update delete list",
    "audit": "read",
    "api_key": "create read delete list",
}
PERMISSIONS: tuple[str, ...] = tuple(
    f"{resource}:{verb}" for resource, verbs in _VERBS.items() for verb in verbs.split()
)
"""Every permission there is. A role's wildcards expand to these; an unknown one grants nothing."""

OBJECT_PERMISSIONS: list[tuple[str, Any]] = [(codename, f"May {codename}") for codename in PERMISSIONS]
"""`Meta.permissions` of the models that a binding can be scoped to."""


def expand(patterns: list[str]) -> frozenset[str]:
    """Permissions of a role's entries; each half of `resource:verb` may be `*`."""
    wanted = [pattern.split(":", 1) for pattern in patterns if pattern.count(":") == 1]
    return frozenset(
        permission
        for permission in PERMISSIONS
        for resource, verb in wanted
        if resource in ("*", permission.split(":")[0]) and verb in ("*", permission.split(":")[1])
    )


BUILTIN_ROLES: dict[str, tuple[int | None, str, str]] = {
    # name: (level, description, permissions); level None: internal, never granted over REST
    "platform:admin": (0, "Everything on the platform", "*:*"),
    "platform:viewer": (
        2,
        "Read every project, agent and session",
        "project:read project:list session:read session:list agent:read agent:list",
    ),
    "project:owner": (
        1,
        "Everything in one project, and who may work in it",
        "project:read project:update project:delete agent:* session:* session_message:* "
        "project_document:* blackboard:* role_binding:* audit:read",
    ),
    "project:editor": (
        2,
        "Run and change agents and sessions of one project",
        "project:read agent:create agent:read agent:update agent:list agent:start "
        "session:create session:read session:update session:list session:start session:stop "
        "session_message:* project_document:read project_document:create project_document:update "
        "project_document:list blackboard:read blackboard:watch role_binding:delete",
    ),
    "project:viewer": (
        3,
        "Read one project",
        "project:read agent:read agent:list session:read session:list session_message:read "
        "session_message:list project_document:read project_document:list blackboard:read",
    ),
    "agent:operator": (
        2,
        "Start and change one agent, read its sessions",
        "agent:read agent:update agent:start agent:list session:read session:list",
    ),
    "agent:editor": (2, "Change one agent", "agent:read agent:update"),
    "agent:observer": (
        3,
        "Read one agent and its sessions",
        "agent:read agent:list session:read session:list blackboard:read blackboard:watch",
    ),
    "agent:runner": (
        None,
        "What a running agent needs itself",
        "session:read session_message:* blackboard:read blackboard:watch",
    ),
    "credential:owner": (
        1,
        "Everything with one credential",
        "credential:create credential:read credential:update credential:delete credential:list "
        "credential:fetch_token role_binding:create role_binding:delete",
    ),
    "credential:viewer": (2, "See that a credential exists", "credential:read credential:list"),
    "credential:token-reader": (None, "Read a credential's token", "credential:fetch_token"),
    "gitops:admin": (
        1,
        "Manage applications",
        "application:create application:read application:update application:delete application:list",
    ),
    "gitops:viewer": (3, "Read applications", "application:read application:list"),
}
