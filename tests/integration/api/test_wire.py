"""Which answer for which bad input, and that a refusal changes nothing (contract 1.3 to 1.7)."""

import hashlib

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects_app.models import Project
from projects_app.services.applications import application_create
from sessions_app.services.schedules import schedule_create
from tests.factories import (
    AgentFactory,
    CredentialFactory,
    InboxMessageFactory,
    RoleFactory,
    SessionFactory,
    UserFactory,
)

APPLICATION = {
    "name": "fleet",
    "source_repo_url": "https://x/y.git",
    "source_path": "envs",
    "destination_project": "demo",
}
SCHEDULE = {"name": "yearly", "schedule": "0 0 1 1 *"}
COUNTED = (
    "projects_app_project",
    "projects_app_projectsettings",
    "projects_app_user",
    "projects_app_role",
    "projects_app_rolebinding",
    "projects_app_agent",
    "projects_app_inboxmessage",
    "sessions_app_session",
    "sessions_app_sessionmessage",
    "sessions_app_run",
    "projects_app_globalgrant",
    "projects_app_projectuserobjectpermission",
    "projects_app_rowcount",
    "projects_app_credential",
    "projects_app_credentialuserobjectpermission",
    "projects_app_application",
    "sessions_app_scheduledsession",
)


def fingerprint():
    """Everything that a refused request must leave as it was."""
    parts = []
    with connection.cursor() as cursor:
        for table in COUNTED:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text), '') FROM {table} t")
            parts.append(cursor.fetchone()[0])
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def check_error(response, status, error_id):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    assert response["Vary"] == "Authorization"
    body = response.json()
    assert body == {
        "kind": "Error",
        "id": error_id,
        "href": f"/api/ambient/v1/errors/{error_id}",
        "code": f"ambient-api-server-{error_id}",
        "reason": body["reason"],
        "operation_id": response["X-Operation-ID"],
    }
    assert body["reason"]


@pytest.fixture
def world(project, client_for, admin):
    agent = AgentFactory(project=project, name="lead")
    return {
        "client": client_for(admin),
        "project": project.pk,
        "agent": agent.pk,
        "session": SessionFactory(project=project).pk,
        "inbox": InboxMessageFactory(agent=agent).pk,
        "role": RoleFactory(name="own:role").pk,
        "user": UserFactory(username="bob").pk,
        "credential": CredentialFactory(name="gh").pk,
        "application": application_create(values=APPLICATION).pk,
        "schedule": schedule_create(actor="bob", project=project, values=SCHEDULE).pk,
    }


CREATES = {
    "sessions": ("/sessions", {"name": "s", "project_id": "demo"}),
    "projects": ("/projects", {"name": "fresh"}),
    "project_settings": ("/project_settings", {"project_id": "demo"}),
    "users": ("/users", {"username": "carol", "name": "Carol"}),
    "roles": ("/roles", {"name": "fresh:role"}),
    "role_bindings": (
        "/role_bindings",
        {"role_id": "project:viewer", "scope": "project", "project_id": "demo", "user_id": "bob"},
    ),
    "agents": ("/projects/{project}/agents", {"name": "fresh"}),
    "inbox": ("/projects/{project}/agents/{agent}/inbox", {"body": "hi"}),
    "credentials": ("/credentials", {"name": "fresh", "provider": "github"}),
    "applications": ("/applications", APPLICATION | {"name": "fresh"}),
    "scheduled-sessions": ("/projects/{project}/scheduled-sessions", SCHEDULE | {"name": "fresh"}),
}
DETAILS = {
    "sessions": "/sessions/{session}",
    "projects": "/projects/{project}",
    "users": "/users/{user}",
    "roles": "/roles/{role}",
    "agents": "/projects/{project}/agents/{agent}",
    "inbox": "/projects/{project}/agents/{agent}/inbox/{inbox}",
    "credentials": "/credentials/{credential}",
    "applications": "/applications/{application}",
    "scheduled-sessions": "/projects/{project}/scheduled-sessions/{schedule}",
}
BAD_BODIES = [
    pytest.param(b"", "17", id="empty"),
    pytest.param(b"   ", "17", id="blank"),
    pytest.param(b"null", "17", id="null"),
    pytest.param(b"[]", "17", id="array"),
    pytest.param(b'"x"', "17", id="string"),
    pytest.param(b"{", "17", id="cut-off"),
    pytest.param(b"{} trailing", "17", id="trailing-garbage"),
    pytest.param(b'{"name": NaN}', "17", id="nan"),
    pytest.param(b'{"name": "\xff"}', "17", id="broken-utf8"),
    pytest.param(b'{"name": "\\ud800"}', "17", id="lone-surrogate"),
    pytest.param(b'{"name": "a\\u0000b"}', "17", id="nul"),
    pytest.param(b'{"a\\u0000b": 1}', "17", id="nul-in-key"),
    pytest.param(b'{"name": {"deep": ["\\u0000"]}}', "17", id="nul-deep"),
    pytest.param(b"[" * 100_000, "17", id="too-deep"),
]


