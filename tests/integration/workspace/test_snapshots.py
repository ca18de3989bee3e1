"""Saving and restoring over REST, with uploads to a real S3 server."""

import datetime
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.utils import timezone

from ambient import env
from ambient.common import hints, shared_metrics
from ambient.common.exceptions import Conflict
from reconciler import doctor
from sessions_app import snapshot_store
from sessions_app.metrics import NOT_SAVED
from sessions_app.models import Session, WorkspaceSnapshot
from sessions_app.services.sessions import session_delete, session_stop
from sessions_app.services.snapshots import KEPT, snapshot_complete, snapshots_unwanted
from sessions_app.tasks import tidy_snapshots
from tests.factories import SessionFactory
from tests.integration.api.test_wire import check_error
from tests.integration.workspace.conftest import client_of
from tests.s3 import SECRET_KEY

pytestmark = pytest.mark.timeout(300)  # the first to run also waits for the S3 server

DATA = b"archive" * 1000


def path(session, *parts):
    return "/".join([f"/sessions/{session.pk}/workspace-snapshot", *parts])


def begin(client, session, data=DATA, **changes):
    body = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} | changes
    return client.call("post", path(session), body)


def upload(begun, data=DATA, **headers):
    sent = begun["headers"] | {"Content-Length": str(len(data))} | headers
    return httpx.put(begun["url"], content=data, headers=sent, trust_env=False)


def complete(client, session, begun):
    return client.call("post", path(session, begun["id"], "complete"))


def latest(client, session):
    return client.call("get", path(session)).json()["snapshot"]


def save(client, session, data=DATA):
    begun = begin(client, session, data).json()
    assert upload(begun, data).status_code == 200
    assert complete(client, session, begun).status_code == 200
    return begun["id"]


def condition(session):
    session.refresh_from_db()
    found = {entry["type"]: entry for entry in json.loads(session.conditions or "[]")}
    return found.get("WorkspaceReady")


def test_what_was_saved_is_given_back(saving, runner, running):
    assert latest(runner, running) is None
    saved = save(runner, running)
    found = latest(runner, running)
    assert (found["id"], found["size"]) == (saved, len(DATA))
    assert httpx.get(found["url"], trust_env=False).content == DATA
    [key] = saving.keys()
    assert key == f"ambient/{running.project_id}/{running.pk}/{saved}.tar.gz"


def test_an_address_is_for_one_object_and_some_minutes_and_holds_no_key(saving, runner, running):
    answer = begin(runner, running)
    assert answer.headers["Cache-Control"] == "no-store"
    begun = answer.json()
    query = parse_qs(urlsplit(begun["url"]).query)
    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]
    assert urlsplit(begun["url"]).path.endswith(f"/{running.pk}/{begun['id']}.tar.gz")
    assert SECRET_KEY not in answer.content.decode()
    address = snapshot_store.address_to_get("k")
    assert "Signature" not in repr(address)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(None, id="nothing"),
        pytest.param(DATA[:-1], id="half-of-it"),
    ],
)
def test_an_upload_that_is_not_whole_replaces_nothing(saving, runner, running, sent):
    first = save(runner, running, b"before")
    begun = begin(runner, running).json()
    if sent is not None:
        upload(begun, sent)
    answer = complete(runner, running, begun)
    check_error(answer, 409, "6")
    assert latest(runner, running)["id"] == first


def test_another_sum_in_the_bucket_replaces_nothing(saving, runner, running):
    """Most servers refuse such an upload by its signed sum; this one takes it."""
    begun = begin(runner, running).json()
    with pytest.raises(Conflict, match="not the one that was announced"):
        snapshot_complete(
            session_id=running.pk,
            attempt=1,
            snapshot_id=begun["id"],
            stored_size=len(DATA),
            stored_sha256="0" * 64,
        )
    assert latest(runner, running) is None


def test_completing_again_changes_nothing(saving, runner, running):
    begun = begin(runner, running).json()
    upload(begun)
    assert complete(runner, running, begun).json() == complete(runner, running, begun).json()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"size": 0}, id="empty"),
        pytest.param({"size": True}, id="size-is-no-number"),
        pytest.param({"size": 2**60}, id="size-is-absurd"),
        pytest.param({"size": env.SNAPSHOT_MAX_BYTES + 1}, id="over-the-limit"),
        pytest.param({"sha256": "A" * 64}, id="capital-hexadecimals"),
        pytest.param({"sha256": "a" * 63}, id="short-sum"),
        pytest.param({"sha256": None}, id="no-sum"),
    ],
)
def test_what_cannot_be_saved_is_refused(saving, runner, running, changes):
    answer = begin(runner, running, **changes)
    check_error(answer, 400, "8")
    assert not WorkspaceSnapshot.objects.exists()


def stop(session):
    session_stop(session=session)


def final(session):
    Session.objects.filter(pk=session.pk).update(phase="Completed")


def start_again(session):
    Session.objects.filter(pk=session.pk).update(generation=9)


@pytest.mark.parametrize("end", [stop, final, start_again])
def test_a_runner_that_ends_still_saves_and_does_nothing_else(saving, runner, running, end):
    end(running)
    saved = save(runner, running)
    assert latest(runner, running)["id"] == saved
    assert runner.call("get", f"/sessions/{running.pk}").status_code == 401


