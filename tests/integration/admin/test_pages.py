"""Every page of the admin: it opens, shows no secret, asks for its permission, names no other host."""

import re

import pytest
from django.contrib import admin as django_admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.services.sessions import session_create, session_delete
from tests.factories import AgentFactory, ProjectFactory

KINDS = [
    "sessions_app_session",
    "projects_app_project",
    "projects_app_projectsettings",
    "projects_app_agent",
    "projects_app_credential",
    "projects_app_application",
    "sessions_app_scheduledsession",
    "projects_app_user",
    "projects_app_externalidentity",
    "projects_app_role",
    "projects_app_rolebinding",
    "projects_app_apikey",
    "auth_group",
    "projects_app_auditentry",
    "reconciler_workitem",
    "reconciler_limit",
]
ADDED = [
    "sessions_app_scheduledsession",
    "projects_app_credential",
    "projects_app_application",
    "projects_app_project",
    "projects_app_projectsettings",
    "projects_app_agent",
    "projects_app_user",
    "projects_app_externalidentity",
    "projects_app_role",
    "projects_app_rolebinding",
    "projects_app_apikey",
    "auth_group",
    "reconciler_limit",
]
PARTS = ["events", "messages", "runs", "logs"]


def paths_of(kind, obj):
    return reverse(f"admin:{kind}_changelist"), reverse(f"admin:{kind}_change", args=[obj.pk])


def test_every_registered_model_is_tested_here():
    registered = {f"{m._meta.app_label}_{m._meta.model_name}" for m in django_admin.site._registry}
    assert registered == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_list_and_page_open_without_secrets_and_other_hosts(boss, everything, user, kind):
    secrets = [
        everything["sessions_app_session"].runner_secret,
        everything["projects_app_apikey"].digest,
        "sealed-secret",
        "hush-hush",
    ]
    for path in paths_of(kind, everything[kind]):
        response = boss.get(path)
        assert response.status_code == 200, path
        text = response.content.decode()
        assert not [secret for secret in secrets if secret in text]
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)
        assert "http" not in response["Content-Security-Policy"]
        assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("kind", ADDED)
def test_add_page_opens(boss, db, kind):
    assert boss.get(reverse(f"admin:{kind}_add")).status_code == 200


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(ADDED)))
def test_what_is_made_elsewhere_has_no_add_page(boss, db, kind):
    assert boss.get(f"/admin/{kind.replace('_app_', '_app/').replace('r_', 'r/')}/add/").status_code in (
        403,
        404,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_search_works(boss, everything, kind):
    path = reverse(f"admin:{kind}_changelist")
    for term in ("tenant", "fix", "a", everything[kind].pk, "100% _", "'"):
        assert boss.get(path, {"q": term}).status_code == 200


@pytest.mark.parametrize("part", PARTS)
def test_parts_of_a_session_open(boss, everything, part):
    made = everything["sessions_app_session"]
    page = boss.get(reverse(f"admin:sessions_app_session_{part}", args=[made.pk]))
    assert page.status_code == 200
    assert b"<tbody>" in page.content
    assert boss.get(reverse(f"admin:sessions_app_session_{part}", args=["nothing"])).status_code == 404


@pytest.mark.parametrize(
    ("is_staff", "is_active", "status"),
    [
        pytest.param(False, True, 302, id="people-without-staff-are-sent-to-sign-in"),
        pytest.param(True, True, 200, id="staff-see-the-dashboard"),
        pytest.param(True, False, 302, id="disabled-staff-are-sent-to-sign-in"),
    ],
)
def test_only_staff(client, user, is_staff, is_active, status):
    user.is_staff, user.is_active = is_staff, is_active
    user.save()
    client.force_login(user)
    assert client.get("/admin/").status_code == status


@pytest.mark.parametrize("kind", KINDS)
def test_without_permission_nothing_opens(staff, everything, kind):
    client = staff()
    for path in paths_of(kind, everything[kind]):
        assert client.get(path).status_code == 403, path
    assert b"/admin/" + kind.split("_")[-1].encode() not in client.get("/admin/").content


@pytest.mark.parametrize(
    ("permission", "part"),
    [
        ("sessions_app.view_sessionevent", "events"),
        ("sessions_app.view_sessionmessage", "messages"),
        ("sessions_app.view_run", "runs"),
        ("sessions_app.view_runlog", "logs"),
    ],
)
def test_a_conversation_is_a_permission_of_its_own(staff, everything, permission, part):
    made = everything["sessions_app_session"]
    client = staff("sessions_app.view_session")
    page, rows = reverse("admin:sessions_app_session_change", args=[made.pk]), f"/{part}/"
    path = reverse(f"admin:sessions_app_session_{part}", args=[made.pk])
    text = client.get(page).content.decode()
    assert client.get(path).status_code == 403
    assert rows not in text
    assert "do it" not in text.split("Conditions")[1].split("Who wished what")[0]
    both = staff("sessions_app.view_session", permission, username="reader")
    assert both.get(path).status_code == 200
    assert rows in both.get(page).content.decode()


def queries(client, path):
    client.get(path)  # what is cached once per process
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "kind",
    [
        "sessions_app_session",
        "projects_app_project",
        "projects_app_agent",
        "reconciler_workitem",
        "projects_app_rolebinding",
        "projects_app_apikey",
    ],
)
def test_queries_of_a_list_do_not_grow(boss, everything, tenant, user, kind):
    from projects_app.services.api_keys import api_key_create

    path = reverse(f"admin:{kind}_changelist")
    before = queries(boss, path)
    for n in range(8):
        project = ProjectFactory(id=f"more-{n}")
        AgentFactory(project=project)
        session_create(actor=f"u{n}", project=project, spec={"name": f"s{n}", "prompt": "x"})
        api_key_create(user=user)
    assert queries(boss, path) == before
    assert before <= 10


