"""Make a key for an application; its secret is printed once and kept nowhere."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.models import ApiKey, Team
from versioning.services import clock, keys
from versioning.services.actors import Actor

LONGEST_DAYS = 3650


class Command(ServiceCommand):
    help = "Make an API key, such as: create_api_key billing --scope read --scope ingest"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="which application uses it")
        parser.add_argument(
            "--scope",
            action="append",
            dest="scopes",
            choices=ApiKey.Scope.values,
            help="what it may do; give it several times for more (default: read and ingest)",
        )
        parser.add_argument("--team", help="the team whose models it decides on, by its name")
        parser.add_argument(
            "--days",
            type=int,
            choices=range(1, LONGEST_DAYS + 1),
            metavar="N",
            help=f"it ends after so many days, {LONGEST_DAYS} at most (default: it doesn't end)",
        )

    def run(self, **options: Any) -> None:
        now = clock.now()
        days = options["days"]
        made = keys.create_api_key(
            name=options["name"],
            scopes=options["scopes"] or [ApiKey.Scope.READ, ApiKey.Scope.INGEST],
            now=now,
            expires_at=now + timedelta(days=days) if days else None,
            team=_team(options["team"]),
            actor=Actor.command(),
        )
        self.progress(
            f"Made the key {made.api_key} with {', '.join(made.api_key.scopes)}. "
            "It is shown only now: keep it in the application's secrets."
        )
        self.stdout.write(made.secret)


def _team(name: str | None) -> Team | None:
    """Return the team of this name. Raises CommandError where there is none."""
    if not name:
        return None
    found = Team.objects.filter(name=name).first()
    if found is None:
        raise CommandError(f"There is no team {name}.")
    return found
