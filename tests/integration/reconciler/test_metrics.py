"""What /metrics of real servers shows is the table of docs/metrics.md, in both directions."""

import urllib.request

import pytest
from django.db import OperationalError
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from ambient.common import hints, shared_metrics
from ambient.common.shared_metrics import KEY, Histogram, SharedCollector, count
from projects_app.models import Project
from reconciler import metrics, overview
from reconciler.kubernetes import health
from reconciler.state import Plan
from reconciler.workqueue import ask
from sessions_app.choices import Phase, Reason, RunState
from sessions_app.models import Run, Session
from tests.integration.reconciler.conftest import eventually
from tests.metrics_table import documented

SERVERS = {"api": "AMBIENT_API_PORT", "control-plane": "AMBIENT_CONTROL_PLANE_PORT"}
STEPS = {"placed", "applied", "started", "ready"}


@pytest.fixture
def fresh_counters():
    hints.client().delete(KEY)
    yield
    hints.client().delete(KEY)


@pytest.fixture
def shown():
    """Values by (name, labels), as a registry with our collectors shows them."""

    def read(*collectors):
        registry = CollectorRegistry()
        for collector in collectors:
            registry.register(collector)
        return registry.get_sample_value

    return read


def scrape(port: int) -> dict[str, tuple[str, list]]:
    """Type and samples by the name of the table."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        if name.startswith("ambient_"):
            found[name] = (family.type, family.samples)
    return found


def answers(port: int) -> bool:
    try:
        return bool(scrape(port))
    except OSError:
        return False


@pytest.mark.django_db(transaction=True)
def test_servers_export_exactly_what_the_table_says(
    processes, make_session, fresh_counters, unused_tcp_port_factory
):
    ports = {process: unused_tcp_port_factory() for process in SERVERS}
    variables = {SERVERS[process]: str(port) for process, port in ports.items()}
    for process in SERVERS:
        processes.start("serve", process, **variables)
    for command in ("worker", "watcher", "runner_host"):
        processes.start(command, **variables)
    for port in ports.values():
        eventually(lambda port=port: answers(port), "serving")
    session = make_session()
    eventually(lambda: session.refresh_from_db() or session.phase == Phase.RUNNING, "running")

    table = documented()
    for process, port in ports.items():
        eventually(lambda port=port: scrape(port)["ambient_session_start_seconds"][1], "a counted start")
        found = scrape(port)
        wanted = {n for n, row in table.items() if process == "control-plane" or row.scope != "control plane"}
        assert set(found) == wanted
        for name, (type_, samples) in found.items():
            assert type_ == table[name].type, name
            for sample in samples:
                assert set(sample.labels) - {"le"} == table[name].labels, name
        values = {(s.name, *sorted(s.labels.values())): s.value for _, many in found.values() for s in many}
        assert values["ambient_session_start_seconds_count",] == 1
        for step in STEPS:
            assert values["ambient_session_start_step_seconds_count", step] == 1
        assert ("ambient_sessions", "Running") in values
        assert values["ambient_passes_total", "done", "session"] >= 1
        assert values["ambient_http_requests_total", "/metrics", "2xx", "GET"] >= 1


def test_counters_of_all_processes_add_up(fresh_counters, shown):
    registry_of = SharedCollector()
    count(metrics.PASSES.increments("session", "done"), metrics.PASSES.increments("session", "done"))
    count(metrics.PASSES.increments("session", "error"))
    value = shown(registry_of)
    assert value("ambient_passes_total", {"kind": "session", "outcome": "done"}) == 2
    assert value("ambient_passes_total", {"kind": "session", "outcome": "error"}) == 1
    assert value("ambient_passes_total", {"kind": "project", "outcome": "lost"}) == 0
    assert value("ambient_session_failures_total", {"reason": "StartDeadline"}) == 0


@pytest.mark.parametrize(
    ("seconds", "buckets"),
    [
        pytest.param(0.0, [1, 1, 1], id="in-the-first"),
        pytest.param(1.0, [1, 1, 1], id="on-a-bound"),
        pytest.param(1.5, [0, 1, 1], id="between"),
        pytest.param(9.0, [0, 0, 1], id="beyond-the-last"),
    ],
)
def test_a_bucket_holds_what_is_below_it(seconds, buckets, monkeypatch):
    monkeypatch.setattr(shared_metrics, "_declared", {})
    histogram = Histogram("h", "Help.", ["step"], (1.0, 2.0))
    parts = histogram.increments(seconds, "a")
    family = histogram.family({tuple(name.split("|")[1:]): amount for name, amount in parts.items()})
    assert [s.value for s in family.samples if s.name == "h_bucket"] == buckets
    assert [s.value for s in family.samples if s.name == "h_sum"] == [seconds]


def test_what_another_release_counts_is_left_alone(fresh_counters, shown):
    count({"ambient_of_tomorrow_total|count|x": 1})
    assert shown(SharedCollector())("ambient_of_tomorrow_total", {"x": "x"}) is None


def test_redis_away_costs_the_count_and_nothing_else(monkeypatch):
    import redis

    monkeypatch.setattr(hints, "client", lambda: redis.Redis(port=1, socket_connect_timeout=0.5))
    count(metrics.PASSES.increments("session", "done"))
    assert list(SharedCollector().collect()) == []


@pytest.mark.django_db
def test_sessions_are_counted_by_phase_and_reason_once_in_a_while(make_session, shown, monkeypatch):
    made = [make_session() for _ in range(3)]
    rows = Session.objects.filter(pk__in=[session.pk for session in made[:2]])
    rows.update(phase=Phase.FAILED, reason=Reason.START_DEADLINE, phase_since="2000-01-01T00:00:00Z")
    collector = metrics.PlatformCollector()
    value = shown(collector)
    assert value("ambient_sessions", {"phase": "Failed"}) == 2
    assert value("ambient_sessions", {"phase": "New"}) == 1
    assert value("ambient_sessions", {"phase": "Running"}) == 0
    assert value("ambient_sessions_failed", {"reason": "StartDeadline"}) == 0
    rows.delete()
    assert value("ambient_sessions", {"phase": "Failed"}) == 2  # kept for some seconds
    monkeypatch.setattr(metrics, "SESSIONS_KEPT_SECONDS", -1.0)
    assert value("ambient_sessions", {"phase": "Failed"}) == 0


@pytest.mark.parametrize(
    ("found", "shown_as"),
    [
        pytest.param(overview.Count("Failed", 7), 7, id="counted"),
        pytest.param(overview.Count("Failed", 10_001), 10_001, id="beyond-the-bound-without-statistics"),
        pytest.param(overview.Count("Failed", 10_001, 250_000), 250_000, id="estimated"),
    ],
)
def test_many_sessions_are_estimated(found, shown_as):
    assert metrics._number(found) == shown_as


@pytest.mark.django_db
def test_late_compaction_shows(project: Project, make_session, shown):
    session = make_session()
    ended = {"state": RunState.FINISHED, "first_seq": 1, "last_seq": 2, "finished_at": "2000-01-01T00:00:00Z"}
    run = Run.objects.create(id="r", session=session, number=1, trigger="message", **ended)
    ask("session", session.pk)
    value = shown(metrics.PlatformCollector())
    assert value("ambient_compaction_behind_seconds") > 10**8
    Run.objects.filter(pk=run.pk).update(compacted_at="2000-01-02T00:00:00Z")
    assert value("ambient_compaction_behind_seconds") == 0
    assert value("ambient_work_due") >= 1


@pytest.mark.django_db
def test_the_help_of_every_platform_metric_says_that_it_is_no_sum(fresh_counters):
    families = [*SharedCollector().collect(), *metrics.PlatformCollector().collect()]
    names = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert names == {name for name, row in documented().items() if row.scope == "platform"}
    assert all(shared_metrics.ANY_SHOWS_ALL in family.documentation for family in families)


def test_a_cluster_that_was_never_heard_of_is_silent_since_somebody_listens(monkeypatch):
    hints.client().delete(health.HEARD_KEY)
    assert health.silent_seconds() == 0
    monkeypatch.setattr(health.time, "time", lambda: 1000.0)
    health.note_heard(first=True)
    monkeypatch.setattr(health.time, "time", lambda: 1300.0)
    health.note_heard(first=True)
    assert health.silent_seconds() == 300
    health.note_heard()
    assert health.silent_seconds() == 0
    hints.client().delete(health.HEARD_KEY)


def test_a_database_that_is_away_ends_its_own_metrics_only(monkeypatch):
    asked = []

    def fail(*args, **kwargs):
        asked.append(args)
        raise OperationalError

    monkeypatch.setattr("reconciler.metrics.connection.cursor", fail)
    found = [family.name for family in metrics.PlatformCollector().collect()]
    assert found == ["ambient_queue_length", "ambient_cluster_silent_seconds"]
    assert len(asked) == 1  # not one wait a query


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "written", "counted"),
    [
        pytest.param(
            Phase.RUNNING, Plan(phase=Phase.PENDING, reason=Reason.RUNNER_EXITED), "restarts", id="a-restart"
        ),
        pytest.param(
            Phase.CREATING, Plan(phase=Phase.FAILED, reason=Reason.RUNNER_EXITED), "failures", id="a-failure"
        ),
        pytest.param(
            Phase.STOPPED, Plan(phase=Phase.PENDING, reason=Reason.WAITING), None, id="a-start-after-a-stop"
        ),
        pytest.param(Phase.RUNNING, Plan(), None, id="a-change-without-a-phase"),
        pytest.param(
            Phase.CREATING, Plan(phase=Phase.RUNNING, reason=Reason.READY), None, id="running-without-a-place"
        ),
    ],
)
def test_a_pass_counts_what_it_wrote_once_it_is_committed(
    make_session,
    claim_of,
    fresh_counters,
    shown,
    django_capture_on_commit_callbacks,
    before,
    written,
    counted,
):
    session = make_session()
    claim = claim_of("session", session.pk)
    with django_capture_on_commit_callbacks() as callbacks:
        metrics.count_written(claim, session, metrics.Before(before, None, None), written)
    value = shown(SharedCollector())

    def totals():
        labels = {"reason": "RunnerExited"}
        names = ("restarts", "failures")
        return {name: value(f"ambient_session_{name}_total", labels) for name in names}

    assert totals() == {"restarts": 0, "failures": 0}
    for callback in callbacks:
        callback()
    assert totals() == {"restarts": counted == "restarts", "failures": counted == "failures"}
