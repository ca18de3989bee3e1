"""Two projects with one of everything in each, and callers that hold one role on something of the first."""

from collections.abc import Iterator
from typing import Any

from projects_app.models import ApiKey, Role, RoleBinding, User
from projects_app.services.api_keys import api_key_create
from projects_app.services.applications import application_create
from projects_app.services.credentials import credential_create
from projects_app.services.projects import project_create, project_settings_create
from projects_app.services.role_bindings import role_binding_create
from sessions_app.choices import Delivery, InterruptState
from sessions_app.models import SessionMessage
from sessions_app.services.interrupts import answer_text
from sessions_app.services.schedules import schedule_create
from sessions_app.services.sending import message_send
from sessions_app.services.sessions import session_create
from tests.factories import AgentFactory, InboxMessageFactory, InterruptFactory, RoleFactory, UserFactory
from tests.integration.access.reference import live
from tests.integration.access.table import Place, Row

UNKNOWN = "0" * 27
Things = dict[str, Any]


class World:
    """`own` is what the caller's role is about, `other` the same once more, of people they do not know."""

    def __init__(self, own: Things, other: Things) -> None:
        self.own, self.other = own, other
        self._rows: dict[str, list[Any]] = {}

    def rows(self, kind: str) -> list[Any]:
        """Every live row of a kind; read once, since each call is undone."""
        if kind not in self._rows:
            self._rows[kind] = live(kind)
        return self._rows[kind]

    def places(self, row: Row, *, missing: bool = True) -> Iterator[Place]:
        """Where a row is tried: every way of filling in its names, also (`missing`) by what is not there."""
        yield self._place("own", self.own)
        if not row.on and "{" not in f"{row.path}{row.body}":
            return
        yield self._place("other", self.other)
        if not missing:
            return
        target = row.on or "project"
        before, after = _around(row.names, target)
        yield self._place("unknown", self.own, {target: None})
        if (
            before
        ):  # below the other project, which must not tell what it has; and one's of the other below the own
            yield self._place("void", self.other, {target: None})
            yield self._place("elsewhere", self.own, {target: None}, {target: self.other[target].pk})
        if "project" in before:
            yield self._place("nowhere", self.own, {"project": None})
        if after:
            yield self._place("astray", self.own, {name: self.other[name] for name in after})

    def _place(
        self, name: str, things: Things, instead: Things | None = None, ids: Things | None = None
    ) -> Place:
        objects = things | (instead or {})
        named = {key: UNKNOWN if thing is None else thing.pk for key, thing in objects.items()}
        return Place(name, named | (ids or {}), objects, self.rows)

    def target(self, scope: str) -> Any:
        """What a role of this scope is given on."""
        return None if scope == "global" else self.own[scope]


def _around(names: list[str], target: str) -> tuple[list[str], list[str]]:
    """What a path names before and after the target."""
    if target not in names:
        return [], []
    at = names.index(target)
    return names[:at], names[at + 1 :]


def make_world(caller: User) -> World:
    """Everything there is, for one caller. `dora` owns it all; `bob` is somebody else."""
    dora, bob = UserFactory(username="dora"), UserFactory(username="bob")
    own = _things("own", dora, caller) | {"user": caller, "mine": None, "key": _key_of(caller)}
    other = _things("other", dora, caller) | {"user": bob, "mine": None, "key": _key_of(bob)}
    return World(own, other)


def _things(name: str, owner: User, caller: User) -> Things:
    project = project_create(actor=owner.username, values={"name": name})
    lead, idle = AgentFactory(project=project), AgentFactory(project=project)
    schedule = schedule_create(
        actor=owner.username,
        project=project,
        values={"name": "yearly", "schedule": "0 0 1 1 *", "agent_id": idle.pk},
    )
    session = session_create(
        actor=owner.username,
        project=project,
        spec={"name": "s", "prompt": "hi"},
        agent=lead,
        schedule=schedule,
    )
    session_create(actor=owner.username, project=project, spec={"name": "without an agent"})
    failed = message_send(session=session, actor=owner.username, text="again")
    SessionMessage.objects.filter(pk=failed.pk).update(delivery=Delivery.FAILED)
    application = {"name": name, "source_repo_url": "u", "source_path": "p", "destination_project": name}
    credential = credential_create(
        actor=owner, values={"name": name, "provider": "github", "token": "t"}, project=project
    )
    bindings = RoleBinding.objects.filter(project=project)
    return {
        "project": project,
        "settings": project_settings_create(actor=owner, project=project, values={}),
        "agent": lead,
        "idle": idle,
        "inbox": InboxMessageFactory(agent=lead),
        "schedule": schedule,
        "session": session,
        "message": SessionMessage.objects.get(session_id=session.pk, payload="hi"),
        "failed": failed,
        "interrupt": InterruptFactory(
            session=session,
            state=InterruptState.CANCELLED,  # by the caller: the same answer again is let through
            answer=answer_text("cancelled"),
            answered_by=caller.username,
        ),
        "credential": credential,
        "sharing": bindings.get(scope="credential", credential=credential),
        "application": application_create(values=application),
        "role": RoleFactory(),
        "binding": _bound_bystander("project:viewer", scope="project", project_id=project.pk),
        "watching": _bound_bystander("agent:observer", scope="session", session_id=session.pk),
    }


def _key_of(user: User) -> ApiKey:
    return api_key_create(user=user)[0]


def _bound_bystander(role: str, **target: str) -> RoleBinding:
    return role_binding_create(role=Role.objects.get(name=role), values=target | {"user_id": "bob"})


def filled(template: Any, place: Place) -> Any:
    """A path or body with the place's ids in its names."""
    if isinstance(template, dict):
        return {key: filled(value, place) for key, value in template.items()}
    if not isinstance(template, str):
        return template
    for name, pk in place.ids.items():
        template = template.replace("{" + name + "}", pk)
    return template
