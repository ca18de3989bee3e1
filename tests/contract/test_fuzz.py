"""Every operation, called with what its own description allows and forbids (`make fuzz` for many more cases).

No 5xx, no status that the document does not name, no answer that its schema does not describe.
"""

import os
from collections import Counter

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from projects_app.models import Role
from projects_app.services.api_keys import api_key_create
from projects_app.services.applications import application_create
from projects_app.services.credentials import credential_create
from projects_app.services.role_bindings import role_binding_create
from sessions_app.services.schedules import schedule_create
from sessions_app.services.sessions import session_create
from tests.factories import AgentFactory, InboxMessageFactory, ProjectSettingsFactory, UserFactory

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
CALLERS = {"administrator": EXAMPLES, "viewer": max(1, EXAMPLES // 8), "stranger": max(1, EXAMPLES // 8)}
STREAMS = r"^(session_(events|agui_events|agui_run)|audit_export)$"
"""Not answered at once; tests/integration/streams and audit call them with bad input."""
NOT_OFFERED = [status_code_conformance, content_type_conformance, response_schema_conformance]
CHECKS = [schemathesis.checks.not_a_server_error, *NOT_OFFERED]
"""A 501 that the document names is an answer, too: the route is known and what it is for is not offered.
So is a 503 that says that the session has no runner: the one here has none."""
NO_RUNNER = b"runner is not available"


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """The catch-all would make every status a documented one."""
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            operation.get("responses", {}).pop("default", None)


schema = schemathesis.openapi.from_wsgi("/api/ambient/v1/openapi", get_wsgi_application()).exclude(
    operation_id_regex=STREAMS
)
OPERATIONS = {found.ok().label: found.ok() for found in schema.get_all_operations()}


@pytest.fixture
def world(project, admin):
    """One of everything, and how the path names it."""
    agent = AgentFactory(project=project)
    session = session_create(actor="root", project=project, spec={"name": "s", "prompt": "hi"}, agent=agent)
    viewer = Role.objects.get(name="project:viewer")
    bound = {"scope": "project", "user_id": "somebody", "project_id": project.pk}
    application = {"name": "a", "source_repo_url": "u", "source_path": "p", "destination_project": project.pk}
    schedule = {"name": "n", "schedule": "0 3 * * *"}
    ids = {
        "projects": project.pk,
        "agents": agent.pk,
        "inbox": InboxMessageFactory(agent=agent).pk,
        "sessions": session.pk,
        "project_settings": ProjectSettingsFactory(project=project).pk,
        "roles": viewer.pk,
        "users": admin.pk,
        "role_bindings": role_binding_create(role=viewer, values=bound).pk,
        "credentials": credential_create(
            actor=admin, values={"name": "c", "provider": "github", "token": "t"}
        ).pk,
        "applications": application_create(values=application).pk,
        "scheduled-sessions": schedule_create(actor="root", project=project, values=schedule).pk,
    }
    people = {
        "administrator": admin,
        "viewer": UserFactory(username="viewer"),
        "stranger": UserFactory(username="stranger"),
    }
    role_binding_create(role=viewer, values=bound | {"user_id": "viewer"})
    keys = {name: api_key_create(user=person) for name, person in people.items()}
    ids["api_keys"] = keys["administrator"][0].pk
    return ids, {name: f"Bearer {text}" for name, (_, text) in keys.items()}


@pytest.fixture
def one_connection():
    """Requests leave the test's connection open, as Django's own test client does it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def existing(path, ids):
    """Values of a path's parameters that name what there is."""
    found, parts = {}, path.strip("/").split("/")
    for before, part in zip(parts, parts[1:], strict=False):
        if part.startswith("{") and before in ids:
            found[part.strip("{}")] = ids[before]
    return found


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_operation(label, world, one_connection, record_property):
    ids, tokens = world
    answered: Counter[int] = Counter()
    for caller, examples in CALLERS.items():
        call_at_random(OPERATIONS[label], examples, ids, tokens[caller], answered)
    record_property("fuzz", dict(answered))


def call_at_random(operation, examples, ids, token, answered):
    there = existing(operation.path, ids)

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
    def run(case):
        for parameters in ({}, there) if there else ({},):
            case.path_parameters = (case.path_parameters or {}) | parameters
            with transaction.atomic():
                response = case.call(headers={"Authorization": token, "Accept-Encoding": "identity"})
                transaction.set_rollback(True)
            answered[response.status_code // 100] += 1
            is_without = response.status_code == 503 and NO_RUNNER in response.content
            allowed = NOT_OFFERED if response.status_code == 501 or is_without else CHECKS
            if str((case.query or {}).get("fields", "")).strip():  # items are cut down to what was asked for
                allowed = [check for check in allowed if check is not response_schema_conformance]
            case.validate_response(response, checks=allowed)

    run()