def test_sessions_page_by_key_both_ways(boss, tenant, monkeypatch):
    from sessions_app.admin.session import SessionAdmin

    monkeypatch.setattr(SessionAdmin, "list_per_page", 3)
    made = [session_create(actor="a", project=tenant, spec={"name": f"number-{n}"}) for n in range(8)]
    from django.urls import reverse as url

    path, seen, query = url("admin:sessions_app_session_changelist"), [], "?"
    pages = []
    while query:
        changelist = boss.get(path + query).context["cl"]
        pages.append([row.pk for row in changelist.result_list])
        seen += pages[-1]
        links = changelist.paginator.links
        query = links["older"]
    assert seen == [session.pk for session in reversed(made)]
    back = boss.get(path + links["newer"]).context["cl"]
    assert [row.pk for row in back.result_list] == pages[-2]
    assert boss.get(path + links["newest"]).context["cl"].result_list[0].pk == made[-1].pk


def test_a_deleted_session_is_found_by_its_whole_id_only(boss, made):
    session_delete(session=made)
    path = reverse("admin:sessions_app_session_changelist")
    assert len(boss.get(path).context["cl"].result_list) == 0
    assert len(boss.get(path, {"q": "fix"}).context["cl"].result_list) == 0
    assert len(boss.get(path, {"q": made.pk}).context["cl"].result_list) == 1


def test_events_page_by_key_both_ways(boss, made, monkeypatch):
    from sessions_app.admin import pages
    from tests.integration.admin.conftest import rows_of

    monkeypatch.setattr(pages, "PAGE_SIZE", 10)
    rows_of(made, 25)
    path, query, seen = reverse("admin:sessions_app_session_events", args=[made.pk]), "", []
    while query is not None:
        context = boss.get(path + query).context
        seen += [row["cells"][0] for row in context["table"]]
        links, query = context["links"], context["links"]["older"]
    assert seen == list(range(25, 0, -1))
    newer = boss.get(path + links["newer"]).context
    assert [row["cells"][0] for row in newer["table"]] == list(range(15, 5, -1))
    assert boss.get(f"{path}?older_than=nonsense").status_code == 200
    assert boss.get(f"{path}?older_than={10**30}").status_code == 200


def test_log_out_and_password_pages_open(boss):
    assert boss.get("/admin/password_change/").status_code == 200
    assert boss.post("/admin/logout/").status_code == 200