@pytest.mark.parametrize(("body", "error_id"), BAD_BODIES)
@pytest.mark.parametrize("kind", CREATES)
def test_bad_body_on_create(world, kind, body, error_id):
    before = fingerprint()
    response = world["client"].call("post", CREATES[kind][0].format(**world), body)
    check_error(response, 400, error_id)
    assert fingerprint() == before


@pytest.mark.parametrize(("body", "error_id"), BAD_BODIES)
@pytest.mark.parametrize("kind", DETAILS)
def test_bad_body_on_patch(world, kind, body, error_id):
    before = fingerprint()
    check_error(world["client"].call("patch", DETAILS[kind].format(**world), body), 400, error_id)
    assert fingerprint() == before


@pytest.mark.parametrize("kind", [name for name in CREATES if name != "scheduled-sessions"])
@pytest.mark.parametrize(
    ("extra", "status", "error_id"),
    [
        pytest.param({"no_such_key": 1}, 400, "17", id="unknown-key"),
        pytest.param({"id": "2ZQ"}, 400, "8", id="own-id"),
        pytest.param({"token": "x", "deleted_at": None}, 400, "17", id="internal-keys"),
    ],
)
def test_strict_create(world, kind, extra, status, error_id):
    path, body = CREATES[kind]
    before = fingerprint()
    check_error(world["client"].call("post", path.format(**world), body | extra), status, error_id)
    assert fingerprint() == before


