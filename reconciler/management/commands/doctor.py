"""`manage.py doctor`: what is wrong with this installation, and what to do."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from reconciler.doctor import examine
from reconciler.findings import FAILED, OK, WARNING


class Command(BaseCommand):
    help = (
        "Look at settings, home, servers, versions, migrations, keys, clock, space, work, cluster and "
        "processes. "
        "Exit code 0: well, perhaps with warnings; 1: something failed."
    )
    requires_system_checks = ()  # they are among the findings

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as one JSON array")

    def handle(self, *args: Any, **options: Any) -> None:
        found = examine()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(entry) for entry in found], indent=2))
        else:
            style = {OK: self.style.SUCCESS, WARNING: self.style.WARNING, FAILED: self.style.ERROR}
            for entry in found:
                self.stdout.write(f"{style[entry.state](f'{entry.state:<8}')} {entry.name:<16} {entry.text}")
                if entry.state != OK and entry.todo:
                    self.stdout.write(f"{'':<25} -> {entry.todo}")
        failed = sum(entry.state == FAILED for entry in found)
        if failed:
            self.stderr.write(f"{failed} failed")
            raise SystemExit(1)
