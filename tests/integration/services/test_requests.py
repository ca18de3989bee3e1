"""The same over the API: whatever fails, the caller gets a 503 and nothing has changed.

A request writes in one transaction and asks the database nothing after it: nothing later can fail.
"""

import pytest
from django.db import connection
from django.urls import resolve

from ambient.common import hints
from projects_app.services.api_keys import api_key_create
from projects_app.services.applications import application_create
from projects_app.services.credentials import credential_create
from sessions_app.choices import Phase, RunState
from sessions_app.models import Run
from sessions_app.services.schedules import schedule_create
from sessions_app.services.sending import message_send
from tests.conftest import V1
from tests.contract.test_viewsets import ROUTES, view_class
from tests.factories import (
    AgentFactory,
    InboxMessageFactory,
    InterruptFactory,
    ProjectSettingsFactory,
    RoleFactory,
    SessionFactory,
    UserFactory,
)
from tests.integration.api.test_wire import APPLICATION, CREATES, SCHEDULE, check_error
from tests.integration.services.cases import bind
from tests.integration.services.cases_requests import NOT_TRIED, REQUESTS
from tests.integration.services.faults import Statements, changed_since, failing_commit, snapshot

UNSAFE = {"post", "put", "patch", "delete"}


@pytest.fixture
def rows(project, admin):
    """Ids of one row of each kind."""
    agent = AgentFactory(project=project)
    session, asking = (SessionFactory(project=project, phase=Phase.RUNNING) for _ in range(2))
    message = message_send(session=session, actor="bob", text="do it")
    Run.objects.create(id="runs", session=asking, number=1, state=RunState.RUNNING)
    Run.objects.create(id="asks", session=asking, number=2, state=RunState.INTERRUPTED)
    InterruptFactory(session=asking, run="asks", interrupt_id="colour")
    credential = credential_create(actor=admin, values={"name": "gh", "provider": "github"}, project=project)
    bob = UserFactory(username="bob")
    return {
        "project": project.pk,
        "settings": ProjectSettingsFactory().pk,
        "agent": agent.pk,
        "inbox": InboxMessageFactory(agent=agent).pk,
        "session": session.pk,
        "asking": asking.pk,
        "message": message.pk,
        "user": bob.pk,
        "role": RoleFactory().pk,
        "key": api_key_create(user=bob)[0].pk,
        "binding": bind("agent:observer", agent, user_id="bob").pk,
        "credential": credential.pk,
        "application": application_create(values=APPLICATION).pk,
        "schedule": schedule_create(actor="bob", project=project, values=SCHEDULE).pk,
    }


@pytest.fixture
def check_request(admin_client_wire, monkeypatch, settings):
    """Make one request with a fault at each place in turn, and once without."""
    settings.SERVICE_ACCOUNT = admin_client_wire.user.username  # so that it may report a status too
    sent = []
    monkeypatch.setattr(hints, "publish", lambda *hint: sent.append(hint))
    admin_client_wire.call("get", "/projects")  # when a key was last used is kept once a minute

    def check(method, path, body, **headers):
        before = snapshot()
        sent.clear()

        def call(statements):
            with connection.execute_wrapper(statements):
                return admin_client_wire.call(method, path, body, **headers)

        def refused(statements):
            check_error(call(statements), 503, "9")
            assert (changed_since(before), sent) == ({}, []), (method, path, statements.place)

        with failing_commit(monkeypatch):
            refused(Statements())  # fills caches, so that from here on each attempt has the same statements
            refused(whole := Statements())
        for number in range(1, len(whole.texts) + 1):
            refused(Statements(number))
        answer = call(done := Statements())
        assert answer.status_code in (200, 201, 204), (method, path, answer.content)
        assert done.texts[len(whole.texts) :] == [], "what comes after the commit can fail too"
        assert changed_since(before), "the request wrote nothing: its row proves nothing"

    return check


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("requests", REQUESTS.values(), ids=REQUESTS)
def test_a_fault_is_told_and_leaves_nothing_behind(requests, rows, check_request):
    for method, path, body in requests:
        check_request(method, path.format(**rows), body)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["sessions", "projects", "credentials"])
def test_a_failed_create_leaves_its_key_free(kind, rows, check_request):
    path, body = CREATES[kind]
    check_request("post", path, body, **{"Idempotency-Key": "k-1"})


def test_every_route_that_writes_is_tried():
    tried = set()
    for method, path, _ in (request for requests in REQUESTS.values() for request in requests):
        found = resolve(f"{V1}{path}").func
        tried.add((found.cls.__name__, found.actions[method]))
    there = {
        (view_class(callback).__name__, action)
        for _, callback in ROUTES
        for method, action in getattr(callback, "actions", {}).items()
        if method in UNSAFE
    }
    assert there - tried == NOT_TRIED.keys()