@pytest.mark.parametrize("kind", CREATES)
def test_create_ignores_read_only_fields(world, kind):
    path, body = CREATES[kind]
    extra = {"id": "", "kind": "X", "href": 1, "created_at": "nonsense", "updated_at": 5}
    response = world["client"].call("post", path.format(**world), body | extra)
    assert response.status_code == 201, response.content
    assert response.json()["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("path", "body", "error_id"),
    [
        pytest.param("/projects", {}, "17", id="project-without-name"),
        pytest.param("/project_settings", {}, "17", id="settings-without-project"),
        pytest.param("/users", {"username": "x"}, "17", id="user-without-name"),
        pytest.param("/roles", {}, "17", id="role-without-name"),
        pytest.param("/role_bindings", {"role_id": "x"}, "17", id="binding-without-scope"),
        pytest.param("/projects/demo/agents", {}, "17", id="agent-without-name"),
        pytest.param("/projects/demo/agents/{agent}/inbox", {}, "17", id="inbox-without-body"),
        pytest.param("/sessions", {"name": "", "project_id": "demo"}, "8", id="session-empty-name"),
        pytest.param("/projects", {"name": ""}, "8", id="project-empty-name"),
        pytest.param("/projects", {"name": None}, "8", id="project-null-name"),
        pytest.param("/roles", {"name": ""}, "8", id="role-empty-name"),
        pytest.param("/projects/demo/agents", {"name": ""}, "8", id="agent-empty-name"),
        pytest.param("/projects", {"name": "Upper"}, "8", id="project-name-upper-case"),
        pytest.param("/projects", {"name": "a"}, "8", id="project-name-too-short"),
        pytest.param("/projects", {"name": "a" * 64}, "8", id="project-name-too-long"),
        pytest.param("/projects", {"name": "ab\n"}, "8", id="project-name-newline"),
        pytest.param("/projects", {"name": "trailing-"}, "8", id="project-name-dash-last"),
        pytest.param("/sessions", {"name": "x" * 256, "project_id": "demo"}, "8", id="name-too-long"),
        pytest.param("/sessions", {"name": "x"}, "8", id="session-without-project"),
        pytest.param("/sessions", {"name": 5, "project_id": "demo"}, "17", id="int-for-string"),
        pytest.param("/sessions", {"name": True, "project_id": "demo"}, "17", id="bool-for-string"),
        pytest.param("/sessions", {"name": "x", "project_id": "demo", "repos": []}, "17", id="array-as-text"),
        pytest.param("/sessions", {"name": "x", "project_id": "demo", "labels": []}, "17", id="array-labels"),
        pytest.param("/sessions", {"project_id": "demo", "timeout": "5"}, "17", id="string-for-int"),
        pytest.param("/sessions", {"project_id": "demo", "timeout": 1.5}, "17", id="float-for-int"),
        pytest.param("/sessions", {"project_id": "demo", "timeout": True}, "17", id="bool-for-int"),
        pytest.param("/sessions", {"project_id": "demo", "timeout": 2**31}, "17", id="over-int32"),
        pytest.param("/sessions", {"project_id": "demo", "llm_max_tokens": -(2**31) - 1}, "17", id="below"),
        pytest.param("/sessions", {"project_id": "demo", "timeout": 2**63 - 1}, "17", id="over-int64"),
        pytest.param("/sessions", {"project_id": "demo", "timeout": -1}, "8", id="negative-timeout"),
        pytest.param("/sessions", {"project_id": "demo", "llm_temperature": "1"}, "17", id="string-double"),
        pytest.param("/sessions", {"project_id": "demo", "runner_type": "x"}, "8", id="unknown-runner"),
        pytest.param("/sessions", {"project_id": "demo", "parent_session_id": "x"}, "8", id="no-parent"),
        pytest.param("/sessions", {"project_id": "demo", "agent_id": "x"}, "8", id="no-agent"),
        pytest.param("/sessions", {"project_id": "demo", "prompt": "x" * 1_048_577}, "8", id="long-prompt"),
        pytest.param("/projects/demo/agents", {"name": "x", "stop_on_run_finished": 1}, "17", id="int-flag"),
        pytest.param(
            "/projects/demo/agents", {"name": "x", "parent_agent_id": "y"}, "8", id="no-parent-agent"
        ),
        pytest.param("/roles", {"name": "x", "permissions": "no json"}, "8", id="permissions-no-json"),
        pytest.param("/roles", {"name": "x", "permissions": '["a"]'}, "8", id="permissions-no-colon"),
        pytest.param("/project_settings", {"project_id": "nowhere"}, "8", id="settings-of-no-project"),
        pytest.param(
            "/projects/demo/agents/{agent}/inbox", {"body": "x", "from_agent_id": "y"}, "8", id="no-sender"
        ),
    ],
)
def test_bad_create(world, path, body, error_id):
    before = fingerprint()
    check_error(world["client"].call("post", path.format(**world), body), 400, error_id)
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("method", "path", "status", "error_id"),
    [
        pytest.param("get", "/sessions/none", 404, "7", id="session-get"),
        pytest.param("patch", "/sessions/none", 404, "7", id="session-patch"),
        pytest.param("post", "/sessions/none/start", 404, "7", id="session-start"),
        pytest.param("post", "/sessions/none/stop", 404, "7", id="session-stop"),
        pytest.param("patch", "/sessions/none/status", 404, "7", id="session-status"),
        pytest.param("get", "/projects/none", 404, "7", id="project-get"),
        pytest.param("patch", "/projects/none", 404, "7", id="project-patch"),
        pytest.param("get", "/projects/none/agents", 404, "7", id="agents-of-no-project"),
        pytest.param("get", "/projects/no:thing/agents", 400, "8", id="project-id-format"),
        pytest.param("get", "/projects/demo/agents/none", 404, "7", id="agent-get"),
        pytest.param("delete", "/projects/demo/agents/none", 404, "7", id="agent-delete"),
        pytest.param("get", "/projects/demo/agents/none/inbox", 404, "7", id="inbox-of-no-agent"),
        pytest.param("delete", "/projects/demo/agents/{agent}/inbox/none", 404, "7", id="inbox-delete"),
        pytest.param("get", "/projects/demo/agents/none/start", 404, "7", id="preview-of-no-agent"),
        pytest.param("post", "/projects/demo/agents/none/start", 404, "7", id="start-of-no-agent"),
        pytest.param("delete", "/role_bindings/none", 404, "7", id="binding-delete"),
        pytest.param("get", "/users/none", 404, "7", id="user-get"),
        pytest.param("get", "/roles/none", 404, "7", id="role-get"),
        pytest.param("get", "/sessions/a%00b", 404, "7", id="nul-in-path"),
        pytest.param("get", "/projects/a%00b/agents", 400, "8", id="nul-in-parent"),
        pytest.param("get", "/sessions/%ff", 404, "7", id="broken-utf8-in-path"),
        pytest.param("get", "/no/such/path", 404, "7", id="unknown-path"),
        pytest.param("post", "/sessions/x/nothing", 404, "7", id="unknown-sub-path"),
        pytest.param("get", "", 404, "7", id="prefix-alone"),
        pytest.param("get", "/errors", 404, "7", id="errors"),
        pytest.param("put", "/sessions/none", 405, "10", id="put-session"),
        pytest.param("delete", "/sessions", 405, "10", id="delete-list"),
        pytest.param("get", "/sessions/none/start", 405, "10", id="get-start"),
        pytest.param("post", "/version", 405, "10", id="post-version"),
        pytest.param("options", "/sessions", 405, "10", id="options"),
    ],
)
def test_unknown_id_path_or_method(world, method, path, status, error_id):
    before = fingerprint()
    body = {} if method in ("patch", "post") else None
    check_error(world["client"].call(method, path.format(**world), body), status, error_id)
    assert fingerprint() == before


