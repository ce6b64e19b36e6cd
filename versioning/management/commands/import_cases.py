"""Import the cases of an evaluation suite from a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from versioning.domain.statistics.figures import counted
from versioning.management.service_command import ServiceCommand
from versioning.services.evaluation import suites


class Command(ServiceCommand):
    help = (
        "Import cases, such as: import_cases 'support answers' cases.jsonl. Exit code: 0 all rows "
        "can be used, 1 some can't (the others are stored)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("suite", help="the suite's name")
        parser.add_argument("file", type=Path, help="JSONL or CSV, by its ending")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="remove all other cases, if every row can be used",
        )
        parser.add_argument("--dry-run", action="store_true", help="read the file, store nothing")

    def run(self, **options: Any) -> None:
        suite, path = suites.suite_named(options["suite"]), options["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from error
        form: suites.Form = "csv" if path.suffix.lower() == ".csv" else "jsonl"
        read = suites.read_file(suite=suite, content=content, form=form)
        for unread in read.unread:
            self.progress(unread.why)
        if not read.cases:
            raise CommandError("The file holds no case that can be used; nothing was stored.")
        if options["dry_run"]:
            self.stdout.write(f"{counted(len(read.cases), 'case')} can be stored.")
        else:
            stored = suites.import_cases(suite=suite, read=read, replace=options["replace"])
            self.stdout.write(stored.sentence)
        if read.unread:
            raise CommandError(
                f"Can't be used, and named above: {counted(len(read.unread), 'row')}."
            )
