"""Which credentials a session may read the tokens of: resolved when it starts, taken away when it ends."""

from ambient.common.database import transactional
from projects_app.access import RUNNER_PREFIX, TOKEN_READER
from projects_app.choices import Scope
from projects_app.models import Role, RoleBinding
from projects_app.selectors import credentials_for
from projects_app.services.role_bindings import role_binding_create, role_binding_delete


@transactional
def session_credentials_bind(*, session_id: str, project_id: str, agent_id: str | None) -> dict[str, str]:
    """Provider -> credential of a session whose runner is about to start; safe to repeat.

    What it has stays until its end, whoever changes the project's bindings meanwhile; a credential that is
    deleted is gone for it too.
    """
    held = dict(
        RoleBinding.objects.held_by_session(session_id).values_list("credential__provider", "credential_id")
    )
    wanted = credentials_for(project_id=project_id, agent_id=agent_id)
    missing = {provider: pk for provider, pk in wanted.items() if provider not in held}
    if missing:
        role = Role.objects.get(name=TOKEN_READER)
        for pk in missing.values():
            values = {
                "scope": Scope.CREDENTIAL,
                "credential_id": pk,
                "session_id": session_id,
                "user_id": f"{RUNNER_PREFIX}{session_id}",
            }
            role_binding_create(role=role, values=values)
    return held | missing


@transactional
def session_credentials_release(*, session_id: str) -> None:
    """The session has ended: it reads no tokens any more."""
    for binding in RoleBinding.objects.held_by_session(session_id).order_by("pk"):
        role_binding_delete(binding=binding)
