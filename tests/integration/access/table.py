"""The access table: one row for each route and method. A new route needs one line here.

    Row("PATCH", "/sessions/{session}", "session:update", body={"name": "y"})

reads: to change a session one needs session:update on it. `{session}` stands for a session of the project
that the caller holds a role on, of another project, or one that does not exist. What the row does not say:

- `on`       whose permissions count; the last name in braces
- `sees`     what makes it visible; the kind's usual one (`SEES`). Invisible: 404 to a read, 403 to a write
- `also`     one more permission, on another thing of the path or body
- `below`    what must be visible first, as the agent of an inbox
- `ok`       the status for who may; 200, POST 201, DELETE 204
- `missing`  the status for an id that does not exist; 404
- `lists`    the kind that the answer lists; it is compared with the reference, row by row
- `within`   attributes that the listed rows have
- `late`     refused by its service, which may have begun by then: its transaction takes that back
- `rule`     a rule by name in place of all this
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from projects_app.models import Role
from tests.integration.access.reference import HIGHEST, KINDS, Person, Runner, scopes_of

GONE = 204  # deleting what does not exist is done already

KIND = {"idle": "agent", "mine": "binding", "sharing": "binding", "watching": "binding"}
"""Names that are not those of their kind."""


def kind_of(name: str) -> str:
    return KIND.get(name, name)


SEES = {
    "project": ("project:read",),
    "settings": ("project:read",),
    "agent": ("agent:read",),
    "inbox": ("agent:read",),
    "session": ("session:read",),
    "schedule": ("session:read",),
    "credential": ("credential:read",),
}


@dataclass(frozen=True)
class Row:
    """One route and method (or several methods of one kind)."""

    method: str
    path: str
    needs: str | tuple[str, ...] = ()
    on: str = ""
    sees: tuple[str, ...] = ()
    also: tuple[str, str] | None = None
    below: str = ""
    body: Any = None
    ok: int = 0
    missing: int = 404
    lists: str = ""
    within: dict[str, str] = field(default_factory=dict)
    late: bool = False
    rule: "Callable[[Row, Person, Place], int] | None" = None

    def __post_init__(self) -> None:
        if not self.on and self.names:
            object.__setattr__(self, "on", self.names[-1])

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names(self) -> list[str]:
        """The names in braces of the path, in order."""
        return re.findall(r"{(\w+)}", self.path.partition("?")[0])

    @property
    def allowed(self) -> int:
        return self.ok or {"POST": 201, "DELETE": 204}.get(self.method, 200)

    @property
    def any_of(self) -> tuple[str, ...]:
        return (self.needs,) if isinstance(self.needs, str) else self.needs


@dataclass
class Place:
    """What the names in braces stand for in one call. An object is None when its id names nothing there."""

    name: str  # see `World.places`
    ids: dict[str, str]
    objects: dict[str, Any]
    rows: Callable[[str], list[Any]]  # every live row of a kind

    def scopes(self, name: str) -> dict[str, str | None]:
        row, kind = self.objects[name], kind_of(name)
        return {kind: self.ids[name]} if row is None else scopes_of(kind, row)


def expected(row: Row, who: Person, place: Place) -> int:
    """The status of one call of a caller with a valid token (contract 4.3 to 4.7)."""
    if place.name == "nowhere":
        return 404
    if row.rule is not None:
        return row.rule(row, who, place)
    if row.lists:
        return _of_list(row, who, place)
    return _of_object(row, who, place)


def _of_object(row: Row, who: Person, place: Place) -> int:
    hidden = 404 if row.method in ("GET", "WS") else 403
    if row.below and not _sees(who, place, row.below, SEES[kind_of(row.below)]):
        return hidden
    if place.objects[row.on] is None:
        return row.missing
    if not _sees(who, place, row.on, row.sees or SEES[kind_of(row.on)]):
        return hidden
    permitted = any(who.holds(each, place.scopes(row.on)) for each in row.any_of)
    if row.also is not None:
        permitted = permitted and who.holds(row.also[0], place.scopes(row.also[1]))
    if not permitted:
        return 403
    return 404 if place.name == "astray" else row.allowed


def _sees(who: Person, place: Place, name: str, permissions: tuple[str, ...]) -> bool:
    return any(who.holds(permission, place.scopes(name)) for permission in permissions)


def _of_list(row: Row, who: Person, place: Place) -> int:
    """Below a project: there for who sees the project, or something in the list. Other lists always are."""
    if not row.on:
        return row.allowed
    if place.objects[row.on] is None:
        return 404
    if row.on == "agent":
        return row.allowed if _sees(who, place, "agent", SEES["agent"]) else 404
    if row.on != "project" and not _sees(who, place, row.on, SEES[kind_of(row.on)]):
        return 404
    return row.allowed if _sees(who, place, "project", SEES["project"]) or listed(row, who, place) else 404


def listed(row: Row, who: Person, place: Place) -> set[str]:
    """Ids of what the list holds for this caller."""
    return {
        found.pk
        for found in place.rows(row.lists)
        if who.sees(row.lists, found)
        and all(getattr(found, name) == place.ids[thing] for name, thing in row.within.items())
    }


# Rules by name. Each says the status.


def open_to_all(row: Row, who: Person, place: Place) -> int:
    """No token is needed."""
    return row.allowed


def any_token(row: Row, who: Person, place: Place) -> int:
    """Any valid token will do, a runner's too."""
    return row.allowed


