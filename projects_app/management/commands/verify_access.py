"""`manage.py verify_access`: compare the grants with the role bindings that they follow from."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from projects_app.services.owners import ownerless
from projects_app.services.verify import access_verify


class Command(BaseCommand):
    help = (
        "Compare the grants with the role bindings that they follow from. Exit code 0: they agree, or all "
        "was mended; 1: something is wrong and was not mended. Names projects and credentials without an "
        "owner who can act, too: those an administrator gives to somebody."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="bring the grants in line with the bindings")
        parser.add_argument(
            "--dry-run", action="store_true", help="change nothing, also with --fix; say what would be mended"
        )

    def handle(self, *args: Any, fix: bool, dry_run: bool, **options: Any) -> None:
        mend = fix and not dry_run
        for target in ownerless():
            self.stdout.write(f"{target.scope} {target.pk} has no owner who can act")
        found = access_verify(fix=mend)
        for drift in found:
            self.stdout.write(str(drift))
        if not found:
            self.stdout.write("grants and bindings agree")
            return
        left = access_verify() if mend else found
        if mend and not left:
            self.stdout.write(f"{len(found)} mended")
            return
        word = (
            "would be mended" if fix and dry_run else "wrong; mend with --fix" if not fix else "still wrong"
        )
        self.stderr.write(f"{len(left)} {word}")
        raise SystemExit(1)
