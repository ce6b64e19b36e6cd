"""Move a tracked model to another version."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from versioning.domain.transitions import State
from versioning.management.service_command import ServiceCommand
from versioning.services import clock, serving
from versioning.services.actors import Actor
from versioning.services.upgrades import decisions, python_api


class Command(ServiceCommand):
    help = (
        "Approve the upgrade that is recommended for a model; with --to take that version; with "
        "--min-quality-improvement only if the evidence shows at least so much."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", help="the provider's short name")
        parser.add_argument("model", help="the tracked model's name")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--to", default="", metavar="LABEL", help="a version, such as 1.1.0")
        how.add_argument(
            "--min-quality-improvement", metavar="X", help="a fraction; 0.1 means 10 %% better"
        )
        parser.add_argument("--reason", default="", help="kept in the history")

    def run(self, **options: Any) -> None:
        if options["min_quality_improvement"] is not None:
            self._upgrade_if_better(**options)
            return
        tracked = serving.tracked_model(provider=options["provider"], name=options["model"])
        record = decisions.request_upgrade(
            tracked=tracked,
            to_version=options["to"],
            actor=Actor.command(),
            now=clock.now(),
            reason=options["reason"],
        )
        label = record.to_version.label
        if record.state == State.COMPLETED:
            self.stdout.write(f"{tracked}: {label} is current.")
        else:
            state = record.get_state_display()
            self.stdout.write(f"{tracked}: the upgrade to {label} is {state}; explain says more.")

    def _upgrade_if_better(self, **options: Any) -> None:
        if options["reason"]:
            raise CommandError(
                "Leave --reason out: with --min-quality-improvement the evidence is the reason.",
                returncode=2,
            )
        result = python_api.auto_upgrade(
            provider=options["provider"],
            model=options["model"],
            min_quality_improvement=options["min_quality_improvement"],
            actor=Actor.command(),
            now=clock.now(),
        )
        if not result.upgraded:
            raise CommandError(f"Stays at {result.version}: {result.waits_for}")
        self.stdout.write(f"Upgraded to {result.version}.")