def any_person(row: Row, who: Person, place: Place) -> int:
    """Every signed-in person; a runner or a narrowed key only with the permission for it."""
    assert isinstance(row.needs, str)
    return row.allowed if who.as_person(row.needs) else 403


def own_runner(row: Row, who: Person, place: Place) -> int:
    """The session's own runner and nobody else, not even an administrator."""
    session = place.objects["session"]
    if session is None:
        return 404
    if not who.sees("session", session):
        return 404 if row.method == "GET" else 403
    return row.allowed if isinstance(who, Runner) else 403


def own_runner_saves(row: Row, who: Person, place: Place) -> int:
    """To all but the session's own runner there is nothing; here no platform saves files (409)."""
    session = place.objects["session"]
    own = session is not None and isinstance(who, Runner) and who.sees("session", session)
    return 409 if own else 404


def everywhere_only(row: Row, who: Person, place: Place) -> int:
    """Users and roles belong to nothing: the permission must hold everywhere."""
    assert isinstance(row.needs, str)
    kind = row.on
    if kind and place.objects[kind] is None:
        return row.missing
    return row.allowed if who.everywhere(row.needs) else 403


def visible(row: Row, who: Person, place: Place) -> int:
    """Who sees it may read it."""
    found = place.objects[row.on]
    return row.allowed if found is not None and who.sees(kind_of(row.on), found) else 404


def settings_of_a_project(row: Row, who: Person, place: Place) -> int:
    """The body names the project; whether there is one is only told to who may change all projects."""
    if place.objects["project"] is None:
        return 400 if who.everywhere("project:update") else 403
    return row.allowed if who.holds("project:update", place.scopes("project")) else 403


def target_of_an_application(row: Row, who: Person, place: Place) -> int:
    """Who may change the target project, or change applications."""
    if not who.as_person("application:create"):
        return 403
    scopes = place.scopes("project")
    if not who.holds("application:create", scopes) and not who.holds("project:update", scopes):
        return 403
    return 400 if place.objects["project"] is None else row.allowed


def change_an_application(row: Row, who: Person, place: Place) -> int:
    """Who sees it and may change applications there, or change its target project."""
    found = place.objects["application"]
    if found is None:
        return row.missing
    scopes = place.scopes("application")
    assert isinstance(row.needs, str)
    may = who.holds(row.needs, scopes) or who.holds("project:update", scopes)
    return row.allowed if who.sees("application", found) and may else 403


def credential_for_a_project(row: Row, who: Person, place: Place) -> int:
    """To make one here takes an owner or editor of the project, or level 0: it is bound to it."""
    if place.objects["project"] is None:
        return 404
    if not who.holds("project:read", place.scopes("project")) or not who.as_person("credential:create"):
        return 403
    return row.allowed if _may_bind_into(who, place.ids["project"]) else 403


def _may_bind_into(who: Person, project: str) -> bool:
    if who.key_project is not None or not who.as_person("role_binding:create", project):
        return False
    return who.level({}) == HIGHEST or who.has_role({"project:owner", "project:editor"}, "project", project)


