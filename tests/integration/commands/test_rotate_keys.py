"""rotate_keys brings every sealed value to the active key, while the platform reads and writes them."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from ambient.common import rotation
from ambient.common.encryption import seal
from ambient.common.sealed import require_known_keys, sealed_columns
from ambient.embedded.home import CHECKOUT
from ambient.setting_types import KeyBytes
from projects_app.models import Credential
from projects_app.services.credential_access import credential_token
from projects_app.services.credentials import credential_update
from reconciler import doctor
from reconciler.launch import runner_secret
from reconciler.models import WorkItem
from sessions_app.models import Session
from sessions_app.services.sessions import session_delete
from tests.factories import CredentialFactory, SessionFactory, UserFactory

OLD = "old-key-" + "a" * 32
RING = {version: KeyBytes(bytes([version]) * 32) for version in (1, 2, 3)}
TOKEN = "ghp_hunter2"


@pytest.fixture
def use(settings):
    """Set the keys: the versions there are, the active one, and whether the old key is there."""

    def change(*versions, active=0, old=True):
        settings.ENCRYPTION_KEYRING = {version: RING[version] for version in versions}
        settings.ENCRYPTION_KEY_VERSION = active
        settings.ENCRYPTION_KEYS = [OLD] if old else []

    change()
    return change


def credential(token=TOKEN):
    made = CredentialFactory()
    made.token_sealed = seal(token, context=made.token_context)
    made.save(update_fields=["token_sealed"])
    return made


def stored():
    """How many values of each key."""
    found = {}
    for column in sealed_columns():
        for key_id, count in column.counts().items():
            found[key_id] = found.get(key_id, 0) + count
    return found


def old_id():
    return next(iter(stored()))


def tokens(made):
    """What is read of these now."""
    rows = Credential.objects.in_bulk([entry.pk for entry in made])
    return [credential_token(credential=rows[entry.pk], reader="test").token for entry in made]


@pytest.mark.django_db
def test_values_of_the_key_without_a_version_move_to_the_keyring(run, use):
    made, session = [credential(f"{TOKEN}-{number}") for number in range(3)], SessionFactory()
    secret, id_before = runner_secret(session), old_id()
    use(1, active=1)
    assert tokens(made) == [f"{TOKEN}-{number}" for number in range(3)]
    code, out, err = run("rotate_keys")
    assert (code, err, stored()) == (0, "", {"v1": 4})
    assert out.splitlines() == [
        f"Credential.token_sealed of key {id_before}: 3 of 3 encrypted again",
        f"Session.runner_secret of key {id_before}: 1 of 1 encrypted again",
        "4 encrypted again; 0 not on the active key v1",
    ]
    use(1, active=1, old=False)
    session.refresh_from_db()
    assert (tokens(made), runner_secret(session)) == ([f"{TOKEN}-{n}" for n in range(3)], secret)


@pytest.mark.django_db
@pytest.mark.parametrize("soft_deleted", [False, True], ids=["live", "soft-deleted"])
def test_nothing_else_of_a_row_changes(run, use, soft_deleted):
    made, session = credential(), SessionFactory()
    if soft_deleted:
        session_delete(session=session)
    WorkItem.objects.all().delete()

    def rest():
        rows = [*Credential.objects.filter(pk=made.pk).values(), *Session.objects.values()]
        return [{k: v for k, v in row.items() if k not in ("token_sealed", "runner_secret")} for row in rows]

    def records():
        models = (m for m in apps.get_models() if m.__name__.endswith("History") or m is WorkItem)
        return {model.__name__: model.objects.count() for model in models}

    before = rest(), records()
    use(1, active=1)
    assert run("rotate_keys")[0] == 0
    assert stored() == {"v1": 2}
    assert (rest(), records()) == before
    session.refresh_from_db()
    assert runner_secret(session)


@pytest.mark.django_db
def test_a_second_run_writes_nothing(run, use):
    credential()
    use(1, 2, active=2)
    run("rotate_keys")
    before = list(Credential.objects.values("pk", "token_sealed"))
    assert run("rotate_keys") == (0, "0 encrypted again; 0 not on the active key v2\n", "")
    assert list(Credential.objects.values("pk", "token_sealed")) == before


@pytest.mark.django_db
def test_a_dry_run_changes_nothing_and_finds_what_does_not_open(run, use):
    good, bad = credential(), credential()
    Credential.objects.filter(pk=bad.pk).update(token_sealed=good.token_sealed)  # of another row
    use(1, active=1)
    before = list(Credential.objects.values())
    with CaptureQueriesContext(connection) as queries:
        code, out, err = run("rotate_keys", "--dry-run")
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
    assert (code, out.splitlines()[-1]) == (1, "1 to do; 2 not on the active key v1")
    assert bad.pk in err
    assert good.pk not in err
    assert list(Credential.objects.values()) == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("value", "key"),
    [
        pytest.param("enc:v3:" + "A" * 44, "v3", id="version-that-is-not-there"),
        pytest.param("enc:00000000:" + "A" * 44, "00000000", id="key-that-is-not-there"),
        pytest.param(TOKEN, "unsealed", id="plaintext"),
        pytest.param(f"enc:{TOKEN}:{TOKEN}", "unsealed", id="plaintext-that-looks-sealed"),
    ],
)
def test_what_cannot_be_opened_stays_is_named_and_can_be_forgotten(run, use, value, key):
    use(1, 2, active=1)
    good = credential()
    bad = credential()
    Credential.objects.filter(pk=bad.pk).update(token_sealed=value)
    use(1, 2, active=2)
    code, out, err = run("rotate_keys")
    assert (code, err) == (1, f"Credential.token_sealed of {bad.pk}: key {key} does not open it\n")
    assert out.endswith("1 encrypted again; 1 not on the active key v2\n")
    assert stored() == {key: 1, "v2": 1}
    assert run("rotate_keys", "--forget", key, "--dry-run")[:2] == (
        0,
        f"Credential.token_sealed of key {key}: 1 of 1 to do\n1 to do\n",
    )
    assert stored() == {key: 1, "v2": 1}
    assert run("rotate_keys", "--forget", key)[1].endswith("1 forgotten\n")
    assert stored() == {"v2": 1}
    assert TOKEN not in out + err
    good.refresh_from_db()
    assert credential_token(credential=good, reader="test").token == TOKEN


@pytest.mark.django_db
def test_what_a_key_that_is_set_sealed_is_not_forgotten(run, use):
    use(1, active=1)
    credential()
    with pytest.raises(Exception, match="v1 is among the keys that are set"):
        run("rotate_keys", "--forget", "v1")
    assert stored() == {"v1": 1}


@pytest.mark.django_db
def test_many_values_are_told_in_batches_and_never_shown(run, use, monkeypatch, caplog):
    monkeypatch.setattr(rotation, "BATCH", 2)
    for number in range(5):
        credential(f"{TOKEN}-{number}")
    before = set(Credential.objects.values_list("token_sealed", flat=True))
    use(1, active=1)
    code, out, err = run("rotate_keys")
    assert [line.split(": ")[-1] for line in out.splitlines()] == [
        *(f"{number} of 5 encrypted again" for number in (2, 4, 5)),
        "5 encrypted again; 0 not on the active key v1",
    ]
    said = out + err + caplog.text + repr(rotation.Tally(next(sealed_columns()), "v1", 1))
    for secret in (TOKEN, OLD, *before, *Credential.objects.values_list("token_sealed", flat=True)):
        assert secret not in said


@pytest.mark.django_db
def test_a_value_that_changes_under_it_is_kept_and_taken_in_the_next_pass(run, use, monkeypatch):
    """Another process writes between the reading of a row and its replacement, with the key of before."""
    made = credential("before")
    use(1, active=1)
    newer = []
    real = rotation.seal

    def meanwhile(text, *, context):
        if not newer:
            use()
            newer.append(seal("after", context=context))
            use(1, active=1)
            Credential.objects.filter(pk=made.pk).update(token_sealed=newer[0])
        return real(text, context=context)

    monkeypatch.setattr(rotation, "seal", meanwhile)
    code, out, _ = run("rotate_keys")
    assert (code, stored(), tokens([made])) == (0, {"v1": 1}, ["after"])


@pytest.mark.django_db(transaction=True)
def test_nobody_loses_a_token_while_it_runs(run, use, monkeypatch, client_for):
    """Requests change and read tokens all the time, of processes with the old and with the new key."""
    monkeypatch.setattr(rotation, "BATCH", 3)
    made = [credential(f"{number}:0") for number in range(12)]
    sessions = [SessionFactory() for _ in range(3)]
    secrets = {session.pk: runner_secret(session) for session in sessions}
    use(1, 2, active=1)
    run("rotate_keys")
    use(1, 2, active=2)
    admin = UserFactory(username="root", is_superuser=True)
    written, errors = dict.fromkeys((entry.pk for entry in made), 0), []
    stop, rounds = threading.Event(), threading.Semaphore(0)

    def work(client, mine, change):
        try:
            while not stop.is_set():
                for number in mine:
                    change(client, made[number].pk, number)
                rounds.release()
        except BaseException as exc:  # noqa: BLE001 - told below
            errors.append(exc)
        finally:
            connections.close_all()

    def token_of(client, pk):
        answer = client.call("get", f"/credentials/{pk}/token")
        assert answer.status_code == 200, answer.content
        return answer.json()["token"]

    def patch(client, pk, number):
        token = f"{number}:{written[pk] + 1}"
        assert client.call("patch", f"/credentials/{pk}", {"token": token}).status_code == 200
        written[pk] += 1
        without = client.call("patch", f"/credentials/{pk}", {"description": token})
        assert without.status_code == 200
        assert token_of(client, pk) == token

    def read(client, pk, number):
        before = written[pk]
        assert before <= int(token_of(client, pk).split(":")[1]) <= written[pk] + 1
        for session in Session.objects.all():
            assert runner_secret(session) == secrets[session.pk]

    threads = [
        threading.Thread(target=work, args=(client_for(admin), *args))
        for args in ((range(0, 6), patch), (range(6, 12), patch), (range(12), read))
    ]
    for thread in threads:
        thread.start()
    try:
        for active in (1, 2, 1, 2, 1, 2):  # back and forth: every round finds all values on the other key
            assert rounds.acquire(timeout=30)
            use(1, 2, active=active)
            run("rotate_keys")
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert errors == []
    assert run("rotate_keys")[0] == 0
    assert stored() == {"v2": 15}
    use(2, active=2, old=False)
    assert tokens(made) == [f"{number}:{written[entry.pk]}" for number, entry in enumerate(made)]
    assert min(written.values()) > 0
    assert {session.pk: runner_secret(session) for session in Session.objects.all()} == secrets


def process(home, *argv):
    """A Python of its own, on this test's database, with versions 1 and 2 of which 2 is active."""
    ring = {str(version): base64.b64encode(RING[version]).decode() for version in (1, 2)}
    env = os.environ | {
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "ambient.settings",
        "AMBIENT_HOME": str(home),
        "CREDENTIAL_ENCRYPTION_KEYRING": json.dumps(ring),
        "CREDENTIAL_ENCRYPTION_KEY_VERSION": "2",
    }
    argv = [sys.executable, *argv]
    return subprocess.run(argv, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=60)


