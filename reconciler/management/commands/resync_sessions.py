"""`manage.py resync_sessions`: make unfinished sessions due by hand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects_app.models import Project
from reconciler.wake import wake
from reconciler.workqueue import ask
from sessions_app.choices import DesiredState
from sessions_app.models import Session


class Command(BaseCommand):
    help = "Queue a pass for every unfinished session, whatever back-off it has."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", help="only this project's sessions")
        parser.add_argument("--dry-run", action="store_true", help="list them, queue nothing")

    def handle(self, *args: Any, project: str | None, dry_run: bool, **options: Any) -> None:
        sessions = Session.objects.unfinished().order_by("pk")
        if project:
            if not Project.objects.filter(pk=project).exists():
                raise CommandError(f"there is no project {project!r}")
            sessions = sessions.filter(project_id=project)
        count = 0
        for pk, project_id, desired in sessions.values_list("pk", "project_id", "desired_state"):
            if not dry_run:
                ask("session", pk, project_id, urgent=desired != DesiredState.RUNNING)
            self.stdout.write(pk)
            count += 1
        if count and not dry_run:
            wake(count)