def give_a_role(row: Row, who: Person, place: Place) -> int:
    """Contract 4.4: internal roles never, others strictly below one's own level on the target."""
    scope = row.body["scope"]
    project = place.ids["project"] if "project_id" in row.body else None
    if scope in ("agent", "session") and place.objects[scope] is not None:
        project = place.scopes(scope)["project"]
    if not who.as_person("role_binding:create", project):
        return 403
    if not who.may_give(role_of(row), scope, {} if scope == "global" else place.scopes(scope)):
        return 403
    if scope == "credential":
        if not who.has_role({"credential:owner"}, "credential", place.ids["credential"]):
            return 403
        if not _may_bind_into(who, place.ids["project"]):
            return 403
    return row.allowed if scope == "global" or place.objects[scope] is not None else 400


def change_a_binding(row: Row, who: Person, place: Place) -> int:
    """Level 0 any; others the role of their own, to one below their level, where they may change bindings."""
    found = place.objects[row.on]
    if found is None:
        return 404
    if not who.sees("binding", found) or not who.holds("role_binding:update", place.scopes(row.on)):
        return 403
    if who.level({}) != HIGHEST and found.user_id != who.username:
        return 403
    return row.allowed if who.may_give(role_of(row), found.scope, target_scopes(found)) else 403


def take_a_binding(row: Row, who: Person, place: Place) -> int:
    """Contract 4.4, DELETE; the last owner is not among these."""
    found = place.objects[row.on]
    if found is None:
        return 404
    if not who.sees("binding", found) or not who.as_person(
        "role_binding:delete", place.scopes(row.on)["project"]
    ):
        return 403
    return row.allowed if may_take(who, found) else 403


def may_take(who: Person, found: Any) -> bool:
    if who.level({}) == HIGHEST:
        return True
    if found.scope == "credential":
        editors = {"project:owner", "project:editor"}
        return who.has_role({"credential:owner"}, "credential", found.credential_id) or (
            found.project_id is not None and who.has_role(editors, "project", found.project_id)
        )
    mine = who.level(target_scopes(found))
    if mine is None or mine > 1 or found.role.level is None or found.role.level < mine:
        return False
    return found.role.level > mine or found.user_id == who.username


def role_of(row: Row) -> Role:
    """The role that the body names."""
    return Role.objects.get(name=row.body["role_id"])


def target_scopes(binding: Any) -> dict[str, str | None]:
    """What the object that a binding is scoped to belongs to."""
    if binding.scope == "global":
        return {}
    pk = getattr(binding, f"{binding.scope}_id")
    found = KINDS[binding.scope].objects.filter(pk=pk, deleted_at=None).first()
    return {binding.scope: pk} if found is None else scopes_of(binding.scope, found)


def ask_of_oneself(row: Row, who: Person, place: Place) -> int:
    """What is visible; a runner asks nothing."""
    if isinstance(who, Runner):
        return 403
    found = place.objects["project"]
    return row.allowed if found is not None and who.sees("project", found) else 404


def make_a_key(row: Row, who: Person, place: Place) -> int:
    """Everybody for themselves; a narrowed key makes none that is wider, as this one would be."""
    narrowed = who.key_project is not None or who.key_permissions is not None
    return 403 if narrowed or isinstance(who, Runner) else row.allowed


def revoke_a_key(row: Row, who: Person, place: Place) -> int:
    """One's own, or any for who may delete keys everywhere."""
    found = place.objects["key"]
    if found is None:
        return row.missing
    if not who.sees("key", found):
        return 403
    own = found.user.username == who.username and who.as_person("api_key:delete", found.project_id)
    return row.allowed if own or who.holds("api_key:delete", place.scopes("key")) else 403


USE = ("session:create", "session:update")
"""Either lets one talk to a session and configure it."""
NO_RUNNER = 503
"""The session here has no runner: the call was let through to it."""
MESSAGE = {"messages": [{"id": "m", "role": "user", "content": "x"}]}
REPO = {"url": "https://git.example/a/b.git"}
FILE = "/sessions/{session}/workspace/a.txt"
UPLOAD = "/sessions/{session}/files/a.txt"
APPLICATION = {
    "name": "fresh",
    "source_repo_url": "u",
    "source_path": "p",
    "destination_project": "{project}",
}
AGENT = "/projects/{project}/agents/{agent}"
SCHEDULE = "/projects/{project}/scheduled-sessions/{schedule}"
BOUND = "/projects/{project}/credentials/{credential}"
QUESTION = {"permission": "session:stop", "project_id": "{project}"}
HERE = {"project_id": "project"}
OF_AGENT = {"agent_id": "agent"}
TOKEN_TOO = ("credential:read", "credential:fetch_token")