UNKNOWN_IS_GONE = (
    "sessions",
    "projects",
    "project_settings",
    "users",
    "roles",
    "credentials",
    "applications",
)
NAMES_ARE_FREE = ("sessions", "inbox", "credentials")


@pytest.mark.parametrize("kind", UNKNOWN_IS_GONE)
def test_delete_of_unknown_id_is_204(world, kind):
    response = world["client"].call("delete", f"/{kind}/none")
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("kind", DETAILS)
def test_delete_is_204_and_final(world, kind):
    path = DETAILS[kind].format(**world)
    response = world["client"].call("delete", path)
    assert (response.status_code, response.content) == (204, b"")
    assert world["client"].call("get", path).status_code == 404


@pytest.mark.parametrize("kind", [name for name in CREATES if name not in NAMES_ARE_FREE])
def test_duplicate_is_409(world, kind):
    path, body = CREATES[kind]
    assert world["client"].call("post", path.format(**world), body).status_code == 201
    before = fingerprint()
    check_error(world["client"].call("post", path.format(**world), body), 409, "6")
    assert fingerprint() == before


@pytest.mark.parametrize("kind", DETAILS)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="empty-object"),
        pytest.param({"unknown": [1], "id": "x", "kind": 3, "created_at": 7}, id="unknown-and-read-only"),
        pytest.param({"name": None, "labels": None, "email": None}, id="nulls"),
    ],
)
def test_lenient_patch_changes_only_updated_at(world, kind, body):
    path = DETAILS[kind].format(**world)
    before = world["client"].call("get", path).json()
    response = world["client"].call("patch", path, body)
    assert response.status_code == 200, response.content
    after = response.json()
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == before


@pytest.mark.parametrize("suffix", ["", "/"])
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/json", "application/json"),
        ("text/html", "text/plain"),
        ("image/png;q=0.1", "application/x-www-form-urlencoded"),
        ("*/*", "multipart/form-data; boundary=x"),
        ("nonsense", "nonsense"),
    ],
)
def test_any_accept_content_type_and_one_slash(world, suffix, accept, content_type):
    response = world["client"].generic(
        "POST",
        f"/api/ambient/v1/sessions{suffix}",
        b'{"name": "x", "project_id": "demo"}',
        content_type=content_type,
        headers={"Accept": accept},
    )
    assert response.status_code == 201, response.content
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("prompt", ["x" * 1_048_576, "\n" * 600_000], ids=["long", "long-when-it-is-JSON"])
def test_a_prompt_that_no_reader_of_messages_could_take_is_413(world, prompt):
    """It becomes the session's first message, and readers take lines of at most 1 MiB (contract 7.3)."""
    body = {"name": "x", "project_id": "demo", "prompt": prompt}
    before = fingerprint()
    check_error(world["client"].call("post", "/sessions", body), 413, "8")
    assert fingerprint() == before


