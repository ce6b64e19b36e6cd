"""Put a back-up in the place of the database."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services import backups


class Command(ServiceCommand):
    help = (
        "Put a back-up in the place of the database, bring its tables up to date, and hold the "
        "history against its seals. Stop web, worker and beat first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what manage.py backup wrote")
        parser.add_argument(
            "--replace", action="store_true", help="replace a database that holds data"
        )

    def run(self, **options: Any) -> None:
        about = backups.put_back(options["file"], replace=options["replace"])
        call_command("prepare", stdout=self.stdout)
        if fault := backups.missing_since(about):
            raise CommandError(f"It is put back, but its history is not whole. {fault}")
        self.stdout.write(f"Put back as of {about.made_at}; its history is as it was written.")
