"""`manage.py session_show`: everything about one session, for support."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from ambient.common.management.arguments import checked
from ambient.setting_types import whole
from reconciler.errors import PermanentError, TemporaryError
from reconciler.runtimes import runtime_for
from reconciler.selectors import ref_of
from reconciler.support import CUT, SHOWN, session_report
from sessions_app.models import Session


class Command(BaseCommand):
    help = (
        "Show everything about one session: wish, status, conditions, work, runs, messages, events, history."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("session", help="the session's id; deleted ones are shown too")
        parser.add_argument("--json", action="store_true", help="as one JSON object")
        parser.add_argument(
            "--log", type=checked(whole(1)), default=0, metavar="LINES", help="also the runner's last lines"
        )

    def handle(self, *args: Any, session: str, log: int, **options: Any) -> None:
        found = Session.objects.filter(pk=session.replace("\0", "")).first()
        if found is None:
            raise CommandError(f"there is no session {session!r}")
        report = session_report(found)
        if log:
            report["runner_log"] = self._log(found, log)
        if options["json"]:
            self.stdout.write(json.dumps(report, cls=DjangoJSONEncoder, indent=2))
            return
        for title, part in report.items():
            self._write(title, part)

    def _log(self, session: Session, lines: int) -> list[str]:
        try:
            return runtime_for().logs(ref_of(session), lines).splitlines()
        except (TemporaryError, PermanentError) as exc:
            return [f"cannot be read: {exc.message}"]

    def _write(self, title: str, part: Any) -> None:
        heading = title.replace("_", " ")
        if title in CUT and len(part) == SHOWN:
            heading += f" (the newest {SHOWN})"
        self.stdout.write(self.style.MIGRATE_HEADING(heading))
        if not part:
            self.stdout.write("  none")
        elif isinstance(part, dict):
            for name, value in part.items():
                if value not in (None, "", []):
                    self.stdout.write(f"  {name:<24} {value}")
        else:
            for row in part:
                self.stdout.write(f"  {self._line(row)}")

    @staticmethod
    def _line(row: Any) -> str:
        if not isinstance(row, dict):
            return str(row)
        return "  ".join(f"{name}={value}" for name, value in row.items() if value not in (None, ""))