def test_oversize_body_is_413(world, settings):
    settings.MAX_REQUEST_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    before = fingerprint()
    body = {"name": "x" * 2000, "project_id": "demo"}
    check_error(world["client"].call("post", "/sessions", body), 413, "8")
    assert fingerprint() == before


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/sessions"),
        ("post", "/projects"),
        ("get", "/no/such"),
        ("put", "/sessions/x"),
        ("get", "/roles"),
    ],
)
def test_no_or_bad_token_is_401(anonymous, header, method, path):
    response = anonymous.call(method, path, b"{", **header)
    check_error(response, 401, "15")
    fault = 'Bearer error="invalid_token"'  # RFC 6750, section 3.1: only where there is a token
    assert response["WWW-Authenticate"].startswith(fault if "nonsense" in str(header) else "Bearer")
    assert ("error=" in response["WWW-Authenticate"]) == ("nonsense" in str(header))


def test_json_text_is_kept_byte_for_byte(world):
    text = '{ "b":1,  "a": "\\u0000", "b": 2 }\n'
    names = ("labels", "annotations", "repos", "environment_variables", "resource_overrides", "mcp_servers")
    body = {"name": "x", "project_id": "demo"} | dict.fromkeys(names, text)
    made = world["client"].call("post", "/sessions", body).json()
    read = world["client"].call("get", f"/sessions/{made['id']}").json()
    assert {name: read[name] for name in names} == dict.fromkeys(names, text)


@pytest.mark.parametrize("method", ["post", "patch"])
def test_labels_may_be_an_object(world, method):
    path = "/sessions" if method == "post" else f"/sessions/{world['session']}"
    body = {"name": "x", "project_id": "demo", "labels": {"b": 1, "a": "ü"}}
    assert world["client"].call(method, path, body).json()["labels"] == '{"b":1,"a":"ü"}'


def test_session_on_the_wire(world):
    body = {"name": "fix-1", "project_id": "demo", "prompt": "hello", "llm_temperature": 0}
    made = world["client"].call("post", "/sessions", body).json()
    created = made.pop("created_at")
    assert created.endswith("Z")
    assert made.pop("updated_at").endswith("Z")
    assert made == {
        "id": made["id"],
        "kind": "Session",
        "href": f"/api/ambient/v1/sessions/{made['id']}",
        "name": "fix-1",
        "prompt": "hello",
        "created_by_user_id": "root",
        "project_id": "demo",
        "llm_model": "claude-sonnet-4-6",
        "llm_temperature": 0.0,
        "llm_max_tokens": 4000,
        "runner_type": "demo",
        "stop_on_run_finished": False,
        "activity": "working",
        "kube_cr_name": made["id"],
    }
    assert len(made["id"]) == 27


def test_role_binding_targets_are_always_present(world):
    body = {"role_id": "platform:viewer", "scope": "global", "user_id": "bob"}
    made = world["client"].call("post", "/role_bindings", body).json()
    targets = {name: made[name] for name in ("project_id", "agent_id", "session_id", "credential_id")}
    assert targets == dict.fromkeys(targets)
    assert made["user_id"] == "bob"


def test_session_name_is_made_when_left_out(world):
    response = world["client"].call("post", "/sessions", {"project_id": "demo"})
    assert response.status_code == 201
    assert response.json()["name"].startswith("session-")


def test_project_name_cannot_change_and_deleted_name_stays_taken(world):
    client = world["client"]
    check_error(client.call("patch", "/projects/demo", {"name": "other"}), 400, "8")
    assert client.call("patch", "/projects/demo", {"name": "demo", "status": "ok"}).json()["status"] == "ok"
    assert client.call("delete", "/projects/demo").status_code == 204
    check_error(client.call("post", "/projects", {"name": "demo"}), 409, "6")
    assert Project.objects.get(pk="demo").deleted_at is not None


