import pytest

from projects_app.models import Project
from sessions_app.models import Session
from sessions_app.services.sessions import session_create


@pytest.fixture
def tenant(db) -> Project:
    return Project.objects.create(id="tenant")


@pytest.fixture
def made(tenant) -> Session:
    """A session as a plain create leaves it, with one queued message."""
    return session_create(actor="alice", project=tenant, spec={"name": "fix", "prompt": "do it"})
