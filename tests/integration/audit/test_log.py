"""The log itself: nothing is changed in it, and only `prune_audit` takes the oldest entries away."""

import datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from projects_app.models import AuditEntry
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE projects_app_auditentry SET actor = 'nobody'", id="update"),
        pytest.param("UPDATE projects_app_auditentry SET actor = 'x' WHERE id = 0", id="update-of-nothing"),
        pytest.param("DELETE FROM projects_app_auditentry", id="delete"),
        pytest.param("TRUNCATE projects_app_auditentry", id="truncate"),
        pytest.param("TRUNCATE auth_group, projects_app_auditentry CASCADE", id="truncate-among-others"),
        pytest.param(
            "INSERT INTO projects_app_auditentry SELECT * FROM projects_app_auditentry "
            "ON CONFLICT (id) DO UPDATE SET actor = 'x'",
            id="upsert",
        ),
    ],
)
def test_the_database_refuses(statement):
    ProjectFactory(id="demo")
    before = list(AuditEntry.objects.values())
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement)
    assert list(AuditEntry.objects.values()) == before
    assert before


def test_the_orm_is_refused_too():
    ProjectFactory(id="demo")
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        AuditEntry.objects.all().delete()


def aged(days: int, count: int) -> None:
    at = timezone.now() - datetime.timedelta(days=days)
    AuditEntry.objects.bulk_create(
        AuditEntry(created_at=at, kind="Project", object_id="old", action="update", via="cookie", process="p")
        for _ in range(count)
    )


def test_pruning_takes_the_old_ones_and_says_so(capsys):
    aged(40, 3)
    aged(10, 2)
    call_command("prune_audit", "--older-than", "30", "--dry-run")
    assert AuditEntry.objects.filter(object_id="old").count() == 5
    call_command("prune_audit", "--older-than", "30")
    assert AuditEntry.objects.filter(object_id="old").count() == 2
    said = AuditEntry.objects.get(action="prune")
    assert (said.kind, said.after["entries"]) == ("AuditEntry", 3)
    assert capsys.readouterr().out == "3 entries are older\n3 entries deleted\n"
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        AuditEntry.objects.all().delete()  # the door is closed again


def test_pruning_of_nothing_says_nothing():
    call_command("prune_audit", "--older-than", "30")
    assert not AuditEntry.objects.filter(action="prune").exists()


@pytest.mark.parametrize("days", ["0", "-1", "x", ""])
def test_a_wrong_age_is_refused(days):
    with pytest.raises(CommandError):
        call_command("prune_audit", "--older-than", days)