def test_unexpected_failure_has_no_detail(world, monkeypatch):
    def fail(**kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("sessions_app.views.session_stop", fail)
    response = world["client"].call("post", f"/sessions/{world['session']}/stop")
    check_error(response, 500, "9")
    assert "secret detail" not in response.content.decode()


def test_database_that_is_away_is_503(world, monkeypatch):
    from django.db import OperationalError

    def fail(**kwargs):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("sessions_app.views.session_stop", fail)
    response = world["client"].call("post", f"/sessions/{world['session']}/stop")
    check_error(response, 503, "9")
    assert response["Retry-After"] == "1"


def test_create_reads_no_more_queries_than_needed(world):
    with CaptureQueriesContext(connection) as queries:
        world["client"].call("post", "/sessions", {"name": "x", "project_id": "demo", "prompt": "go"})
    assert len(queries) <= 25, [query["sql"][:100] for query in queries]


SESSION_PATCH = {
    "name": "new",
    "prompt": "p",
    "repo_url": "r",
    "repos": "[]",
    "workflow_id": "w",
    "assigned_user_id": "a",
    "timeout": 0,
    "llm_model": "m",
    "llm_temperature": 0.25,
    "llm_max_tokens": 1,
    "bot_account_name": "b",
    "resource_overrides": "{}",
    "environment_variables": "{}",
    "labels": '{"a":"b"}',
    "annotations": "",
    "runner_type": "claude",
    "inactivity_timeout": 0,
    "stop_on_run_finished": True,
    "allowed_tools": "[]",
    "mcp_servers": "{}",
    "system_prompt": "s",
}
AGENT_PATCH = {
    name: value
    for name, value in SESSION_PATCH.items()
    if name not in ("repos", "assigned_user_id", "timeout", "workflow_id")
} | {"display_name": "d", "description": "x"}


@pytest.mark.parametrize(
    ("kind", "change", "ignored"),
    [
        pytest.param(
            "sessions",
            SESSION_PATCH,
            {"project_id": "x", "agent_id": "x", "phase": "Running", "kube_cr_name": "x", "reason": "x"},
            id="session",
        ),
        pytest.param(
            "agents",
            AGENT_PATCH,
            {"project_id": "x", "owner_user_id": "x", "workflow_id": "x", "current_session_id": "x"},
            id="agent",
        ),
        pytest.param(
            "projects", {"description": "d", "prompt": "p", "status": "s", "labels": "{}"}, {}, id="project"
        ),
        pytest.param(
            "users", {"username": "carol", "name": "C", "email": "c@x"}, {"is_superuser": True}, id="user"
        ),
        pytest.param(
            "roles", {"display_name": "d", "description": "x"}, {"name": "x", "built_in": True}, id="role"
        ),
        pytest.param(
            "credentials",
            {"name": "n", "provider": "jira", "url": "u", "email": "e", "description": "d", "labels": "{ }"},
            {"token": "t", "token_sealed": "x"},
            id="credential",
        ),
        pytest.param(
            "applications",
            {"name": "n", "source_path": "p", "auto_sync": True, "retry_limit": 0, "annotations": "{ }"},
            {"health_status": "Healthy", "sync_revision": "r"},
            id="application",
        ),
        pytest.param(
            "scheduled-sessions",
            {"name": "n", "description": "d", "session_prompt": "p", "timeout": 0, "runner_type": "demo"},
            {"project_id": "x", "last_run_at": "x", "created_by_user_id": "x"},
            id="schedule",
        ),
    ],
)
def test_patch_sets_what_may_be_set(world, kind, change, ignored):
    path = DETAILS[kind].format(**world)
    before = world["client"].call("get", path).json()
    after = world["client"].call("patch", path, change | ignored).json()
    assert {name: after[name] for name in change} == change
    same = set(before) - set(change) - {"updated_at"}
    assert {name: after.get(name) for name in same} == {name: before[name] for name in same}
    assert world["client"].call("get", path).json() == after
