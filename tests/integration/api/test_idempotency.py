"""`Idempotency-Key` on creates, ETags on single reads, gzip."""

import datetime
import gzip
import threading

import pytest
from django.db import connection

from ambient.common import idempotency
from ambient.common.renderers import dumps
from projects_app.models import IdempotentAnswer, Project, RoleBinding
from sessions_app.models import Session
from tests.factories import SessionFactory, UserFactory
from tests.integration.api.test_wire import check_error

KEY = {"Idempotency-Key": "k-1"}


@pytest.fixture
def owner(api_client, project, bind_role):
    bind_role("project:owner", project)
    return api_client


CREATES = [
    pytest.param("/projects", {"name": "boats"}, id="project"),
    pytest.param("/sessions", {"name": "s", "project_id": "demo", "prompt": "hi"}, id="session"),
    pytest.param("/projects/demo/agents", {"name": "lead"}, id="agent"),
]


@pytest.mark.parametrize(("path", "body"), CREATES)
def test_a_repeat_gets_the_same_answer_and_makes_nothing(owner, path, body):
    first = owner.call("post", path, body, **KEY)
    counts = [model.objects.count() for model in (Project, Session, RoleBinding)]
    again = owner.call("post", path, body, **KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert [model.objects.count() for model in (Project, Session, RoleBinding)] == counts


@pytest.mark.parametrize(("path", "body"), CREATES)
def test_another_body_under_the_key_is_a_conflict(owner, path, body):
    owner.call("post", path, body, **KEY)
    response = owner.call("post", path, body | {"labels": "{}"}, **KEY)
    check_error(response, 409, "6")
    assert response.json()["reason"] == "this Idempotency-Key was used for another request"


def test_the_header_that_fills_the_project_belongs_to_the_request(owner, bind_role):
    other = Project.objects.create(id="other")
    bind_role("project:owner", other)
    body = {"name": "s"}
    assert owner.call("post", "/sessions", body, **KEY, **{"X-Ambient-Project": "demo"}).status_code == 201
    response = owner.call("post", "/sessions", body, **KEY, **{"X-Ambient-Project": "other"})
    check_error(response, 409, "6")


def test_an_error_is_not_kept(owner):
    check_error(owner.call("post", "/projects", {"name": "Bad Name"}, **KEY), 400, "8")
    assert not IdempotentAnswer.objects.exists()
    assert owner.call("post", "/projects", {"name": "good"}, **KEY).status_code == 201


def test_a_key_on_another_route_is_another_key(owner):
    assert owner.call("post", "/projects", {"name": "one"}, **KEY).status_code == 201
    assert owner.call("post", "/projects/one/agents", {"name": "a"}, **KEY).status_code == 201


def test_a_clone_and_a_trigger_are_made_once(owner, session):
    clones = [owner.call("post", f"/sessions/{session.pk}/clone", None, **KEY) for _ in range(3)]
    assert [answer.status_code for answer in clones] == [201] * 3
    assert len({answer.json()["id"] for answer in clones}) == 1
    path = f"/projects/{session.project_id}/scheduled-sessions"
    schedule = owner.call("post", path, {"name": "n", "schedule": "0 3 * * *"}).json()
    started = [owner.call("post", f"{path}/{schedule['id']}/trigger", None, **KEY) for _ in range(3)]
    assert [answer.status_code for answer in started] == [200] * 3
    assert len({answer.json()["session_id"] for answer in started}) == 1


def test_every_answer_tells_clients_that_keys_are_honoured(owner, anonymous):
    assert owner.call("get", "/projects")["X-Ambient-Features"] == "idempotency"
    assert anonymous.call("get", "/projects")["X-Ambient-Features"] == "idempotency"


def test_another_callers_key_is_another_key(owner, client_for):
    stranger = client_for(UserFactory())
    assert owner.call("post", "/projects", {"name": "one"}, **KEY).status_code == 201
    assert stranger.call("post", "/projects", {"name": "two"}, **KEY).status_code == 201


@pytest.mark.parametrize("key", ["x" * 256, "a\tb"], ids=["too long", "not printable"])
def test_a_bad_key_is_refused(owner, key):
    response = owner.call("post", "/projects", {"name": "one"}, **{"Idempotency-Key": key})
    check_error(response, 400, "8")


def test_without_a_key_every_create_is_one(owner):
    body = {"name": "s", "project_id": "demo"}
    ids = {owner.call("post", "/sessions", body).json()["id"] for _ in range(2)}
    assert len(ids) == 2


def test_a_key_is_good_again_after_a_day(owner):
    owner.call("post", "/sessions", {"name": "s", "project_id": "demo"}, **KEY)
    old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=24, minutes=1)
    IdempotentAnswer.objects.update(created_at=old)
    assert owner.call("post", "/sessions", {"name": "t", "project_id": "demo"}, **KEY).json()["name"] == "t"


def test_old_keys_are_forgotten(owner):
    for number in range(3):
        headers = {"Idempotency-Key": f"k-{number}"}
        owner.call("post", "/sessions", {"name": "s", "project_id": "demo"}, **headers)
    old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=25)
    IdempotentAnswer.objects.exclude(key="k-2").update(created_at=old)
    assert idempotency.purge(lambda: True) == 2
    assert [record.key for record in IdempotentAnswer.objects.all()] == ["k-2"]


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_time_make_one(client_for, admin):
    client = client_for(admin)
    client.call("post", "/projects", {"name": "demo"})
    answers = []

    def create():
        answers.append(client.call("post", "/sessions", {"name": "s", "project_id": "demo"}, **KEY))
        connection.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Session.objects.count() == 1


# ETag


def test_who_has_it_already_gets_no_body(owner, session):
    first = owner.call("get", f"/sessions/{session.pk}")
    again = owner.call("get", f"/sessions/{session.pk}", **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    Session.objects.filter(pk=session.pk).update(name="changed")
    changed = owner.call("get", f"/sessions/{session.pk}", **{"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


@pytest.mark.parametrize("value", ["*", '"other"', "rubbish", ""])
def test_other_conditions_are_no_error(owner, session, value):
    response = owner.call("get", f"/sessions/{session.pk}", **{"If-None-Match": value})
    assert response.status_code == (304 if value == "*" else 200)


# gzip


def test_a_long_answer_is_compressed_for_who_asks(owner, project):
    for _ in range(5):
        SessionFactory(project=project)
    plain = owner.call("get", "/sessions")
    packed = owner.call("get", "/sessions", **{"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert set(packed["Vary"].split(", ")) == {"Authorization", "Accept-Encoding"}
    assert dumps(gzip.decompress(packed.content).decode()) == dumps(plain.content.decode())
    assert not plain.has_header("Content-Encoding")


@pytest.mark.parametrize("accepted", ["gzip;q=0", "gzip; q=0.000, *", "identity, gzip;Q=0"])
def test_a_weight_of_zero_refuses_gzip(owner, project, accepted):
    for _ in range(5):
        SessionFactory(project=project)
    assert not owner.call("get", "/sessions", **{"Accept-Encoding": accepted}).has_header("Content-Encoding")


def test_an_etag_holds_for_both_codings(owner, session):
    Session.objects.filter(pk=session.pk).update(prompt="x" * 5000)
    packed = owner.call("get", f"/sessions/{session.pk}", **{"Accept-Encoding": "gzip"})
    assert packed["ETag"].startswith("W/")
    again = owner.call("get", f"/sessions/{session.pk}", **{"If-None-Match": packed["ETag"]})
    assert again.status_code == 304
