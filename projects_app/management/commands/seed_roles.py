"""Built-in roles, and the first administrator."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from projects_app.choices import Scope
from projects_app.models import Role, RoleBinding
from projects_app.services.role_bindings import role_binding_create
from projects_app.services.roles import seed_builtin_roles


class Command(BaseCommand):
    help = "Create or bring up to date the built-in roles; with --admin, make a user the administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--admin", help="username to give platform:admin; it need not have signed in yet")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, change nothing")

    def handle(self, *args: Any, admin: str | None, dry_run: bool, **options: Any) -> None:
        with transaction.atomic():
            changed = seed_builtin_roles()
            bound = bool(admin) and self._bind(str(admin))
            if dry_run:
                transaction.set_rollback(True)
        would = "would be " if dry_run else ""
        for name in changed:
            self.stdout.write(f"role {name}: {would}brought up to date")
        if bound:
            self.stdout.write(f"{admin}: {would}made platform:admin")
        if not changed and not bound:
            self.stdout.write("nothing to change")

    def _bind(self, username: str) -> bool:
        values = {"scope": Scope.GLOBAL, "user_id": username}
        role = Role.objects.get(name="platform:admin")
        if RoleBinding.objects.live().filter(role=role, **values).exists():
            return False
        role_binding_create(role=role, values=values)
        return True
