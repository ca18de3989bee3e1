"""The first page: counts, failures, what is stuck, streams; in a number of queries that does not grow."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reconciler import overview
from reconciler.models import WorkItem
from sessions_app.models import Session, SessionStream, StreamOwner
from sessions_app.services.sessions import session_create

HOUR = datetime.timedelta(hours=1)


def dashboard(client):
    response = client.get("/admin/")
    assert response.status_code == 200
    return response.context


def failed(tenant, reason, hours_ago, count=1):
    for _ in range(count):
        made = session_create(actor="a", project=tenant, spec={"name": "x"})
        since = timezone.now() - hours_ago * HOUR
        Session.objects.filter(pk=made.pk).update(phase="Failed", reason=reason, phase_since=since)


def test_counts_by_phase(boss, tenant):
    failed(tenant, "RunnerExited", 1, count=2)
    session_create(actor="a", project=tenant, spec={"name": "new"})
    counts = {count.name: str(count) for count in dashboard(boss)["phases"]}
    assert counts["Failed"] == "2"
    assert counts["New"] == "1"
    assert counts["Running"] == "0"


def test_failures_by_reason_the_recent_ones_first(boss, tenant):
    failed(tenant, "RunnerExited", 50, count=3)
    failed(tenant, "StartDeadline", 1, count=2)
    rows = [(f.reason, str(f.last_day), str(f.total)) for f in dashboard(boss)["failures"]]
    assert rows == [("StartDeadline", "2", "2"), ("RunnerExited", "0", "3")]


@pytest.mark.parametrize(
    ("counted", "estimate", "text"),
    [
        pytest.param(7, None, "7", id="counted"),
        pytest.param(10_000, None, "10,000", id="at-the-bound"),
        pytest.param(10_001, None, "more than 10,000", id="beyond-without-statistics"),
        pytest.param(10_001, 612_000, "about 612,000", id="beyond-with-statistics"),
        pytest.param(10_001, 3_000, "more than 10,000", id="old-statistics-are-not-believed"),
    ],
)
def test_how_a_count_is_said(counted, estimate, text):
    assert str(overview.Count("x", counted, estimate)) == text


def test_what_is_beyond_the_bound_is_estimated(boss, tenant, monkeypatch):
    monkeypatch.setattr(overview, "BOUND", 2)
    failed(tenant, "RunnerExited", 1, count=5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sessions_app_session")
    (count,) = [count for count in dashboard(boss)["phases"] if count.name == "Failed"]
    assert count.counted == 3


@pytest.mark.parametrize(
    ("due", "attempts", "locked", "state"),
    [
        pytest.param(-60, 1, None, "overdue", id="overdue"),
        pytest.param(-1, 0, None, "due", id="just-due"),
        pytest.param(60, 4, None, "retrying", id="retrying"),
        pytest.param(-60, 4, 30, "being worked on", id="claimed"),
        pytest.param(60, 0, None, "waiting", id="waiting"),
    ],
)
def test_state_of_an_item(made, boss, due, attempts, locked, state):
    now = timezone.now()
    WorkItem.objects.filter(key=made.pk).update(
        due_at=now + datetime.timedelta(seconds=due),
        attempts=attempts,
        locked_until=now + datetime.timedelta(seconds=locked) if locked else None,
    )
    page = boss.get(f"/admin/reconciler/workitem/?q={made.pk}").content.decode()
    assert state in page.split("result_list")[-1]


def test_what_is_stuck_since_when_and_why(boss, made):
    WorkItem.objects.all().update(due_at=timezone.now() + HOUR)
    WorkItem.objects.filter(key=made.pk).update(
        due_at=timezone.now() - 2 * HOUR, attempts=9, last_error="ClusterUnreachable: no host"
    )
    context = dashboard(boss)
    assert [entry["item"].key for entry in context["due"]] == [made.pk]
    assert context["due"][0]["since"].startswith("2h")
    assert [entry["item"].last_error for entry in context["retrying"]] == ["ClusterUnreachable: no host"]
    assert made.pk in context["due"][0]["link"]


def test_streams_per_process(boss, made):
    now = timezone.now()
    for process, alive in (("busy", True), ("gone", False)):
        StreamOwner.objects.create(process=process, hostname="h", expires_at=now + (HOUR if alive else -HOUR))
    SessionStream.objects.filter(pk=made.pk).update(owner="busy")
    found = {entry.process: (entry.alive, str(entry.count)) for entry in dashboard(boss)["streams"]}
    assert found == {"busy": (True, "1"), "gone": (False, "0")}


@pytest.mark.parametrize(
    ("permission", "shown"),
    [
        pytest.param("sessions_app.view_session", {"phases", "failures"}, id="sessions"),
        pytest.param("reconciler.view_workitem", {"due", "retrying"}, id="work"),
        pytest.param("sessions_app.view_sessionstream", {"streams"}, id="streams"),
    ],
)
def test_each_part_by_its_permission(staff, made, permission, shown):
    context = dashboard(staff(permission))
    assert {name for name in ("phases", "failures", "due", "retrying", "streams") if name in context} == shown


def test_queries_do_not_grow(boss, tenant):
    def count():
        dashboard(boss)
        with CaptureQueriesContext(connection) as captured:
            dashboard(boss)
        return len(captured)

    before = count()
    failed(tenant, "RunnerExited", 1, count=4)
    failed(tenant, "Timeout", 1, count=4)
    StreamOwner.objects.create(process="p", hostname="h", expires_at=timezone.now() + HOUR)
    assert count() == before
    assert before <= 9  # the browser session, the user and the seven of the page
