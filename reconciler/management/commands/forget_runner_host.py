"""`manage.py forget_runner_host`: let this home's runner host take over what a lost one had."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import Count

from ambient import env
from reconciler.runnerhost.paths import HostPaths
from reconciler.wake import wake
from reconciler.workqueue import ask
from sessions_app.models import Session
from sessions_app.status import session_record_status


class Command(BaseCommand):
    help = (
        "Let go of the sessions of a runner host that is gone for good (a lost machine, a home restored "
        "elsewhere), so that they start again here. Without HOST: list the hosts that have sessions."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("host", nargs="?", help="machine:home of the host, as it is listed")
        parser.add_argument("--all", action="store_true", help="every host but this home's own")
        parser.add_argument("--dry-run", action="store_true", help="list the sessions, change nothing")

    def handle(self, *args: Any, host: str | None, all: bool, dry_run: bool, **options: Any) -> None:
        if host is None and not all:
            self._list()
            return
        own = HostPaths(env.HOME).host_id
        if host == own:
            raise CommandError(f"{own} is this home's own runner host: it looks after its sessions itself")
        held = self._held().exclude(runner_host=own)
        chosen = held if all else held.filter(runner_host=host)
        found = list(chosen.order_by("pk").values_list("pk", flat=True))
        if not found and host is not None:
            raise CommandError(f"no unfinished session is on {host!r}")
        for pk in found:
            if not dry_run:
                self._let_go(pk)
            self.stdout.write(pk)
        if found and not dry_run:
            wake(len(found))

    def _held(self) -> Any:
        return Session.objects.unfinished().exclude(runner_host=None)

    def _list(self) -> None:
        own = HostPaths(env.HOME).host_id
        rows = self._held().values_list("runner_host").annotate(count=Count("pk")).order_by("runner_host")
        for host, count in rows:
            self.stdout.write(f"{host}  {count} session(s){'  (this home)' if host == own else ''}")

    @transaction.atomic
    def _let_go(self, pk: str) -> None:
        """A pass finds no runner then and starts the session again. Locked: no pass writes between."""
        session = Session.objects.select_for_update(no_key=True).get(pk=pk)
        session_record_status(session=session, fields={"runner_host": None, "runner_endpoint": None})
        ask("session", session.pk, session.project_id)
