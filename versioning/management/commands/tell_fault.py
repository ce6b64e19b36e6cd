"""Tell staff of something that went wrong outside the application: ``make up`` does."""

from typing import Any

from django.core.management.base import CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services import clock, notices


class Command(ServiceCommand):
    help = "Put a notice into the inbox: something went wrong, and staff should know."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("subject", help="what it is about, such as 'worker process'")
        parser.add_argument("sentence", help="what happened, and what to do")

    def run(self, **options: Any) -> None:
        notices.raise_fault(
            subject=options["subject"], sentence=options["sentence"], now=clock.now()
        )