def database_url():
    url = urlsplit(django_settings.DATABASE_URL)
    return url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_a_change_under_way_and_keeps_it(run, use):
    """A request has the row locked with a new token that is not committed yet."""
    made, codes = credential("before"), []
    use(1, active=1)

    def rotate():
        try:
            codes.append(run("rotate_keys")[0])
        finally:
            connections.close_all()

    thread = threading.Thread(target=rotate)
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    with transaction.atomic(), connection.cursor() as cursor:
        credential_update(credential=made, changes={"token": "after"})
        thread.start()
        deadline, found = time.monotonic() + 30, None
        while found is None:
            assert time.monotonic() < deadline, "it does not wait"
            cursor.execute(waiting)
            found = cursor.fetchone()
    thread.join(30)
    assert (codes, stored(), tokens([made])) == ([0], {"v1": 1}, ["after"])


@pytest.mark.django_db
def test_without_a_database_it_says_so_in_a_line(run, use, monkeypatch):
    def away(*args):
        raise OperationalError("the connection is lost\nmore")

    monkeypatch.setattr(rotation, "_replace", away)
    credential()
    use(1, active=1)
    with pytest.raises(CommandError) as caught:
        run("rotate_keys")
    assert str(caught.value) == "the connection is lost; what was done stays, run it again"