def delete(session):
    session_delete(session=session)


def replaced(session):
    Session.objects.filter(pk=session.pk).update(attempt=2)


@pytest.mark.parametrize("end", [delete, replaced])
def test_a_runner_whose_files_nobody_wants_saves_nothing(saving, runner, running, end):
    begun = begin(runner, running).json()
    upload(begun)
    end(running)
    assert complete(runner, running, begun).status_code == 401
    assert begin(runner, running).status_code == 401


def test_the_next_attempt_gets_what_the_one_before_saved(saving, runner, running):
    saved = save(runner, running)
    Session.objects.filter(pk=running.pk).update(attempt=2)
    running.refresh_from_db()
    assert latest(client_of(running), running)["id"] == saved


def test_another_sessions_snapshot_is_not_there(saving, runner, running, project):
    other = SessionFactory(project=project, phase="Running", attempt=1)
    theirs = begin(client_of(other), other).json()
    assert complete(runner, running, theirs).status_code == 404
    assert runner.call("get", path(other)).status_code == 404
    assert begin(runner, other).status_code == 404


def not_saved():
    """How often the platform has counted it."""
    [name] = NOT_SAVED.increments()
    return float(hints.client().hget(shared_metrics.KEY, name) or 0)


def test_a_failure_is_a_condition_until_the_next_save(
    saving, runner, running, django_capture_on_commit_callbacks
):
    sent = {"message": "The bucket did not take the files: it answered 503."}
    before = not_saved()
    with django_capture_on_commit_callbacks(execute=True):
        assert runner.call("post", path(running, "failed"), sent).status_code == 204
    assert not_saved() == before + 1
    found = condition(running)
    assert (found["status"], found["reason"]) == ("False", "WorkspaceNotSaved")
    assert found["message"] == f"{sent['message']} They were never saved."
    save(runner, running)
    assert condition(running)["status"] == "True"
    runner.call("post", path(running, "failed"), sent)
    assert "They were last saved at 20" in condition(running)["message"]


@pytest.mark.parametrize("message", [None, "", "\0", 5, "x" * 10_001])
def test_a_failure_needs_words(saving, runner, running, message):
    assert runner.call("post", path(running, "failed"), {"message": message}).status_code == 400


def test_without_the_setting_nothing_is_saved(runner, running):
    assert begin(runner, running).status_code == 409


def test_a_bucket_that_is_away_is_said(saving, runner, running, monkeypatch):
    begun = begin(runner, running).json()
    upload(begun)
    monkeypatch.setattr(env, "S3_ENDPOINT", "http://127.0.0.1:1")
    snapshot_store._client.cache_clear()
    answer = complete(runner, running, begun)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def age(**seconds):
    past = timezone.now() - datetime.timedelta(**seconds)
    WorkspaceSnapshot.objects.update(created_at=past)


def test_only_the_newest_are_kept(saving, runner, running):
    saved = [save(runner, running, bytes([number])) for number in range(1, KEPT + 3)]
    tidy_snapshots()
    assert len(saving.keys()) == len(saved), "an address is still good"
    age(minutes=10)
    tidy_snapshots()
    kept = {pk for pk in saved if any(pk in key for key in saving.keys())}
    assert kept == set(saved[-KEPT:]) == set(WorkspaceSnapshot.objects.values_list("pk", flat=True))


def test_with_the_session_its_files_go(saving, runner, running, project):
    other = SessionFactory(project=project, phase="Running", attempt=1)
    save(runner, running)
    kept = save(client_of(other), other)
    session_delete(session=running)
    age(minutes=10)
    tidy_snapshots()
    [key] = saving.keys()
    assert kept in key


def test_what_was_begun_and_never_completed_goes(saving, runner, running):
    upload(begin(runner, running).json())
    age(minutes=10)
    assert not snapshots_unwanted().exists()
    age(hours=2)
    tidy_snapshots()
    assert (saving.keys(), WorkspaceSnapshot.objects.count()) == ([], 0)


def test_a_row_stays_as_long_as_its_object(saving, runner, running, monkeypatch):
    save(runner, running)
    session_delete(session=running)
    age(hours=2)
    monkeypatch.setattr(env, "S3_ENDPOINT", "http://127.0.0.1:1")
    snapshot_store._client.cache_clear()
    tidy_snapshots()
    assert WorkspaceSnapshot.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        pytest.param({}, "ok", "answers", id="well"),
        pytest.param({"S3_BUCKET": "nowhere"}, "failed", "there is no bucket nowhere", id="no-bucket"),
        pytest.param({"S3_ENDPOINT": "http://127.0.0.1:9"}, "failed", "EndpointConnection", id="away"),
    ],
)
def test_the_doctor_tells_whether_files_can_be_saved(saving, monkeypatch, changes, state, said):
    for name, value in changes.items():
        monkeypatch.setattr(env, name, value)
    snapshot_store._client.cache_clear()
    [found] = doctor._bucket()
    assert (found.name, found.state, said in found.text) == ("bucket", state, True), found
    assert SECRET_KEY not in str(found)


def test_without_a_bucket_the_doctor_looks_for_none(monkeypatch):
    monkeypatch.setattr(env, "WORKSPACE", "emptydir")
    assert list(doctor._bucket()) == []
