"""What operators run: keys, roles, the first sign-in."""

import stat
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from ambient import env
from ambient.common.exceptions import Unauthenticated
from projects_app.access import access_of
from projects_app.authentication import authenticate_bearer
from projects_app.models import ApiKey, Role, RoleBinding, User
from projects_app.services.users import user_ensure


def run(*args):
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_create_api_key(user, project):
    text = run("create_api_key", "--user", "alice", "--project", "demo", "--role", "project:viewer").strip()
    caller = authenticate_bearer(text)
    assert caller.username == "alice"
    key = ApiKey.objects.get()
    assert (key.project_id, key.role.name) == ("demo", "project:viewer")
    assert (key.expires_at - key.created_at).days == 90 or (key.expires_at - key.created_at).days == 89


def test_create_service_account(db):
    assert "bot: made" in run("create_service_account", "bot", "--name", "Bot")
    assert User.objects.get(username="bot").service_account
    with pytest.raises(CommandError, match="exists"):
        run("create_service_account", "bot")
    with pytest.raises(CommandError, match="session:"):
        run("create_service_account", "session:x")


def test_list_and_revoke_api_keys(user, project):
    text = run("create_api_key", "--user", "alice", "--project", "demo", "--name", "ci").strip()
    key = ApiKey.objects.get()
    listed = run("list_api_keys", "--user", "alice")
    assert all(part in listed for part in (key.pk, text[:8], "alice", "demo", "used never", "ci"))
    assert text not in listed
    assert "would be revoked" in run("revoke_api_key", key.pk, "--dry-run")
    assert authenticate_bearer(text).username == "alice"
    assert f"{key.pk}  {text[:8]}  alice: revoked" in run("revoke_api_key", key.pk)
    with pytest.raises(Unauthenticated):
        authenticate_bearer(text)
    assert run("list_api_keys") == ""
    assert "revoked" in run("list_api_keys", "--all")
    with pytest.raises(CommandError, match="no such key"):
        run("revoke_api_key", "--user", "alice")


def test_create_api_key_that_expires(user):
    run("create_api_key", "--user", "alice", "--expires-days", "2", "--name", "ci")
    key = ApiKey.objects.get()
    assert key.name == "ci"
    assert round((key.expires_at - key.created_at).total_seconds() / 86_400) == 2


@pytest.mark.parametrize(
    "args",
    [
        ("--user", "nobody"),
        ("--user", "alice", "--project", "none"),
        ("--user", "alice", "--role", "none"),
        ("--user", "alice", "--expires-days", "0"),
        ("--user", "alice", "--expires-days", "366"),
    ],
)
def test_create_api_key_refuses(user, args):
    with pytest.raises(CommandError):
        run("create_api_key", *args)
    assert not ApiKey.objects.exists()


def test_seed_roles(db):
    assert run("seed_roles") == "nothing to change\n"
    Role.objects.filter(name="project:viewer").update(permissions="[]")
    assert "project:viewer: would be" in run("seed_roles", "--dry-run", "--admin", "first")
    assert Role.objects.get(name="project:viewer").permissions == "[]"
    assert not RoleBinding.objects.exists()
    out = run("seed_roles", "--admin", "first")
    assert "role project:viewer: brought up to date" in out
    assert "first: made platform:admin" in out
    assert access_of(user_ensure(username="first")).everywhere("role:create")
    assert run("seed_roles", "--admin", "first") == "nothing to change\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(env, "HOME", tmp_path / "home")
    return tmp_path / "home"


def test_bootstrap(db, home):
    out = run("bootstrap")
    kept = home / "admin.password"
    password = kept.read_text().strip()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert str(kept) in out
    assert password not in out
    assert authenticate(username="admin", password=password).is_superuser
    file = home / "admin.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert authenticate_bearer(file.read_text().strip()).username == "admin"
    assert password not in file.read_text()
    again = run("bootstrap")
    assert again == out
    assert kept.read_text().strip() == password
    assert (User.objects.count(), ApiKey.objects.count()) == (1, 1)
    kept.unlink()  # as after a restore
    assert str(kept) not in run("bootstrap")


@pytest.mark.parametrize("damage", ["removed", "foreign"])
def test_bootstrap_mends_the_key_file(db, home, damage):
    run("bootstrap")
    file = home / "admin.key"
    old = file.read_text().strip()
    if damage == "removed":
        file.unlink()
    else:
        file.write_text("amb_" + "x" * 43)
    run("bootstrap")
    assert authenticate_bearer(file.read_text().strip()).username == "admin"
    assert ApiKey.objects.filter(revoked_at=None).count() == 1
    assert file.read_text().strip() != old


def test_bootstrap_refuses_production(db, home, monkeypatch):
    monkeypatch.setattr(env, "MODE", "production")
    with pytest.raises(CommandError):
        run("bootstrap")
    assert not User.objects.exists()
