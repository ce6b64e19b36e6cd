"""Write the cases of an evaluation suite to standard output."""

from typing import Any

from django.core.management.base import CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services.evaluation import suites


class Command(ServiceCommand):
    help = "Export cases, such as: export_cases 'support answers' > cases.jsonl"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("suite", help="the suite's name")
        parser.add_argument("--csv", action="store_true", help="CSV instead of JSONL")

    def run(self, **options: Any) -> None:
        form: suites.Form = "csv" if options["csv"] else "jsonl"
        suite = suites.suite_named(options["suite"])
        self.stdout.write(suites.export_cases(suite=suite, form=form), ending="")
