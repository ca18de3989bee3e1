"""The queue of keys on a real PostgreSQL: who gets a key, when, and who may write."""

import threading

import pytest
from django.db import connection, connections

from reconciler import workqueue
from reconciler.errors import ClaimLost
from reconciler.models import WorkItem
from reconciler.workqueue import ask, check_claim, claim_next, ensure, finish, release, renew, seen


@pytest.fixture
def queue(db):
    WorkItem.objects.all().delete()


def item(key: str) -> WorkItem:
    return WorkItem.objects.get(kind="session", key=key)


def seconds_until_due(key: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM reconciler_workitem WHERE key = %s",
            [key],
        )
        return float(cursor.fetchone()[0])


def let_the_lock_run_out(key: str) -> None:
    WorkItem.objects.filter(key=key).update(
        locked_until="2000-01-01T00:00:00Z", due_at="2000-01-01T00:00:00Z"
    )


def test_asking_twice_is_one_item_with_a_higher_version(queue):
    ask("session", "a", "p")
    ask("session", "a", "p")
    assert item("a").version == 2
    assert claim_next().version == 2
    assert claim_next() is None


def test_a_claim_writes_its_back_off_first(queue):
    ask("session", "a")
    claim = claim_next()
    assert claim.attempts == 1
    assert 0.5 < seconds_until_due("a") <= 1.3


@pytest.mark.parametrize(("attempts", "least"), [(0, 1), (1, 2), (4, 16), (30, 300)])
def test_the_back_off_doubles_up_to_five_minutes(queue, attempts, least):
    ask("session", "a")
    WorkItem.objects.update(attempts=attempts)
    claim_next()
    assert least - 1 <= seconds_until_due("a") <= least * 1.2


def test_a_failure_leaves_the_back_off_and_a_sighting_does_not_shorten_it(queue):
    ask("session", "a")
    WorkItem.objects.update(attempts=5)
    release(claim_next(), error="Boom")
    assert item("a").last_error == "Boom"
    assert item("a").token is None
    seen("session", "a")
    assert seconds_until_due("a") > 20
    assert claim_next() is None


def test_a_wish_ends_a_back_off(queue):
    ask("session", "a")
    WorkItem.objects.update(attempts=5)
    release(claim_next(), error="Boom")
    ask("session", "a")
    assert claim_next().attempts == 1


def test_an_error_may_name_its_delay(queue):
    ask("session", "a")
    WorkItem.objects.update(attempts=8)
    release(claim_next(), error="Away", delay=5.0)
    assert 3 < seconds_until_due("a") <= 5


def test_what_was_put_off_again_and_again_is_looked_at_as_soon_as_a_pass_ends_well(queue):
    ask("session", "a")
    for _ in range(9):
        release(claim_next(), error="Quota", delay=0.0)
    claim = claim_next()
    seen("session", "a")
    assert not finish(claim, 5.0)
    assert seconds_until_due("a") <= 0
    assert claim_next().attempts == 1


def test_a_sighting_in_a_pass_does_not_take_away_the_delay_of_its_error(queue):
    ask("session", "a")
    WorkItem.objects.update(attempts=8)
    claim = claim_next()
    seen("session", "a")
    release(claim, error="Away", delay=5.0)
    assert 3 < seconds_until_due("a") <= 5


def test_a_wish_in_a_pass_that_is_put_off_is_due_at_once(queue):
    ask("session", "a")
    claim = claim_next()
    ask("session", "a")
    release(claim, error="Away", delay=60.0)
    assert claim_next().key == "a"


def test_a_pass_that_fails_between_put_off_ones_still_backs_off(queue):
    ask("session", "a")
    release(claim_next(), error="Away", delay=0.0)
    release(claim_next(), error="Boom")
    assert seconds_until_due("a") > 1
    seen("session", "a")
    assert claim_next() is None


def test_a_sighting_brings_a_deadline_forward(queue):
    ask("session", "a")
    assert finish(claim_next(), 3600.0)
    assert seconds_until_due("a") > 3000
    seen("session", "a")
    assert claim_next().key == "a"


def test_finish_forgets_the_key(queue):
    ask("session", "a")
    assert finish(claim_next(), None)
    assert not WorkItem.objects.exists()


@pytest.mark.parametrize("again", [None, 60.0])
def test_a_wish_during_a_pass_leads_to_another(queue, again):
    ask("session", "a")
    claim = claim_next()
    ask("session", "a", urgent=True)
    assert not finish(claim, again)
    following = claim_next()
    assert following.version == claim.version + 1


def test_a_poison_key_backs_off_although_nobody_gave_it_back(queue):
    ask("session", "a")
    waits = []
    for _ in range(4):
        claim_next()
        waits.append(seconds_until_due("a"))
        let_the_lock_run_out("a")
    assert waits == sorted(waits)
    assert waits[-1] > 6


def test_a_late_worker_is_refused_everything(queue):
    ask("session", "a")
    late = claim_next()
    let_the_lock_run_out("a")
    current = claim_next()
    assert current.token > late.token
    assert not renew(late)
    assert not finish(late, None)
    release(late, error="late")
    with pytest.raises(ClaimLost):
        check_claim(late)
    check_claim(current)
    assert item("a").last_error is None
    assert finish(current, None)


def test_stops_come_first_then_whose_project_is_least_at_work_then_the_oldest(queue):
    for number in range(5):
        ask("session", f"big{number}", "big")
    claim_next()
    claim_next()  # two of the big project are at work
    ask("session", "small", "small")
    ask("session", "stop", "big", urgent=True)
    assert [claim_next().key for _ in range(3)] == ["stop", "small", "big2"]


def test_five_thousand_creates_do_not_delay_the_stop_of_another_project(queue):
    WorkItem.objects.bulk_create(
        WorkItem(kind="session", key=f"n{number}", project="big", due_at="2000-01-01T00:00:00Z")
        for number in range(5000)
    )
    ask("session", "other", "small", urgent=True)
    assert claim_next().key == "other"


def test_ensure_leaves_an_item_as_it_is(queue):
    ensure("resync", "all")
    assert finish(claim_next(), 30.0)
    ensure("resync", "all")
    assert claim_next() is None


@pytest.mark.django_db(transaction=True)
def test_many_workers_share_keys_without_a_double():
    WorkItem.objects.all().delete()
    keys = {f"k{number}" for number in range(60)}
    for key in keys:
        ask("session", key, key[-1])
    taken: list[str] = []
    together = threading.Barrier(6)

    def worker() -> None:
        together.wait()
        while claim := claim_next():
            taken.append(claim.key)
        connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(keys)


@pytest.mark.django_db(transaction=True)
def test_a_long_pass_keeps_its_claim(monkeypatch):
    from tests.integration.reconciler.conftest import eventually

    monkeypatch.setattr(workqueue, "RENEW_EVERY_SECONDS", 0.2)
    WorkItem.objects.all().delete()
    ask("session", "a")
    claim = claim_next()
    first = item("a").locked_until
    with claim.renewing():
        eventually(lambda: item("a").locked_until > first, "a renewal")
    monkeypatch.setattr(workqueue, "RENEW_AT_MOST_SECONDS", -1.0)
    eventually(lambda: workqueue._renewer._thread is None, "the thread's end")
