"""Every write is atomic: a fault before or after any statement, or at the commit, leaves nothing behind.

Services are called outside of any transaction, so that the one which they open themselves is what is tried.
A call that failed has left the rows as they were, so the next attempt finds the same state.
"""

import copy
import importlib
import inspect
import itertools
import pkgutil
import re
from pathlib import Path

import pytest
from django.conf import settings

import projects_app.services
import sessions_app.services
from ambient.common import hints
from projects_app.services.api_keys import api_key_revoke
from projects_app.services.credentials import credential_create
from sessions_app import status
from sessions_app.services.sessions import session_create
from tests.integration.services import cases_projects, cases_sessions
from tests.integration.services.faults import (
    Statements,
    changed_since,
    failing_commit,
    is_faulted,
    snapshot,
)

TABLES = {projects_app.services: cases_projects, sessions_app.services: cases_sessions}
CASES = [entry for table in TABLES.values() for entry in table.CASES]


@pytest.fixture
def sent(monkeypatch):
    """Hints to other processes; a write that did not happen sends none."""
    found = []
    monkeypatch.setattr(hints, "publish", lambda *hint: found.append(hint))
    return found


@pytest.fixture
def check_atomic(sent, monkeypatch):
    """Call a service with a fault at each place in turn, and once without."""

    def check(service, arguments):
        before = snapshot()
        sent.clear()

        def call():
            service(**copy.deepcopy(arguments))  # a service may set fields of what it was given

        def fails(statements):
            faulted = is_faulted(call, statements)
            if faulted:
                assert (changed_since(before), sent) == ({}, []), statements.place
            return faulted

        with failing_commit(monkeypatch):
            assert fails(Statements()), "the service opens no transaction"
        for number in itertools.count(1):
            statements = Statements(number)
            if not fails(statements):
                break
            if not statements.texts[-1].startswith("SELECT"):  # after reading all is as it was before it
                assert fails(Statements(number, after=True))
        assert len(statements.texts) == number - 1, "the service went on after a fault"
        assert changed_since(before), "the service wrote nothing: its row proves nothing"

    return check


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("service", "prepare"), CASES)
def test_a_fault_leaves_nothing_behind(service, prepare, check_atomic, settings):
    settings.SERVICE_ACCOUNT = "controller"
    check_atomic(service, prepare())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("service", [api_key_revoke, credential_create, session_create])
def test_without_its_transaction_a_service_leaves_something_behind(service, check_atomic):
    """That the test above can fail."""
    prepare = next(entry.values[1] for entry in CASES if entry.values[0] is service)
    with pytest.raises(AssertionError):
        check_atomic(service.__wrapped__, prepare())


def functions_of(package):
    """`<module>.<name>` -> function: all public ones of an app's services, and of the writer of status."""
    names = [f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(name) for name in names]
    if package is sessions_app.services:
        modules.append(status)
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


@pytest.mark.parametrize("package", TABLES)
def test_every_service_has_a_row(package):
    """A new public function is a service with a row above, or is listed with why it needs none."""
    table, functions = TABLES[package], functions_of(package)
    tried = {entry.values[0] for entry in table.CASES}
    without = {name for name, function in functions.items() if function not in tried}
    assert without == table.READS.keys() | table.PARTS
    assert not table.READS.keys() & table.PARTS
    opens = {name for name in without if hasattr(functions[name], "__wrapped__")}
    assert not opens, "what opens a transaction of its own needs a row"


@pytest.mark.parametrize("package", TABLES)
def test_parts_of_services_are_called_by_services_alone(package):
    names = "|".join(name.partition(".")[2] for name in TABLES[package].PARTS)
    callers = {
        path.relative_to(settings.BASE_DIR)
        for app in ("ambient", "projects_app", "sessions_app", "reconciler")
        for path in Path(settings.BASE_DIR, app).rglob("*.py")
        if re.search(rf"\b({names})\(", path.read_text())
    }
    assert {path for path in callers if path.parent.name != "services"} <= {Path("sessions_app/status.py")}