def given(role: str, scope: str, **more: str) -> dict[str, str]:
    """The body of a new binding."""
    names = {} if scope == "global" else {f"{scope}_id": "{" + scope + "}"}
    return {"role_id": role, "scope": scope, "user_id": "newcomer"} | names | more


ROWS = [
    # this server
    *(Row("GET", path, rule=open_to_all) for path in ("//healthz", "//healthcheck", "//readyz", "//metrics")),
    Row("GET", "//", rule=open_to_all, ok=302),
    Row("GET", "//favicon.ico", rule=open_to_all, ok=204),
    Row("GET", "//static/ambient/admin.css", rule=open_to_all),
    Row("GET", "//api/ambient", rule=open_to_all),
    Row("GET", "/version", rule=open_to_all),
    Row("GET", "/auth/config", rule=open_to_all),
    Row("GET", "/openapi", rule=open_to_all),
    Row("GET", "/openapi.html", rule=open_to_all),
    *(
        Row(method, path, rule=rule, ok=404)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        for path, rule in (
            ("//api/ambient/v1", open_to_all),
            ("/errors", open_to_all),
            ("/nothing", any_token),
        )
    ),
    # projects
    Row("GET", "/projects", lists="project"),
    Row("POST", "/projects", "project:create", rule=any_person, body={"name": "fresh"}),
    Row("GET", "/projects/{project}", "project:read"),
    Row("PATCH", "/projects/{project}", "project:update", body={"description": "y"}),
    Row("DELETE", "/projects/{project}", "project:delete", missing=GONE),
    Row("PATCH", "/projects/{project}/labels", "project:update", body={"a": "b"}),
    Row("PATCH", "/projects/{project}/annotations", "project:update", body={"a": "b"}),
    Row("GET", "/projects/{project}/home", lists="agent", within=HERE),
    Row("GET", "/project_settings", lists="settings"),
    Row("GET", "/project_settings?project_id={project}", lists="settings", within=HERE),
    # both projects have settings already
    Row("POST", "/project_settings", rule=settings_of_a_project, body={"project_id": "{project}"}, ok=409),
    Row("GET", "/project_settings/{settings}", "project:read"),
    Row("PATCH", "/project_settings/{settings}", "project:update", body={"runner_type": "demo"}),
    Row("DELETE", "/project_settings/{settings}", "project:update", missing=GONE),
    # agents
    Row("GET", "/projects/{project}/agents", lists="agent", within=HERE),
    Row("POST", "/projects/{project}/agents", "agent:create", body={"name": "fresh"}),
    Row("GET", AGENT, "agent:read"),
    Row("PATCH", AGENT, "agent:update", body={"prompt": "y"}),
    Row("DELETE", AGENT, "agent:delete"),
    Row("PATCH", f"{AGENT}/labels", "agent:update", body={"a": "b"}),
    Row("PATCH", f"{AGENT}/annotations", "agent:update", body={"a": "b"}),
    Row("GET", f"{AGENT}/start", "agent:start"),
    Row("POST", f"{AGENT}/start", "agent:start", ok=200),  # it is at work already
    Row("POST", "/projects/{project}/agents/{idle}/start", "agent:start"),
    Row("GET", f"{AGENT}/ignition", "agent:start"),
    Row("GET", f"{AGENT}/sessions", "agent:read", lists="session", within=OF_AGENT),
    Row("GET", f"{AGENT}/role_bindings", "agent:read", lists="binding", within=OF_AGENT),
    Row("GET", f"{AGENT}/inbox", "agent:read", lists="inbox", within=OF_AGENT),
    Row("POST", f"{AGENT}/inbox", "agent:create", body={"body": "x"}),
    Row("GET", f"{AGENT}/inbox/{{inbox}}", "agent:read", below="agent"),
    Row("PATCH", f"{AGENT}/inbox/{{inbox}}", "agent:update", below="agent", body={"read": True}),
    Row("DELETE", f"{AGENT}/inbox/{{inbox}}", "agent:delete", below="agent"),
    # sessions
    Row("GET", "/sessions", lists="session"),
    Row("GET", "/sessions?project_id={project}", lists="session", within=HERE),
    Row("POST", "/sessions", "session:create", body={"name": "x", "project_id": "{project}"}, on="project"),
    Row("GET", "/sessions/{session}", "session:read"),
    Row("PATCH", "/sessions/{session}", "session:update", body={"name": "y"}),
    Row("DELETE", "/sessions/{session}", "session:delete", missing=GONE),
    Row("PATCH", "/sessions/{session}/labels", "session:update", body={"a": "b"}),
    Row("PATCH", "/sessions/{session}/annotations", "session:update", body={"a": "b"}),
    Row("POST", "/sessions/{session}/start", "session:start", ok=200),
    Row("POST", "/sessions/{session}/stop", "session:stop", ok=200),
    Row("PATCH", "/sessions/{session}/status", rule=own_runner, body={"sdk_session_id": "s"}),
    Row("POST", "/sessions/{session}/clone", "session:read", also=("session:create", "project")),
    Row("POST", "/sessions/{session}/repos", USE, body=REPO, ok=200),
    Row("DELETE", "/sessions/{session}/repos/b", USE, ok=200),
    Row("POST", "/sessions/{session}/workflow", USE, body={"git_url": "https://git.example/a/b"}, ok=200),
    Row("POST", "/sessions/{session}/model", USE, body={"model": "m"}, ok=200),
    Row("PATCH", "/sessions/{session}/displayname", "session:update", body={"name": "y"}),
    Row("GET", "/sessions/{session}/workflow/metadata", "session:read"),
    Row("GET", "/sessions/{session}/export", "session:read"),
    Row("GET", "/sessions/{session}/pod-events", "session:read"),
    Row("GET", "/sessions/{session}/oauth/google/url", "session:read", ok=501),
    # their conversation
    Row("GET", "/sessions/{session}/messages", "session:read"),
    Row("POST", "/sessions/{session}/messages", USE, body={"payload": "x"}),
    Row(
        "PATCH",
        "/sessions/{session}/messages/{message}",
        "session:update",
        on="session",
        body={"payload": "y"},
    ),
    Row("DELETE", "/sessions/{session}/messages/{message}", "session:update", on="session"),
    Row("POST", "/sessions/{session}/messages/{failed}/retry", "session:update", on="session", ok=200),
    Row("GET", "/sessions/{session}/events", "session:read"),
    Row("GET", "/sessions/{session}/events/history", "session:read"),
    Row("GET", "/sessions/{session}/agui/events", "session:read"),
    Row("WS", "/sessions/{session}/agui/ws", "session:read", ok=101),
    Row("POST", "/sessions/{session}/agui/run", USE, body=MESSAGE, ok=200),
    Row("POST", "/sessions/{session}/agui/interrupt", "session:update", body={}, ok=NO_RUNNER),
    Row("GET", "/sessions/{session}/runs", "session:read"),
    Row("GET", "/sessions/{session}/interrupts", "session:read"),
    Row(
        "POST",
        "/sessions/{session}/interrupts/{interrupt}/answer",
        "session:update",
        on="session",
        body={"status": "cancelled"},
        ok=200,
    ),
    Row("GET", "/sessions/{session}/sdk_keys", rule=own_runner),
    Row("GET", "/sessions/{session}/sdk_entries?key=k", rule=own_runner),
    Row(
        "POST",
        "/sessions/{session}/sdk_entries",
        rule=own_runner,
        body={"key": "k", "position": 1, "entries": ['"x"']},
        ok=200,
    ),
    Row("GET", "/sessions/{session}/workspace-snapshot", rule=own_runner_saves),
    Row(
        "POST",
        "/sessions/{session}/workspace-snapshot",
        rule=own_runner_saves,
        body={"size": 1, "sha256": "a" * 64},
    ),
    Row("POST", "/sessions/{session}/workspace-snapshot/x/complete", rule=own_runner_saves),
    Row(
        "POST", "/sessions/{session}/workspace-snapshot/failed", rule=own_runner_saves, body={"message": "x"}
    ),
    # what their runner answers
    Row("GET", "/sessions/{session}/agui/capabilities", "session:read"),
    Row(
        "POST",
        "/sessions/{session}/agui/feedback",
        USE,
        body={"type": "META", "metaType": "thumbs_up"},
        ok=NO_RUNNER,
    ),
    Row("GET", "/sessions/{session}/agui/tasks", "session:read"),
    Row("POST", "/sessions/{session}/agui/tasks/t/stop", USE, ok=NO_RUNNER),
    Row("GET", "/sessions/{session}/agui/tasks/t/output", "session:read", ok=NO_RUNNER),
    Row("GET", "/sessions/{session}/mcp/status", "session:read"),
    Row("GET", "/sessions/{session}/workspace", "session:read"),
    Row("GET", FILE, "session:read", ok=NO_RUNNER),
    Row("PUT", FILE, USE, body=b"x", ok=NO_RUNNER),
    Row("DELETE", FILE, USE, ok=NO_RUNNER),
    Row("GET", "/sessions/{session}/files", "session:read"),
    Row("PUT", UPLOAD, USE, body=b"x", ok=NO_RUNNER),
    Row("DELETE", UPLOAD, USE, ok=NO_RUNNER),
    Row("GET", "/sessions/{session}/git/status", "session:read"),
    Row("GET", "/sessions/{session}/git/branches", "session:read"),
    Row("POST", "/sessions/{session}/git/configure-remote", USE, body={"remoteUrl": "u"}, ok=NO_RUNNER),
    Row("GET", "/sessions/{session}/repos/status", "session:read"),
    # schedules
    Row("GET", "/projects/{project}/scheduled-sessions", lists="schedule", within=HERE),
    Row(
        "POST",
        "/projects/{project}/scheduled-sessions",
        "session:create",
        body={"name": "fresh", "schedule": "0 0 1 1 *"},
    ),
    Row("GET", SCHEDULE, "session:read"),
    Row("PATCH", SCHEDULE, "session:update", body={"description": "y"}),
    Row("DELETE", SCHEDULE, "session:delete"),
    Row("POST", f"{SCHEDULE}/suspend", "session:create", ok=200),
    Row("POST", f"{SCHEDULE}/resume", "session:create", ok=200),
    Row("POST", f"{SCHEDULE}/trigger", "session:create", also=("agent:start", "idle"), ok=200),
    Row("GET", f"{SCHEDULE}/runs", "session:read", lists="session", within={"schedule_id": "schedule"}),
    # credentials
    Row("GET", "/credentials", lists="credential"),
    Row("POST", "/credentials", "credential:create", rule=any_person, body={"name": "x", "provider": "jira"}),
    Row("GET", "/credentials/{credential}", "credential:read"),
    Row("PATCH", "/credentials/{credential}", "credential:update", body={"description": "y"}),
    Row("DELETE", "/credentials/{credential}", "credential:delete", missing=GONE),
    Row("PATCH", "/credentials/{credential}/labels", "credential:update", body={"a": "b"}),
    Row("PATCH", "/credentials/{credential}/annotations", "credential:update", body={"a": "b"}),
    Row("GET", "/credentials/{credential}/token", "credential:fetch_token", sees=TOKEN_TOO),
    Row("POST", "/credentials/{credential}/test", "credential:fetch_token", sees=TOKEN_TOO, ok=200),
    Row("POST", f"{BOUND}/test", "credential:fetch_token", sees=TOKEN_TOO, ok=200),
    Row("GET", "/projects/{project}/credentials", lists="credential", within={"pk": "credential"}),
    Row(
        "POST",
        "/projects/{project}/credentials",
        rule=credential_for_a_project,
        late=True,
        body={"name": "x", "provider": "jira"},
    ),
    Row("GET", BOUND, "credential:read"),
    Row("PATCH", BOUND, "credential:update", body={"description": "y"}),
    Row("DELETE", BOUND, "credential:delete", missing=GONE),
    Row("PATCH", f"{BOUND}/labels", "credential:update", body={"a": "b"}),
    Row("PATCH", f"{BOUND}/annotations", "credential:update", body={"a": "b"}),
    Row("GET", f"{BOUND}/token", "credential:fetch_token", sees=TOKEN_TOO),
    # applications
    Row("GET", "/applications", lists="application"),
    Row("POST", "/applications", rule=target_of_an_application, body=APPLICATION),
    Row("GET", "/applications/{application}", rule=visible),
    Row("GET", "/applications/{application}/status", rule=visible),
    Row(
        "PATCH",
        "/applications/{application}",
        "application:update",
        rule=change_an_application,
        body={"source_path": "q"},
    ),
    Row(
        "DELETE",
        "/applications/{application}",
        "application:delete",
        rule=change_an_application,
        missing=GONE,
    ),
    *(
        Row(
            "PATCH",
            f"/applications/{{application}}/{what}",
            "application:update",
            rule=change_an_application,
            body={},
        )
        for what in ("labels", "annotations")
    ),
    *(
        Row(
            "POST",
            f"/applications/{{application}}/{what}",
            "application:update",
            rule=change_an_application,
            ok=200,
        )
        for what in ("sync", "refresh")
    ),
    # who may what, and who changed what
    Row("GET", "/projects/{project}/access", "role_binding:read"),
    Row("GET", f"{AGENT}/access", "role_binding:read"),
    Row("GET", "/sessions/{session}/access", "role_binding:read"),
    Row("GET", "/credentials/{credential}/access", "role_binding:create"),
    Row("POST", "/access/check", rule=ask_of_oneself, body=QUESTION, ok=200),
    Row("GET", "/audit", rule=any_token),  # which entries: tests/integration/audit
    Row("GET", "/audit/export", rule=any_token),
    # people and roles
    Row("GET", "/users", lists="user"),
    Row("POST", "/users", "user:create", rule=everywhere_only, body={"username": "x", "name": "x"}),
    Row("GET", "/users/{user}", rule=visible),
    Row("PATCH", "/users/{user}", "user:update", rule=everywhere_only, body={"name": "y"}),
    Row("DELETE", "/users/{user}", "user:delete", rule=everywhere_only, missing=GONE),
    Row("GET", "/api_keys", lists="key"),
    Row("POST", "/api_keys", rule=make_a_key, body={"name": "x"}),
    Row("GET", "/api_keys/{key}", rule=visible),
    Row("DELETE", "/api_keys/{key}", rule=revoke_a_key, missing=GONE),
    Row("GET", "/roles", lists="role"),
    Row("POST", "/roles", "role:create", rule=everywhere_only, body={"name": "x"}),
    Row("GET", "/roles/{role}", rule=visible),
    Row("PATCH", "/roles/{role}", "role:update", rule=everywhere_only, body={"description": "y"}),
    Row("DELETE", "/roles/{role}", "role:delete", rule=everywhere_only, missing=GONE),
    Row("GET", "/role_bindings", lists="binding"),
    *(
        Row("POST", "/role_bindings", rule=give_a_role, body=body, on=body["scope"].replace("global", ""))
        for body in (
            given("project:viewer", "project"),
            given("project:editor", "project"),
            given("project:owner", "project"),
            given("agent:runner", "project"),
            given("agent:observer", "agent"),
            given("agent:operator", "agent"),
            given("agent:observer", "session"),
            given("credential:viewer", "credential", project_id="{project}"),
            given("platform:viewer", "global"),
        )
    ),
    Row("GET", "/role_bindings/{binding}", rule=visible),
    Row("GET", "/role_bindings/{mine}", rule=visible),
    Row("GET", "/role_bindings/{watching}", rule=visible),
    *(
        Row(method, f"/role_bindings/{{{which}}}", rule=rule, body=body)
        for which in ("binding", "sharing", "mine", "watching")
        for method, rule, body in (
            ("PATCH", change_a_binding, {"role_id": "agent:observer"}),
            ("DELETE", take_a_binding, None),
        )
    ),
]

FRAMES = {
    # what a client may do over an open websocket: any of these permissions on the session
    "send": ({"text": "x"}, USE),
    "answer": ({"interrupt_id": "{interrupt}", "status": "cancelled"}, ("session:update",)),
    "interrupt": ({}, ("session:update",)),
}
ELSEWHERE = {
    "admin/": "the admin: tests/integration/admin",
    "admin/logout/": "the same, and tests/integration/oidc",
    "oidc/sign-in": "signing in: tests/integration/oidc",
    "oidc/callback": "the same",
}
"""Parts of the URL configuration that this table leaves out, and where they are tested."""