SCRIPT = """
import os, signal, sys
import django
django.setup()
from ambient.common import rotation
real, left = rotation._replace, [int(sys.argv.pop())]
def replace(*args):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(*args)
rotation._replace = replace
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "rotate_keys"])
"""


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_and_started_again(run, use, tmp_path):
    made = [credential(f"{number}") for number in range(7)]
    use(1, active=1)
    run("rotate_keys")
    done = process(tmp_path, "-c", SCRIPT, "4")
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
    assert stored() == {"v1": 3, "v2": 4}
    use(1, 2, active=2)
    assert tokens(made) == [f"{number}" for number in range(7)]
    code, out, _ = run("rotate_keys")
    assert (code, out.splitlines()[-1]) == (0, "3 encrypted again; 0 not on the active key v2")
    assert stored() == {"v2": 7}
    assert tokens(made) == [f"{number}" for number in range(7)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("value", "production", "named"),
    [
        pytest.param("enc:v1:AAAA", True, None, id="known-version"),
        pytest.param("enc:v3:AAAA", True, "has no version 3", id="version-that-is-not-there"),
        pytest.param("enc:v3:AAAA", False, "has no version 3", id="version-that-is-not-there-at-home"),
        pytest.param("enc:00000000:AAAA", True, None, id="lost-key-without-a-version-is-doctor's"),
        pytest.param(TOKEN, True, "not sealed", id="plaintext-in-production"),
        pytest.param(TOKEN, False, None, id="plaintext-at-home-is-doctor's"),
        pytest.param(None, True, None, id="no-value"),
    ],
)
def test_starting_on_stored_values(use, settings, value, production, named):
    settings.DATABASE_URL = database_url()
    use(1, active=1)
    for _ in range(3):
        credential()
    Credential.objects.filter(pk=credential().pk).update(token_sealed=value)
    if named is None:
        require_known_keys(production)
        return
    with pytest.raises(ImproperlyConfigured, match=named) as caught:
        require_known_keys(production)
    assert str(caught.value).startswith("CREDENTIAL_ENCRYPTION_KEYRING: ")
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", ["serve api", "serve control-plane", "worker", "bootstrap"])
def test_a_process_does_not_start_on_a_version_it_does_not_have(use, tmp_path, command):
    use(1, 3, active=3)
    credential()
    if command == "bootstrap":
        command = "bootstrap --migrate"
    done = process(tmp_path, "manage.py", *command.split())
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "CREDENTIAL_ENCRYPTION_KEYRING: has no version 3, with which values of" in line


