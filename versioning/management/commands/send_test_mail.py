"""Send a mail that tells of nothing, to see whether e-mail is set up well."""

from typing import Any

from django.core.management.base import CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services import mail


class Command(ServiceCommand):
    help = "Send one mail at once, and say what the mail server made of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("to", help="an address, such as ada@example.com")

    def run(self, **options: Any) -> None:
        self.stdout.write(mail.send_test(to=options["to"]))
