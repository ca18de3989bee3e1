"""Users, clients and bindings that most tests of the platform need."""

import signal
import uuid

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings
from rest_framework.test import APIClient

from ambient.common import throttling
from projects_app.choices import Scope
from projects_app.models import Role
from projects_app.services.api_keys import api_key_create
from projects_app.services.grants import TARGETS
from projects_app.services.role_bindings import role_binding_create
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
def _flush_empties_the_audit_log():
    """Tests without a transaction around them end with a TRUNCATE of every table, which the log refuses."""
    flush, table = DatabaseOperations.sql_flush, "ALTER TABLE projects_app_auditentry"
    trigger = "TRIGGER ambient_audit_append_only"

    def sql_flush(self, style, tables, **options):
        found = flush(self, style, tables, **options)
        return [f"{table} DISABLE {trigger}", *found, f"{table} ENABLE {trigger}"] if found else found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
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
