"""Make an API key and print it once."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ambient.common.exceptions import ApplicationError
from projects_app.models import Project, User
from projects_app.services.api_keys import api_key_create, end_of_key
from projects_app.services.role_bindings import role_by_reference


class Command(BaseCommand):
    help = "Make an API key for a user and print it. It cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="username that the key acts as")
        parser.add_argument("--project", help="the key works in this project only")
        parser.add_argument("--role", help="the key has at most this role's permissions (name or id)")
        parser.add_argument("--name", default="", help="what the key is for")
        parser.add_argument(
            "--expires-days",
            type=float,
            help="days until the key is refused; else AMBIENT_API_KEY_DEFAULT_DAYS",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.live().filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user {options['user']!r}")
        project = role = expires_at = None
        if options["project"]:
            project = Project.objects.live().filter(pk=options["project"]).first()
            if project is None:
                raise CommandError(f"there is no project {options['project']!r}")
        if options["role"]:
            role = role_by_reference(options["role"])
            if role is None:
                raise CommandError(f"there is no role {options['role']!r}")
        if options["expires_days"] is not None:
            if not 0 < options["expires_days"] <= 36_500:
                raise CommandError("--expires-days must be more than 0 and at most 36500")
            expires_at = timezone.now() + datetime.timedelta(days=options["expires_days"])
        try:
            end = end_of_key(expires_at)
            made = {"name": options["name"], "project": project, "role": role, "expires_at": end}
            _, text = api_key_create(user=user, **made)
        except ApplicationError as exc:
            raise CommandError(exc.reason) from exc
        self.stdout.write(text)
