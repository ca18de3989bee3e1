"""List API keys by their first characters."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Q
from django.utils import timezone

from projects_app.models import ApiKey


class Command(BaseCommand):
    help = "List API keys: id, first characters, owner, scope, end, last use. Never the keys themselves."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="only this user's")
        parser.add_argument("--all", action="store_true", help="revoked and expired ones too")

    def handle(self, *args: Any, user: str | None, all: bool, **options: Any) -> None:
        keys = ApiKey.objects.live().select_related("user", "role").order_by("created_at", "id")
        if user:
            keys = keys.filter(user__username=user)
        if not all:
            keys = keys.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)
        for key in keys.iterator():
            scope = ", ".join(filter(None, [key.project_id, key.role.name if key.role else None]))
            ends = f"revoked {_time(key.revoked_at)}" if key.revoked_at else f"ends {_time(key.expires_at)}"
            parts = [key.pk, key.prefix, key.user.username, scope or "everything", ends]
            self.stdout.write("  ".join([*parts, f"used {_time(key.last_used_at)}", key.name]).rstrip())


def _time(at: Any) -> str:
    return at.strftime("%Y-%m-%dT%H:%MZ") if at else "never"
