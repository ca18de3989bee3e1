"""wait_for_migrations ends when the schema is there, whatever it met before."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.integration.reconciler.conftest import eventually


@pytest.fixture
def one_missing(transactional_db):
    """A schema without one migration's record, until the test gives it back."""
    executor = MigrationExecutor(connection)
    [latest] = executor.loader.graph.leaf_nodes("reconciler")
    executor.recorder.record_unapplied(*latest)
    yield lambda: executor.recorder.record_applied(*latest)
    if latest not in executor.recorder.applied_migrations():
        executor.recorder.record_applied(*latest)


def test_it_waits_for_the_last_migration(processes, one_missing):
    waiting = processes.start("wait_for_migrations")
    eventually(lambda: "migrations: 1 not applied" in processes.log_of(waiting), "it says for what")
    assert waiting.poll() is None
    one_missing()
    eventually(lambda: waiting.poll() is not None, "its end")
    assert waiting.returncode == 0


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_a_database_that_does_not_answer(processes):
    nowhere = "postgresql://ambient@127.0.0.1:1/ambient"
    waiting = processes.start("wait_for_migrations", DATABASE_URL=nowhere, DATABASE_DIRECT_URL=nowhere)
    eventually(lambda: "migrations: cannot be read" in processes.log_of(waiting), "it says for what")
    assert waiting.poll() is None
    waiting.terminate()
    eventually(lambda: waiting.poll() is not None, "it ends when told to")
