"""Hold the history against its seals."""

import argparse
from typing import Any

from django.core.management.base import CommandError, CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services import seals


class Command(ServiceCommand):
    help = (
        "Hold every row of the history (steps, approvals, reports, and each change of policies, "
        "keys, rules, providers and models) against its seal. Exit 1, and the first row that was "
        "changed, removed or put in, where it isn't as Hotswap wrote it. Keep the end of the chain "
        "that it prints elsewhere, and give it with --since later."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            type=_head,
            metavar="NUMBER:LINK",
            help="an end of the chain that was printed once: the history up to there must be the "
            "same",
        )

    def run(self, **options: Any) -> None:
        seals.chain()
        found = seals.verify(since=options["since"])
        if found.fault:
            raise CommandError(found.fault)
        rows = "1 row is" if found.seals == 1 else f"{found.seals} rows are"
        self.stdout.write(f"{rows} as written. The chain ends at {found.head}")


def _head(text: str) -> seals.Head:
    try:
        return seals.Head.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
