"""Which credentials a session gets, how its runner reads them, and until when (contract 5.4)."""

import pytest

from projects_app.models import Role, RoleBinding
from projects_app.selectors import credentials_for, urls_of
from projects_app.services.credentials import credential_delete
from projects_app.services.role_bindings import role_binding_create, role_binding_delete
from projects_app.services.session_credentials import (
    session_credentials_bind,
    session_credentials_release,
)
from sessions_app.models import Session
from sessions_app.status import session_record_status
from sessions_app.tokens import issue_session_token
from tests.conftest import WireClient
from tests.factories import AgentFactory, CredentialFactory, ProjectFactory, SessionFactory
from tests.fakes.provider_api import PAT
from tests.integration.api.test_wire import check_error
from tests.integration.credentials.test_renewal import age, ended


@pytest.fixture
def places(project):
    """Where a binding may point: the session's own agent and project, others, and everywhere."""
    return {
        "agent": {"project_id": "demo", "agent_id": AgentFactory(project=project).pk},
        "project": {"project_id": "demo"},
        "platform": {},
        "other agent": {"project_id": "demo", "agent_id": AgentFactory(project=project).pk},
        "other project": {"project_id": ProjectFactory(id="other").pk},
    }


def share(credential, place, role="credential:viewer", **values):
    values = {"scope": "credential", "credential_id": credential.pk, **place, **values}
    return role_binding_create(role=Role.objects.get(name=role), values=values)


RULES = [
    # bindings in the order they are made, as (place, further values); which of them a session gets
    pytest.param([("project", {}), ("platform", {}), ("agent", {})], 2, id="the-agents-before-all"),
    pytest.param([("platform", {}), ("project", {})], 1, id="the-projects-before-the-platforms"),
    pytest.param([("platform", {})], 0, id="the-platforms-where-there-is-no-other"),
    pytest.param([("platform", {}), ("platform", {})], 0, id="of-two-the-oldest"),
    pytest.param([], None, id="none"),
    pytest.param([("other agent", {}), ("other project", {})], None, id="none-of-others"),
    pytest.param([("agent", {"role": "credential:owner"})], None, id="owning-is-not-using"),
    pytest.param([("project", {"user_id": "bob"})], None, id="a-persons-role-is-not-the-projects"),
    pytest.param([("platform", {"user_id": "bob"})], None, id="a-persons-role-is-not-everybodys"),
]


@pytest.mark.parametrize(("bindings", "expected"), RULES)
def test_which_credential_a_session_gets(places, bindings, expected):
    made = []
    for place, values in bindings:
        made.append(CredentialFactory())
        share(made[-1], places[place], **values)
    found = credentials_for(project_id="demo", agent_id=places["agent"]["agent_id"])
    assert found == ({} if expected is None else {"github": made[expected].pk})


def test_a_session_without_an_agent_gets_no_agents(places):
    share(CredentialFactory(), places["agent"])
    assert credentials_for(project_id="demo", agent_id=None) == {}


def test_one_of_each_provider(places):
    pair = {provider: CredentialFactory(provider=provider) for provider in ("github", "jira")}
    for credential in pair.values():
        share(credential, places["project"])
    found = credentials_for(project_id="demo", agent_id=None)
    assert found == {provider: credential.pk for provider, credential in pair.items()}


def test_addresses_of_those_that_have_one(places):
    """So the runner knows which hosts they are for."""
    made = {
        "github": CredentialFactory(),
        "gitlab": CredentialFactory(provider="gitlab", url="https://git.corp"),
        "jira": CredentialFactory(provider="jira", url=""),
    }
    found = urls_of({provider: credential.pk for provider, credential in made.items()})
    assert found == {"gitlab": "https://git.corp"}


def test_what_is_deleted_does_not_count(places):
    credential, other = CredentialFactory(), CredentialFactory()
    share(credential, places["agent"])
    role_binding_delete(binding=share(other, places["project"]))
    credential_delete(credential=credential)
    assert credentials_for(project_id="demo", agent_id=places["agent"]["agent_id"]) == {}


# A running session


@pytest.fixture
def shared(make_credential, places):
    credential = make_credential("github", PAT)
    share(credential, places["project"])
    return credential