def test_starting_without_a_database_says_nothing(use, settings):
    settings.DATABASE_URL = "postgresql://u:p@127.0.0.1:1/d"
    require_known_keys(True)


@pytest.mark.django_db
def test_the_keys_of_stored_values_are_found_by_their_index(use):
    with connection.cursor() as cursor:
        # What the index can do, whatever the statistics: no scan of all rows, no sort of them.
        for costly in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{costly} = off")
        for column in sealed_columns():
            index = "sealed_by"
            rows = column.rows().filter(key_id="v1", pk__gt="a").order_by("pk").values_list("pk")
            assert index in rows[:10].explain()
            assert "Sort" not in rows[:10].explain()
            cursor.execute("EXPLAIN " + column.key_ids_sql())
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert index in plan, plan
            assert "Seq Scan" not in plan
            assert "Sort" not in plan


@pytest.mark.django_db
def test_doctor_counts_what_is_not_on_the_active_key(run, use, monkeypatch):
    monkeypatch.setattr(doctor, "_processes", lambda: [])

    def finding():
        found = {entry["name"]: entry for entry in json.loads(run("doctor", "--json")[1])}
        return found["encryption keys"]

    use(1, 2, active=1)
    credential()
    assert (finding()["state"], finding()["text"]) == ("ok", "3 key(s), all 1 values on v1, 1 newest open")
    use(1, 2, active=2)
    credential()
    assert finding() == {
        "name": "encryption keys",
        "state": "warning",
        "text": "1 of 2 values are not on the active key v2",
        "todo": "run manage.py rotate_keys",
    }
    use(2, active=2)
    assert (finding()["state"], finding()["text"]) == ("failed", "values of keys that are not set: 1 of v1")
    use(1, 2, active=2)
    Credential.objects.update(token_sealed=seal("x", context="another row"))
    assert (finding()["state"], finding()["text"]) == ("failed", "2 of 2 newest values do not open")
