"""Database triggers: kept counters, and work that follows from a wish and from a free place."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from projects_app.models import Project, RowCount
from reconciler.models import WorkItem
from sessions_app.choices import Phase
from sessions_app.models import Session


def counted(kind: str) -> dict[str, int]:
    return {row.project: row.rows for row in RowCount.objects.filter(kind=kind) if row.rows}


def real() -> dict[str, int]:
    totals: dict[str, int] = {}
    for project in Session.objects.live().values_list("project_id", flat=True):
        totals[project] = totals.get(project, 0) + 1
    return totals


def make(count: int, project: Project) -> list[Session]:
    return Session.objects.bulk_create([Session(name=f"s{n}", project=project) for n in range(count)])


@pytest.mark.parametrize("seed", range(5))
def test_counters_equal_the_rows_after_any_history(db, seed) -> None:
    chance = random.Random(seed)
    projects = [Project.objects.create(id=f"tenant-{n}") for n in range(3)]
    for _ in range(40):
        step = chance.randrange(5)
        some = Session.objects.filter(project=chance.choice(projects))
        if step == 0:
            make(chance.randrange(1, 6), chance.choice(projects))
        elif step == 1:
            some.filter(pk__in=some.values_list("pk")[:2]).update(
                desired_state="deleted", deleted_at=timezone.now()
            )
        elif step == 2:
            some.update(deleted_at=None)
        elif step == 3:
            some.update(project=chance.choice(projects))
        else:
            with connection.cursor() as cursor:
                cursor.execute(
                    "DELETE FROM sessions_app_session "
                    "WHERE id IN (SELECT id FROM sessions_app_session LIMIT 1)"
                )
        assert counted("session") == real()
    assert counted("project") == {project.pk: 1 for project in projects}


def test_a_wish_resets_the_back_off_and_a_sighting_does_not(made) -> None:
    later = timezone.now() + timedelta(minutes=5)
    item = WorkItem.objects.filter(kind="session", key=made.pk)
    item.update(attempts=3, due_at=later)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ambient_seen('session', %s, 'tenant')", [made.pk])
    assert item.get().due_at == later
    item.update(attempts=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ambient_seen('session', %s, 'tenant')", [made.pk])
    assert item.get().due_at < later
    item.update(attempts=3, due_at=later)
    Session.objects.filter(pk=made.pk).update(generation=2)
    assert (item.get().attempts, item.get().due_at < later) == (0, True)


def test_a_free_place_wakes_who_has_waited_longest(tenant) -> None:
    placed, second, first = make(3, tenant)
    now = timezone.now()
    Session.objects.filter(pk=placed.pk).update(phase=Phase.RUNNING, placed_at=now)
    Session.objects.filter(pk=first.pk).update(phase=Phase.PENDING, phase_since=now)
    Session.objects.filter(pk=second.pk).update(phase=Phase.PENDING, phase_since=now + timedelta(seconds=1))
    WorkItem.objects.all().delete()
    Session.objects.filter(pk=placed.pk).update(placed_at=None)
    assert list(WorkItem.objects.values_list("key", flat=True)) == [first.pk]


def test_a_deleted_project_is_urgent_work(tenant) -> None:
    WorkItem.objects.all().delete()
    Project.objects.filter(pk=tenant.pk).update(deleted_at=timezone.now())
    assert WorkItem.objects.get().urgent
