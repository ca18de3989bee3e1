"""verify_access finds what bindings and grants do not agree on, and mends it."""

import pytest
from django.contrib.auth.models import Group, Permission

from projects_app.access import allows
from projects_app.models import (
    GlobalGrant,
    ProjectGroupObjectPermission,
    ProjectUserObjectPermission,
    Role,
    RoleBinding,
    User,
)
from projects_app.services.verify import access_verify
from tests.factories import CredentialFactory, UserFactory

AGREE = "grants and bindings agree\n"


@pytest.fixture
def bound(bind_role, project, user):
    """Alice views the project, which Olga owns, and, through a group, the whole platform."""
    bind_role("project:owner", project, to=UserFactory(username="olga"))
    bind_role("project:viewer", project)
    group = Group.objects.create(name="night")
    user.groups.add(group)
    from projects_app.services.role_bindings import role_binding_create

    role_binding_create(
        role=Role.objects.get(name="platform:viewer"), values={"scope": "global", "group_id": group.pk}
    )
    return user


def permission(codename):
    return Permission.objects.get(
        content_type__app_label="projects_app", content_type__model="project", codename=codename
    )


def lose_grant(user, project):
    ProjectUserObjectPermission.objects.filter(user=user, permission__codename="session:read").delete()


def add_grant(user, project):
    ProjectUserObjectPermission.objects.create(
        user=user, content_object=project, permission=permission("session:stop")
    )


def lose_group_grant(user, project):
    GlobalGrant.objects.filter(permission="session:list").delete()


def add_group_grant(user, project):
    ProjectGroupObjectPermission.objects.create(
        group=Group.objects.get(), content_object=project, permission=permission("session:stop")
    )


def grant_to_a_stranger(user, project):
    GlobalGrant.objects.create(user=UserFactory(username="stranger"), permission="role:create")


def grant_to_a_deleted_user(user, project):
    gone = UserFactory(username="gone", deleted_at="2026-01-01T00:00:00Z")
    GlobalGrant.objects.create(user=gone, permission="role:create")


def change_role_behind_its_back(user, project):
    Role.objects.filter(name="project:viewer").update(permissions='["session:*"]')


def remove_binding_behind_its_back(user, project):
    RoleBinding.objects.filter(user_id="alice").update(deleted_at="2026-01-01T00:00:00Z")


FAULTS = {
    lose_grant: "alice on project demo: missing session:read",
    add_grant: "alice on project demo: extra session:stop",
    lose_group_grant: "group night on global: missing session:list",
    add_group_grant: "group night on project demo: extra session:stop",
    grant_to_a_stranger: "stranger on global: extra role:create",
    grant_to_a_deleted_user: "gone (deleted) on global: extra role:create",
    change_role_behind_its_back: "alice on project demo: missing session:create",
    remove_binding_behind_its_back: "alice on project demo: extra",
}


def test_nothing_is_wrong(run, bound):
    assert run("verify_access") == (0, AGREE, "")
    assert run("verify_access", "--fix") == (0, AGREE, "")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.replace("_", "-"))
def test_found_then_mended(run, bound, project, fault):
    fault(bound, project)
    code, out, err = run("verify_access")
    assert (code, FAULTS[fault] in out, "mend with --fix" in err) == (1, True, True)
    code, out, err = run("verify_access", "--fix", "--dry-run")
    assert (code, FAULTS[fault] in out, "would be mended" in err) == (1, True, True)
    assert access_verify()
    code, out, err = run("verify_access", "--fix")
    assert (code, "1 mended" in out, err) == (0, True, "")
    assert run("verify_access") == (0, AGREE, "")


def test_what_has_no_owner_who_can_act_is_named(run, bound, project):
    User.objects.filter(username="olga").update(is_active=False)
    CredentialFactory(id="2cred" + "0" * 22)
    owned = run("verify_access")[1].splitlines()
    assert owned == [
        f"credential 2cred{'0' * 22} has no owner who can act",
        "project demo has no owner who can act",
        AGREE.strip(),
    ]


def test_what_is_mended_counts_at_once(run, bound, project):
    change_role_behind_its_back(bound, project)
    assert not allows(User.objects.get(pk=bound.pk), "session:stop", project)
    run("verify_access", "--fix")
    assert allows(User.objects.get(pk=bound.pk), "session:stop", project)


def test_what_cannot_be_mended_is_exit_1(run, bound, project, monkeypatch):
    lose_grant(bound, project)
    monkeypatch.setattr("projects_app.services.verify.set_grants", lambda *args: None)
    code, _, err = run("verify_access", "--fix")
    assert (code, "still wrong" in err) == (1, True)
