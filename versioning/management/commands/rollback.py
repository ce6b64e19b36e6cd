"""Go back to the version before the latest move."""

from typing import Any

from django.core.management.base import CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services import clock, serving
from versioning.services.actors import Actor
from versioning.services.upgrades import decisions


class Command(ServiceCommand):
    help = "Go back to the version before the latest move."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", help="the provider's short name")
        parser.add_argument("model", help="the tracked model's name")
        parser.add_argument("--reason", required=True, help="kept in the history")

    def run(self, **options: Any) -> None:
        tracked = serving.tracked_model(provider=options["provider"], name=options["model"])
        record = decisions.roll_back(
            tracked_model_id=tracked.pk,
            actor=Actor.command(),
            now=clock.now(),
            reason=options["reason"],
        )
        # The first reason is the one just given; the others say what to mind.
        for line in [f"{tracked}: back at {record.to_version.label}.", *record.reasons[1:]]:
            self.stdout.write(line)
