"""Revoke API keys from the shell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ambient.common.database import transactional
from projects_app.models import ApiKey
from projects_app.services.api_keys import api_key_revoke


class Command(BaseCommand):
    help = "Revoke one API key by its id, or all of a user. They are refused with the next request."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("id", nargs="?", help="as list_api_keys shows it")
        which.add_argument("--user", help="every key of this user")
        parser.add_argument("--dry-run", action="store_true", help="list them, revoke nothing")

    @transactional
    def handle(self, *args: Any, id: str | None, user: str | None, dry_run: bool, **options: Any) -> None:
        keys = ApiKey.objects.live().select_related("user").filter(revoked_at=None).order_by("created_at")
        found = list(keys.filter(pk=id) if id else keys.filter(user__username=user))
        if not found:
            raise CommandError("there is no such key that is not revoked already")
        for key in found:
            if not dry_run:
                api_key_revoke(key=key)
            said = "would be revoked" if dry_run else "revoked"
            self.stdout.write(f"{key.pk}  {key.prefix}  {key.user.username}: {said}")
