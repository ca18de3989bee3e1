"""`manage.py prune_audit`: let go of old entries of the audit log."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from ambient.common.management.arguments import checked
from ambient.setting_types import whole
from projects_app.models import AuditEntry
from projects_app.services.audit import audit_prune


class Command(BaseCommand):
    help = "Delete entries of the audit log that are older than so many days. The log keeps that it was done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than", type=checked(whole(1)), required=True, metavar="DAYS", help="days to keep"
        )
        parser.add_argument("--dry-run", action="store_true", help="count them, delete nothing")

    def handle(self, *args: Any, older_than: int, dry_run: bool, **options: Any) -> None:
        before = timezone.now() - datetime.timedelta(days=min(older_than, 36_500))
        if dry_run:
            found = AuditEntry.objects.filter(created_at__lt=before).exclude(action="prune").count()
            self.stdout.write(f"{found} entries are older")
            return
        pruned = 0
        while count := audit_prune(older_than=before):
            pruned += count
        self.stdout.write(f"{pruned} entries deleted")