def running(project, **values):
    session = SessionFactory(project=project)
    Session.objects.filter(pk=session.pk).update(**{"phase": "Running", "attempt": 1} | values)
    session.refresh_from_db()
    return session


@pytest.fixture
def session(project):
    return running(project)


def bind(session):
    return session_credentials_bind(
        session_id=session.pk, project_id=session.project_id, agent_id=session.agent_id
    )


def runner_of(session):
    return WireClient(headers={"Authorization": f"Bearer {issue_session_token(session).token}"})


def test_its_runner_reads_the_token_and_nothing_else_of_it(session, shared, caplog):
    assert bind(session) == {"github": shared.pk}
    runner, path = runner_of(session), f"/credentials/{shared.pk}"
    assert runner.call("get", f"{path}/token").json()["token"] == PAT
    assert runner.call("get", f"/projects/demo{path}/token").json()["token"] == PAT
    event = next(record.msg for record in caplog.records if "credential token read" in record.getMessage())
    assert (event["credential"], event["reader"]) == (shared.pk, f"session:{session.pk}")
    check_error(runner.call("get", path), 404, "7")
    assert runner.call("get", "/credentials").json()["total"] == 0
    for method, suffix, body in (("patch", "", {"url": "https://x"}), ("delete", "", None)):
        check_error(runner.call(method, path + suffix, body), 403, "4")


def test_no_other_session_reads_it(session, shared, project):
    bind(session)
    other = runner_of(running(project))
    check_error(other.call("get", f"/credentials/{shared.pk}/token"), 404, "7")
    check_error(other.call("get", f"/projects/demo/credentials/{shared.pk}/token"), 404, "7")


def test_a_long_session_gets_new_tokens(session, make_credential, places, providers):
    app = make_credential("github", providers.github_app())
    share(app, places["project"])
    bind(session)
    first = runner_of(session).call("get", f"/credentials/{app.pk}/token").json()
    age(app, access_renew_at=ended())
    second = runner_of(session).call("get", f"/credentials/{app.pk}/token").json()
    assert (first["token"], second["token"]) == ("short-lived-1", "short-lived-2")
    assert "expires_at" in second


def test_another_start_of_the_runner_binds_nothing_twice(session, shared):
    assert bind(session) == bind(session)
    assert RoleBinding.objects.held_by_session(session.pk).count() == 1


def test_what_the_project_changes_does_not_disturb_a_running_session(session, shared):
    bind(session)
    role_binding_delete(
        binding=RoleBinding.objects.get(project_id="demo", user_id=None, role__name="credential:viewer")
    )
    assert bind(session) == {"github": shared.pk}
    assert runner_of(session).call("get", f"/credentials/{shared.pk}/token").status_code == 200


def test_a_deleted_credential_is_gone_at_once(session, shared):
    bind(session)
    credential_delete(credential=shared)
    check_error(runner_of(session).call("get", f"/credentials/{shared.pk}/token"), 404, "7")
    assert bind(session) == {}


@pytest.mark.parametrize("phase", ["Failed", "Completed"])
def test_the_end_takes_the_credentials_away(session, shared, phase):
    bind(session)
    session_record_status(session=session, phase=phase, reason="x", reason_text="")
    assert not RoleBinding.objects.held_by_session(session.pk).exists()


def test_a_deleted_session_has_none(session, shared):
    from sessions_app.services.sessions import session_delete

    bind(session)
    session_delete(session=session)
    assert not RoleBinding.objects.held_by_session(session.pk).exists()


def test_nobody_gives_a_session_a_credential_by_hand(admin_client_wire, api_client, session, shared):
    """Neither with the internal role nor with another: only what the platform resolves counts."""
    values = {
        "scope": "credential",
        "credential_id": shared.pk,
        "session_id": session.pk,
        "user_id": f"session:{session.pk}",
    }
    for client in (admin_client_wire, api_client):
        for role in ("credential:token-reader", "credential:owner"):
            client.call("post", "/role_bindings", values | {"role_id": role})
    check_error(runner_of(session).call("get", f"/credentials/{shared.pk}/token"), 404, "7")


def test_release_is_safe_to_repeat(session, shared):
    bind(session)
    for _ in range(2):
        session_credentials_release(session_id=session.pk)
    check_error(runner_of(session).call("get", f"/credentials/{shared.pk}/token"), 404, "7")
