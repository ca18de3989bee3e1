"""Make a service account."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ambient.common.exceptions import ApplicationError
from projects_app.services.users import user_create


class Command(BaseCommand):
    help = "Make a service account: a user for a program, without a password and without the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", help="what it is for; by default its username")

    def handle(self, *args: Any, username: str, name: str | None, **options: Any) -> None:
        values = {"username": username, "name": name or username, "service_account": True}
        try:
            user = user_create(values=values)
        except ApplicationError as exc:
            raise CommandError(exc.reason) from exc
        self.stdout.write(f"{user.username}: made; give it roles, then `manage.py create_api_key`")
