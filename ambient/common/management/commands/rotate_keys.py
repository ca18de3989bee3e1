"""`manage.py rotate_keys`: bring every sealed value to the active key, while the platform runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from ambient.common.encryption import active_key_id
from ambient.common.rotation import Tally, forget, rotate
from ambient.common.sealed import sealed_columns

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Encrypt every sealed value again that is not on the active key. The platform may run meanwhile; a "
        "run that was stopped can be repeated. Exit code 0: all is on the active key; 1: something is not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="open and count them, change nothing")
        parser.add_argument(
            "--forget",
            metavar="KEY",
            help="instead, take away what a lost key sealed (v2, or as doctor says)",
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            self._run(options["forget"], dry_run)
        except OperationalError as exc:
            reason = str(exc).strip().splitlines()[0]
            raise CommandError(f"{reason}; what was done stays, run it again") from exc

    def _run(self, lost: str | None, dry_run: bool) -> None:
        self._verb = ("forgotten" if lost else "encrypted again") if not dry_run else "to do"
        if lost:
            try:
                forgotten = forget(lost, self._progress, dry_run=dry_run)
            except ValueError as exc:
                raise CommandError(str(exc)) from exc
            self.stdout.write(f"{sum(tally.done for tally in forgotten)} {self._verb}")
            return
        tallies = rotate(self._progress, dry_run=dry_run)
        for tally in tallies:
            self._complain(tally)
        done = sum(tally.done for tally in tallies)
        bad = sum(len(tally.unreadable) for tally in tallies)
        left = self._left()
        self.stdout.write(f"{done} {self._verb}; {left} not on the active key {active_key_id()}")
        if bad or (left and not dry_run):
            raise SystemExit(1)

    def _progress(self, tally: Tally) -> None:
        self.stdout.write(f"{tally.column} of key {tally.key_id}: {tally.done} of {tally.total} {self._verb}")

    def _complain(self, tally: Tally) -> None:
        for pk in tally.unreadable[:SHOWN]:
            self.stderr.write(f"{tally.column} of {pk}: key {tally.key_id} does not open it")
        more = len(tally.unreadable) - SHOWN
        if more > 0:
            self.stderr.write(f"{tally.column} of key {tally.key_id}: and {more} more")

    def _left(self) -> int:
        counts = (column.counts() for column in sealed_columns())
        return sum(
            number for found in counts for key_id, number in found.items() if key_id != active_key_id()
        )
