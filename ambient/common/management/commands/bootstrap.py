"""First sign-in of the embedded default: a superuser, and an API key for scripts."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.module_loading import import_string

from ambient import env
from ambient.common.exceptions import InvalidToken
from ambient.common.sealed import require_known_keys

USERNAME = "admin"
KEY_FILE = "admin.key"
PASSWORD_FILE = "admin.password"  # noqa: S105 - a file name
KEY_NAME = "embedded default"


def write_private(path: Path, text: str) -> None:
    """Replace a file with one that only its owner can read, all at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(fresh, path)


class Command(BaseCommand):
    help = "Make the superuser 'admin' and its API key in AMBIENT_HOME/admin.key. Safe to run again."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        if env.MODE == "production":
            raise CommandError("bootstrap is for the embedded default; in production use createsuperuser")
        if options["migrate"]:
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        try:
            require_known_keys(production=False)
        except ImproperlyConfigured as exc:
            raise CommandError(str(exc)) from exc
        with transaction.atomic():
            password = self._ensure_user()
            if password:
                write_private(env.HOME / PASSWORD_FILE, password + "\n")
            self._ensure_key()
        kept = env.HOME / PASSWORD_FILE
        words = f"first password: {kept}" if kept.exists() else "with the password that it has"
        self.stdout.write(f"Sign in as {USERNAME}; {words}")
        self.stdout.write(f"API key for scripts: {env.HOME / KEY_FILE}")

    def _ensure_user(self) -> str | None:
        """The new user's password, or None when the user is there already."""
        users = apps.get_model("projects_app.User").objects
        if users.live().filter(username=USERNAME).exists():
            return None
        password = secrets.token_urlsafe(12)
        users.create_superuser(USERNAME, password, name="Administrator")
        return password

    def _owner_of(self, key: str) -> str | None:
        verify = import_string("projects_app.authentication.api_key_user")
        try:
            known = verify(key)
        except InvalidToken:
            return None
        return None if known is None else str(known.username)

    def _ensure_key(self) -> None:
        """A key file that this database knows; a lost or foreign one is replaced, its old key revoked."""
        path = env.HOME / KEY_FILE
        if path.exists() and self._owner_of(path.read_text().strip()) == USERNAME:
            path.chmod(0o600)
            return
        user = apps.get_model("projects_app.User").objects.live().get(username=USERNAME)
        revoke = import_string("projects_app.services.api_keys.api_key_revoke")
        for old in user.api_keys.filter(name=KEY_NAME, revoked_at=None):
            revoke(key=old)
        create = import_string("projects_app.services.api_keys.api_key_create")
        _, text = create(user=user, name=KEY_NAME)
        write_private(path, text + "\n")
