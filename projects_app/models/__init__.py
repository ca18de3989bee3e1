"""People, projects, agents, credentials and roles."""

from projects_app.models.agent import Agent, InboxMessage
from projects_app.models.api_key import ApiKey
from projects_app.models.application import Application
from projects_app.models.audit import AuditEntry
from projects_app.models.counter import RowCount
from projects_app.models.credential import Credential, CredentialState
from projects_app.models.grants import (
    AgentGroupObjectPermission,
    AgentUserObjectPermission,
    CredentialGroupObjectPermission,
    CredentialUserObjectPermission,
    GlobalGrant,
    ProjectGroupObjectPermission,
    ProjectUserObjectPermission,
)
from projects_app.models.idempotency import IdempotentAnswer
from projects_app.models.project import Project, ProjectSettings
from projects_app.models.rbac import Role, RoleBinding
from projects_app.models.sign_in import BrowserSignIn
from projects_app.models.user import ExternalIdentity, User

__all__ = [
    "Agent",
    "AgentGroupObjectPermission",
    "AgentUserObjectPermission",
    "ApiKey",
    "Application",
    "AuditEntry",
    "BrowserSignIn",
    "Credential",
    "CredentialGroupObjectPermission",
    "CredentialState",
    "CredentialUserObjectPermission",
    "ExternalIdentity",
    "GlobalGrant",
    "IdempotentAnswer",
    "InboxMessage",
    "Project",
    "ProjectGroupObjectPermission",
    "ProjectSettings",
    "ProjectUserObjectPermission",
    "Role",
    "RoleBinding",
    "RowCount",
    "User",
]
