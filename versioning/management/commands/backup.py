"""Write the whole database to one file, while everything runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services import backups, clock


class Command(ServiceCommand):
    help = (
        "Write the whole database to one new file, as it is at one moment, while everything runs. "
        "Keep SECRET_KEY (or the data folder's secret_key) and the providers' keys apart: they "
        "are not in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a file that isn't there yet")

    def run(self, **options: Any) -> None:
        file: Path = options["file"]
        about = backups.back_up(file, now=clock.now())
        self.stdout.write(
            f"{file}: {file.stat().st_size:,} bytes. The history's chain ends at {about.chain}"
        )
