"""Say that an identity at an OpenID Connect provider is an account here."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ambient.common.exceptions import Conflict
from projects_app.models import User
from projects_app.services.identities import identity_link


class Command(BaseCommand):
    help = "Let somebody who signs in with an OpenID Connect provider use an account that is there already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="username of the account")
        parser.add_argument("--issuer", required=True, help="the provider as its tokens name it (`iss`)")
        parser.add_argument("--subject", required=True, help="who it is there (`sub`)")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.live().filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}")
        try:
            link = identity_link(user=user, issuer=options["issuer"], subject=options["subject"])
        except Conflict as exc:
            raise CommandError(exc.reason) from exc
        self.stdout.write(f"{link} is {user.username}")
