"""Who an entry names: nobody of another request, thread or pass."""

import os
import pwd
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pghistory
import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import AsyncClient, Client

from ambient.common.connection_name import connection_name
from ambient.embedded.home import CHECKOUT
from projects_app.authentication import authenticate_bearer
from projects_app.models import AuditEntry, Project
from projects_app.services.api_keys import api_key_create
from sessions_app.choices import Phase
from sessions_app.models import Session
from sessions_app.tokens import issue_session_token
from tests.conftest import V1
from tests.e2e.machine import inherited
from tests.factories import ProjectFactory, SessionFactory, UserFactory


def entry_of(object_id: str) -> AuditEntry:
    return AuditEntry.objects.filter(object_id=object_id).latest("id")


def who(entry: AuditEntry) -> tuple[str | None, str, str | None]:
    return entry.actor, entry.via, entry.via_id


@pytest.mark.django_db
def test_a_cookie(admin):
    client = Client()
    client.force_login(admin)
    made = client.post(f"{V1}/projects", {"name": "fresh"}, content_type="application/json")
    assert made.status_code == 201
    assert who(entry_of("fresh")) == ("root", "cookie", None)


@pytest.mark.django_db
def test_a_page_of_the_admin(admin):
    client = Client(REMOTE_ADDR="10.1.2.3")
    client.force_login(admin)
    assert client.post("/admin/projects_app/project/add/", {"id": "fresh"}).status_code == 302
    entry = entry_of("fresh")
    assert who(entry) == ("root", "cookie", None)
    assert (entry.address, entry.route) == ("10.1.2.3", "POST /admin/projects_app/project/add/")


@pytest.mark.django_db
def test_an_agent_acts_for_the_sessions_creator():
    session = SessionFactory(created_by_user_id="ann")
    Session.objects.filter(pk=session.pk).update(phase=Phase.RUNNING, created_by_user_id="ann")
    caller = authenticate_bearer(issue_session_token(session).token)
    from ambient.common.actor import of_caller

    with pghistory.context(**of_caller(caller)):
        ProjectFactory(id="fresh")
    assert who(entry_of("fresh")) == ("ann", "session", session.pk)


@pytest.mark.django_db
def test_without_a_context_it_is_the_connection():
    with pghistory.context(user="ann", via="cookie"):
        pass
    ProjectFactory(id="fresh")
    entry = entry_of("fresh")
    assert (entry.actor, entry.via, entry.request_id) == (None, "command", None)


@pytest.mark.django_db
def test_a_connection_of_the_platform_and_a_strangers():
    for name, via in (("ambient-worker", "process"), ("psql", "database"), ("", "database")):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, true)", [name])
        Project.objects.create(id=f"p-{name or 'none'}")
        entry = entry_of(f"p-{name or 'none'}")
        assert (entry.process, entry.via) == (name, via)


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_mix():
    people = {
        name: api_key_create(user=UserFactory(username=name, is_superuser=True))[1] for name in "abcdef"
    }

    def work(name: str) -> None:
        client = Client(headers={"Authorization": f"Bearer {people[name]}"})
        try:
            for number in range(5):
                body = {"name": f"{name}-{number}"}
                response = client.post(f"{V1}/projects", body, content_type="application/json")
                assert response.status_code == 201
                ProjectFactory(id=f"{name}-{number}-after")  # on the same connection, outside of a request
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, people))
    for name in people:
        for number in range(5):
            assert entry_of(f"{name}-{number}").actor == name
            assert who(entry_of(f"{name}-{number}-after"))[:2] == (None, "command")


@pytest.mark.django_db(transaction=True)
async def test_requests_under_asgi_do_not_mix():
    import asyncio

    from asgiref.sync import sync_to_async

    def keys() -> dict[str, str]:
        return {
            name: api_key_create(user=UserFactory(username=name, is_superuser=True))[1] for name in "abcd"
        }

    people = await sync_to_async(keys)()

    async def work(name: str) -> None:
        for number in range(4):
            response = await AsyncClient().post(
                f"{V1}/projects",
                {"name": f"{name}-{number}"},
                content_type="application/json",
                headers={"Authorization": f"Bearer {people[name]}"},
            )
            assert response.status_code == 201

    try:
        await asyncio.gather(*(work(name) for name in people))

        def seen() -> list[tuple[str, str | None]]:
            rows = AuditEntry.objects.filter(kind="Project", via="api_key")
            return list(rows.values_list("object_id", "actor"))

        found = await sync_to_async(seen)()
        assert len(found) == 16
        assert all(object_id[0] == actor for object_id, actor in found)
    finally:
        await sync_to_async(connections.close_all)()


@pytest.mark.django_db
def test_a_refused_write_leaves_no_entry(admin_client_wire, monkeypatch):
    before = AuditEntry.objects.count()
    assert admin_client_wire.call("post", "/projects", {"name": "Not A Name"}).status_code == 400
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("process", "arguments", "name"),
    [
        ("api", ["manage.py", "serve", "api"], "ambient-api"),
        ("command", ["/x/manage.py", "seed_roles", "--secret"], "ambient-command seed_roles {user}"),
        ("command", ["/x/manage.py"], "ambient-command"),
        ("command", ["pytest", "tests"], "ambient-command"),
        ("command", ["manage.py", "a b;" + "c" * 90], "ambient-command ab" + "c" * 45),
    ],
)
def test_names_of_connections(process, arguments, name):
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert connection_name(process, arguments) == name.format(user=user)


@pytest.mark.django_db(transaction=True)
def test_a_command_names_itself_and_who_ran_it(tmp_path):
    UserFactory(username="bob")
    database = connection.settings_dict["NAME"]
    url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{database}").geturl()
    done = subprocess.run(
        [sys.executable, "manage.py", "create_api_key", "--user", "bob"],
        cwd=CHECKOUT,
        env=inherited()
        | {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "AMBIENT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    entry = AuditEntry.objects.get(kind="ApiKey")
    assert (entry.via, entry.via_id, entry.process) == ("command", "create_api_key", "ambient-command")
    assert entry.os_user == pwd.getpwuid(os.geteuid()).pw_name
