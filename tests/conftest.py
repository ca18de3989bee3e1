"""Users, clients and bindings that most tests of the platform need."""

import signal
import uuid

import pytest
from django.test import TransactionTestCase, override_settings
from hypothesis import HealthCheck, settings
from rest_framework.test import APIClient

from ambient.common import throttling
from projects_app.choices import Scope
from projects_app.models import Role
from projects_app.services.api_keys import api_key_create
from projects_app.services.grants import TARGETS
from projects_app.services.role_bindings import role_binding_create
from tests import emptying
from tests.factories import ProjectFactory, SessionFactory, UserFactory

V1 = "/api/ambient/v1"

# How long an example takes says how busy the machine is: timings belong to `make bench`.
settings.register_profile("ambient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ambient")

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a shell's background job, and inherited by its children
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords():
    """What makes a password dear to guess makes it dear to set."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """A test without a transaction around it leaves the database as the migrations made it."""
    with django_db_blocker.unblock():
        rows = emptying.rows_of_tables()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: emptying.restore(rows))
        yield


@pytest.fixture(autouse=True)
def _limits_of_its_own(monkeypatch):
    """All tests come from one address, and share one Valkey: what one spends is not missing in the next."""
    monkeypatch.setattr(throttling, "KEY", f"{throttling.KEY}{uuid.uuid4().hex}:")


class WireClient(APIClient):
    """Speaks JSON; `call(method, path below /api/ambient/v1, body)`."""

    user = None

    def call(self, method, path, body=None, **headers):
        return self.generic(
            method.upper(),
            path if path == "/api" or path.startswith("/api/") else f"{V1}{path}",
            data=self.encoded(body),
            content_type="application/json",
            headers=headers,
        )

    @staticmethod
    def encoded(body):
        import orjson

        if body is None:
            return b""
        return body if isinstance(body, bytes) else orjson.dumps(body)


@pytest.fixture
def client_for(db):
    """A client that sends an API key of the given user."""

    def make(user, **key):
        _, text = api_key_create(user=user, **key)
        client = WireClient(headers={"Authorization": f"Bearer {text}"})
        client.user = user
        return client

    return make


@pytest.fixture
def anonymous(db):
    return WireClient()


@pytest.fixture
def user(db):
    return UserFactory(username="alice")


@pytest.fixture
def admin(db):
    return UserFactory(username="root", is_superuser=True, is_staff=True)


@pytest.fixture
def api_client(client_for, user):
    return client_for(user)


@pytest.fixture
def admin_client_wire(client_for, admin):
    return client_for(admin)


@pytest.fixture
def bind_role(db, user):
    """Give a role (by name) on an object, or everywhere; to `user` unless another is named."""

    def bind(role, target=None, *, to=None):
        if role is None:
            return None
        scope = Scope.GLOBAL if target is None else type(target).__name__.lower()
        values = {"scope": scope, "user_id": (to or user).username}
        if target is not None:
            values[TARGETS[scope]] = target.pk
        return role_binding_create(role=Role.objects.get(name=role), values=values)

    return bind


@pytest.fixture
def project(db):
    return ProjectFactory(id="demo")


@pytest.fixture
def session(project):
    return SessionFactory(project=project)
