"""Staff of different powers, and rows for every list of the admin."""

import pytest
from django.contrib.auth.models import Group, Permission

from projects_app.choices import Scope
from projects_app.models import AuditEntry, Role
from projects_app.services.api_keys import api_key_create
from projects_app.services.applications import application_create
from projects_app.services.identities import identity_link
from projects_app.services.role_bindings import role_binding_create
from reconciler.models import Limit, WorkItem
from sessions_app.models import Run, RunLog, SessionEvent, StreamOwner
from sessions_app.services.schedules import schedule_create
from sessions_app.services.sessions import session_create
from tests.factories import (
    AgentFactory,
    CredentialFactory,
    ProjectFactory,
    ProjectSettingsFactory,
    UserFactory,
)


@pytest.fixture
def boss(client, admin):
    """The test client, signed in as a superuser."""
    client.force_login(admin)
    return client


@pytest.fixture
def staff(db, client):
    """Sign in a staff member who has exactly these model permissions."""

    def make(*permissions, username="clerk"):
        user = UserFactory(username=username, is_staff=True)
        for name in permissions:
            app, codename = name.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        client.force_login(user)
        client.user = user
        return client

    return make


@pytest.fixture
def tenant(db):
    return ProjectFactory(id="tenant")


@pytest.fixture
def made(tenant):
    """A session with one queued message."""
    return session_create(
        actor="alice",
        project=tenant,
        spec={"name": "fix", "prompt": "do it", "environment_variables": '{"TOKEN": "hush-hush"}'},
    )


def rows_of(session, count):
    """Events of a session, a finished run with its log, and an owner of streams."""
    SessionEvent.objects.bulk_create(
        SessionEvent(session_id=session.pk, seq=n, run="r", type="CUSTOM", event=f'{{"n": {n}}}')
        for n in range(1, count + 1)
    )


@pytest.fixture
def everything(made, tenant, user):
    """At least one row in every list; the objects by the name of their model's admin."""
    rows_of(made, 3)
    Run.objects.filter(session=made).update(state="finished")
    RunLog.objects.create(
        run="r0", session_id=made.pk, first_seq=1, last_seq=2, events='[{"type": "CUSTOM", "delta": "said"}]'
    )
    StreamOwner.objects.create(process="p1", hostname="h", expires_at="2036-01-01T00:00:00Z")
    key, text = api_key_create(user=user)
    return {
        "sessions_app_session": made,
        "projects_app_project": tenant,
        "projects_app_projectsettings": ProjectSettingsFactory(project=tenant),
        "projects_app_agent": AgentFactory(project=tenant),
        "projects_app_credential": CredentialFactory(token_sealed="enc:sealed-secret"),
        "sessions_app_scheduledsession": schedule_create(
            actor="alice", project=tenant, values={"name": "nightly", "schedule": "0 3 * * *"}
        ),
        "projects_app_application": application_create(
            values={
                "name": "fleet",
                "source_repo_url": "https://x/y.git",
                "source_path": "prod",
                "destination_project": tenant.pk,
            }
        ),
        "projects_app_user": user,
        "projects_app_externalidentity": identity_link(user=user, issuer="https://idp.example", subject="s"),
        "projects_app_role": Role.objects.get(name="project:viewer"),
        "projects_app_rolebinding": role_binding_create(
            role=Role.objects.get(name="project:viewer"),
            values={"scope": Scope.PROJECT, "user_id": "alice", "project_id": tenant.pk},
        ),
        "projects_app_apikey": key,
        "auth_group": Group.objects.create(name="night shift"),
        "projects_app_auditentry": AuditEntry.objects.filter(object_id=made.pk).get(),
        "reconciler_workitem": WorkItem.objects.get(key=made.pk),
        "reconciler_limit": Limit.objects.get(project=None),
    }
